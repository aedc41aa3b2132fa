"""Reads and checks a run's scores.json."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, ValidationError, model_validator

from vlfau.errors import InputError
from vlfau.evaluation.scores import SCORES_FILE
from vlfau.facs import AU_SETS

__all__ = ["DataInfo", "Figures", "Intervals", "Scores", "read_json", "read_scores"]

Share: TypeAlias = Annotated[FiniteFloat, Field(ge=0, le=1)]
PerAU: TypeAlias = Mapping[int, Share | None]
Interval: TypeAlias = tuple[Share, Share]


FITTED: Final[Mapping[str, str]] = {
    "held-out": ", fitted to subjects held out of training",
    "training-folds": ", fitted to the training folds",
    "other-manifest": ", fitted to other frames",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DataInfo(_Part):
    """The faces that were scored.

    Attributes:
        description: Description of the data from the run's configuration.
        synthetic: Whether the faces are synthetic.
        au_set: Name of the AU set in `facs.AU_SETS`, or None.
    """

    description: str = ""
    synthetic: bool
    au_set: str | None = None


class CalibrationInfo(_Part):
    """The subjects that a network's probabilities and thresholds were fitted to.

    Attributes:
        source: Source of the frames, as in `vlfau.evaluation.provenance.Calibration`.
        on_tested_people: Whether test subjects were among them.
    """

    source: str = "unknown"
    on_tested_people: bool = False


class NetworkInfo(_Part):
    """The network that was scored.

    Attributes:
        backbone: Name of the backbone.
        from_scratch: Whether the backbone started without ImageNet weights.
        epoch_choice: "last", "held-out" or "test-fold"; None if no fold was used. Earlier versions did not record it,
            and chose by the test fold.
        calibration: Calibration of the network; None if it is not calibrated.
    """

    backbone: str = ""
    from_scratch: bool | None = None
    epoch_choice: str | None = "test-fold"
    calibration: CalibrationInfo | None = None


class Intervals(_Part):
    """95 % intervals from a bootstrap over subjects."""

    f1_macro: Interval | None = None
    f1_per_au: Mapping[int, Interval | None] = {}


class Figures(_Part):
    """All scores of one set of predictions; scores that could not be computed are None or absent.

    Shares are between 0 and 1. `words`, `truth`, `counterfactuals` and `lost_frames` are as in scores.json; use
    `number` to read them.
    """

    f1_per_au: PerAU
    accuracy_per_au: PerAU = {}
    roc_auc_per_au: PerAU = {}
    average_precision_per_au: PerAU = {}
    ece_per_au: PerAU = {}
    f1_macro: Share | None
    f1_macro_zeros: Share | None = None
    accuracy_macro: Share | None = None
    f1_micro: Share | None = None
    roc_auc_macro: Share | None = None
    average_precision_macro: Share | None = None
    ece_macro: Share | None = None
    intervals: Intervals = Intervals()
    words: Mapping[str, JsonValue] = {}
    truth: Mapping[str, JsonValue] = {}
    counterfactuals: Mapping[str, JsonValue] = {}
    lost_frames: Mapping[str, JsonValue] = {}

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, content: object) -> object:
        """Treat parts that are null as absent."""
        if not isinstance(content, Mapping):
            return content
        parts = ("intervals", "words", "truth", "counterfactuals", "lost_frames", "pooled", "per_fold")
        parts += tuple(key for key in content if key.endswith("_per_au"))
        return {key: value for key, value in content.items() if value is not None or key not in parts}

    def number(self, name: str) -> float | None:
        """Return one number by its path, such as "f1_macro" or "counterfactuals.chance.x"; None if absent."""
        part, *entries = name.split(".")
        value = getattr(self, part)
        for entry in entries:
            value = value.get(entry) if isinstance(value, Mapping) else None
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    def per_au(self, measure: str) -> PerAU:
        """Return a measure per AU: one of the `_per_au` attributes, or an entry of `truth`."""
        found = getattr(self, measure, None) or self.truth.get(measure)
        if not isinstance(found, Mapping):
            return {}
        return {int(au_id): share if isinstance(share, int | float) else None for au_id, share in found.items()}


class Scores(Figures):
    """The content of a scores.json.

    Attributes:
        data: The faces.
        network: The network.
        au_ids: (N,) FACS numbers.
        fold: The test fold; None for the mean over folds.
        frames: Number of scored frames.
        subjects: Number of subjects.
        threshold: Probability from which an AU counts as active, one for all AUs or one per AU.
        threshold_source: "protocol" (0.5), "given" or "model"; empty in scores of earlier versions.
        without_positives: AUs that are never active in the test frames and so have no F1.
        pooled: Scores of a cross-validation, computed over the frames of all folds.
        per_fold: Some scores of a cross-validation for every fold.
    """

    format: Literal[1]
    data: DataInfo
    network: NetworkInfo = NetworkInfo()
    au_ids: tuple[int, ...]
    fold: int | None = None
    frames: int
    subjects: int
    threshold: Share | tuple[Share, ...] = 0.5
    threshold_source: str = ""
    without_positives: tuple[int, ...] = ()
    pooled: Figures | None = None
    per_fold: Mapping[str, tuple[FiniteFloat | None, ...]] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.au_ids or set(self.f1_per_au) != set(self.au_ids):
            raise ValueError("f1_per_au and au_ids must name the same AUs")
        if isinstance(self.threshold, tuple) and len(self.threshold) != len(self.au_ids):
            raise ValueError("threshold must be one number, or one per AU")
        if self.data.au_set is not None and AU_SETS.get(self.data.au_set) != self.au_ids:
            raise ValueError(f"au_ids are not those of the AU set '{self.data.au_set}'")
        return self

    @property
    def threshold_text(self) -> str:
        """The threshold as text, with its source if it is not the protocol's."""
        if not isinstance(self.threshold, tuple):
            return f"threshold {self.threshold:g}" + (" as given" if self.threshold_source == "given" else "")
        calibration = self.network.calibration
        fitted = FITTED.get(calibration.source, "") if calibration is not None else ""
        return f"a separate threshold per AU{fitted}"

    @property
    def whole(self) -> Figures:
        """The pooled scores, which have the narrowest intervals; without them, these scores."""
        return self.pooled or self


def read_json(path: Path, remedy: str) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: The file cannot be read; the message ends with the remedy.
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
        key = ".".join(map(str, first["loc"])) or "the file as a whole"
        raise InputError(f"{path} is damaged at '{key}': {first['msg']}; evaluate the run again") from None
