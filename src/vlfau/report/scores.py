"""A run's scores.json, read and checked."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, ValidationError, model_validator

from vlfau.errors import InputError
from vlfau.evaluation.scores import SCORES_FILE
from vlfau.facs import AU_SETS

__all__ = ["DataInfo", "Figures", "Intervals", "Scores", "read_json", "read_scores"]

Share: TypeAlias = Annotated[FiniteFloat, Field(ge=0, le=1)]
PerAU: TypeAlias = Mapping[int, Share | None]
Interval: TypeAlias = tuple[Share, Share]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DataInfo(_Part):
    """The faces that were scored.

    Attributes:
        description: What the data are, in the words of who configured the run.
        synthetic: Whether the faces are synthetic.
        au_set: The name in `facs.AU_SETS` of the AUs, or None.
    """

    description: str = ""
    synthetic: bool
    au_set: str | None = None


class NetworkInfo(_Part):
    """The network that was scored: its backbone, and whether that started without ImageNet weights."""

    backbone: str = ""
    from_scratch: bool | None = None


class Intervals(_Part):
    """95 % intervals from a bootstrap over subjects."""

    f1_macro: Interval | None = None
    f1_per_au: Mapping[int, Interval | None] = {}


class Figures(_Part):
    """Everything measured of one set of answers; None or absent is what could not be measured.

    Shares run from 0 to 1. `words`, `truth` and `counterfactuals` are as in scores.json; `number` reads them.
    """

    f1_per_au: PerAU
    accuracy_per_au: PerAU = {}
    roc_auc_per_au: PerAU = {}
    average_precision_per_au: PerAU = {}
    ece_per_au: PerAU = {}
    f1_macro: Share | None
    accuracy_macro: Share | None = None
    f1_micro: Share | None = None
    roc_auc_macro: Share | None = None
    average_precision_macro: Share | None = None
    ece_macro: Share | None = None
    intervals: Intervals = Intervals()
    words: Mapping[str, JsonValue] = {}
    truth: Mapping[str, JsonValue] = {}
    counterfactuals: Mapping[str, JsonValue] = {}

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, content: object) -> object:
        """Treat a part that is null as one that is absent."""
        if not isinstance(content, Mapping):
            return content
        parts = ("intervals", "words", "truth", "counterfactuals", "pooled", "per_fold")
        parts += tuple(key for key in content if key.endswith("_per_au"))
        return {key: value for key, value in content.items() if value is not None or key not in parts}

    def number(self, name: str) -> float | None:
        """Return one number: an attribute, or an entry of `words`, `truth` or `counterfactuals` such as "words.x"."""
        part, dot, entry = name.partition(".")
        value = getattr(self, part).get(entry) if dot else getattr(self, name)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    def per_au(self, measure: str) -> PerAU:
        """Return a measure of every AU: one of the `_per_au` attributes, or of `truth`."""
        found = getattr(self, measure, None) or self.truth.get(measure)
        if not isinstance(found, Mapping):
            return {}
        return {int(au_id): share if isinstance(share, int | float) else None for au_id, share in found.items()}


class Scores(Figures):
    """The whole of a scores.json.

    Attributes:
        data: The faces.
        network: The network.
        au_ids: (N,) FACS numbers.
        fold: The fold tested; None for the mean over folds.
        frames: How many frames were scored.
        subjects: How many people.
        threshold: The probability from which an AU counts as active, one for all or one an AU.
        pooled: For a cross-validation: the figures computed once over all folds' frames.
        per_fold: For a cross-validation: single figures of every fold.
    """

    format: Literal[1]
    data: DataInfo
    network: NetworkInfo = NetworkInfo()
    au_ids: tuple[int, ...]
    fold: int | None = None
    frames: int
    subjects: int
    threshold: Share | tuple[Share, ...] = 0.5
    pooled: Figures | None = None
    per_fold: Mapping[str, tuple[FiniteFloat | None, ...]] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.au_ids or set(self.f1_per_au) != set(self.au_ids):
            raise ValueError("f1_per_au and au_ids must name the same AUs")
        if isinstance(self.threshold, tuple) and len(self.threshold) != len(self.au_ids):
            raise ValueError("threshold must be one number, or one an AU")
        if self.data.au_set is not None and AU_SETS.get(self.data.au_set) != self.au_ids:
            raise ValueError(f"au_ids are not those of the AU set '{self.data.au_set}'")
        return self

    @property
    def threshold_text(self) -> str:
        """The threshold in words."""
        return "a threshold of its own" if isinstance(self.threshold, tuple) else f"threshold {self.threshold:g}"

    @property
    def whole(self) -> Figures:
        """The figures over all frames at once, whose intervals are the narrowest; of one fold, its own."""
        return self.pooled or self


def read_json(path: Path, remedy: str) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: The file cannot be read; the message ends in the remedy.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}); {remedy}") from None


def read_scores(folder: Path) -> Scores:
    """Read the scores of an evaluated folder.

    Raises:
        InputError: The folder has no scores.json, or a damaged one. The message names the file and the key.
    """
    path = folder / SCORES_FILE
    content = read_json(path, "evaluate the run again")
    try:
        return Scores.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        raise InputError(f"{path} is damaged at '{key}': {first['msg']}; evaluate the run again") from None
