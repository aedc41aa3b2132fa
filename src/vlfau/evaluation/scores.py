"""`scores.json`: all scores of a network, with a description of the data and the network."""

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, PrivateAttr, ValidationError, model_validator

from vlfau.errors import InputError
from vlfau.facs import AU_SETS
from vlfau.files.atomic import replacing
from vlfau.files.records import parse_json

__all__ = [
    "SCORES_FILE",
    "CalibrationInfo",
    "DataInfo",
    "Figures",
    "Intervals",
    "NetworkInfo",
    "Scores",
    "read_scores",
    "write_json",
]

FORMAT = 1
SCORES_FILE = "scores.json"
DIGITS = 6

Share: TypeAlias = Annotated[FiniteFloat, Field(ge=0, le=1)]
PerAU: TypeAlias = Mapping[int, Share | None]
Interval: TypeAlias = tuple[Share, Share]


FITTED: Final[Mapping[str, str]] = {
    "held-out": ", fitted to people held out of training",
    "training-folds": ", fitted to the training folds",
    "other-manifest": ", fitted to other frames",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DataInfo(_Part):
    """The scored faces.

    Attributes:
        description: Description of the data, from the configuration.
        synthetic: Whether the faces are synthetic.
        au_set: Name of the AU set in `facs.AU_SETS`, or None.
    """

    description: str = ""
    synthetic: bool
    au_set: str | None = None


class CalibrationInfo(_Part):
    """The people on whom a network's probabilities and thresholds were fitted.

    Attributes:
        source: As in `vlfau.evaluation.provenance.Calibration`.
        frames: Number of frames.
        subjects: Number of people; 0 if their names are unknown.
        folds: Their folds in the manifest; empty if it has none.
        on_tested_people: Whether they include test subjects.
    """

    source: str = "unknown"
    frames: int = 0
    subjects: int = 0
    folds: tuple[int, ...] = ()
    on_tested_people: bool = False


class NetworkInfo(_Part):
    """The scored network.

    Attributes:
        trained_on: Its training data.
        trained_on_synthetic: Whether these are synthetic; None if unknown.
        from_scratch: Whether its backbone started without ImageNet weights; None if unknown.
        backbone: The name of its backbone.
        epoch_choice: "last", "held-out" or "test-fold"; None if no fold was used to choose. Earlier versions, which did
            not record it, used the test fold.
        calibration: The people on whom it was calibrated; None if it was not.
        trained_on_tested: Whether, judging by their number, the tested frames include the training frames.
    """

    trained_on: str = ""
    trained_on_synthetic: bool | None = None
    from_scratch: bool | None = None
    backbone: str = ""
    epoch_choice: str | None = "test-fold"
    calibration: CalibrationInfo | None = None
    trained_on_tested: bool = False


class Intervals(_Part):
    """95 % intervals from a bootstrap over subjects."""

    f1_macro: Interval | None = None
    f1_per_au: Mapping[int, Interval | None] = {}


class Figures(_Part):
    """All scores of one set of predictions; None or absent if they could not be computed.

    Shares run from 0 to 1, correlations (ICC) from -1, intensities from 0 to 5. `words`, `truth`, `counterfactuals` and
    `lost_frames` are as in scores.json; `number` reads them.
    """

    f1_per_au: PerAU
    accuracy_per_au: PerAU = {}
    roc_auc_per_au: PerAU = {}
    average_precision_per_au: PerAU = {}
    ece_per_au: PerAU = {}
    intensity_icc_per_au: Mapping[int, FiniteFloat | None] = {}
    intensity_mae_per_au: Mapping[int, FiniteFloat | None] = {}
    f1_macro: Share | None
    f1_macro_zeros: Share | None = None
    accuracy_macro: Share | None = None
    f1_micro: Share | None = None
    roc_auc_macro: Share | None = None
    average_precision_macro: Share | None = None
    ece_macro: Share | None = None
    intensity_icc_macro: FiniteFloat | None = None
    intensity_mae_macro: FiniteFloat | None = None
    intervals: Intervals = Intervals()
    words: Mapping[str, JsonValue] = {}
    truth: Mapping[str, JsonValue] = {}
    counterfactuals: Mapping[str, JsonValue] = {}
    lost_frames: Mapping[str, JsonValue] = {}

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, content: object) -> object:
        """Treat null parts as absent."""
        if not isinstance(content, Mapping):
            return content
        parts = ("intervals", "words", "truth", "counterfactuals", "lost_frames", "pooled", "per_fold")
        parts += tuple(key for key in content if key.endswith("_per_au"))
        return {key: value for key, value in content.items() if value is not None or key not in parts}

    def number(self, name: str) -> float | None:
        """Return one number: an attribute, or an entry of one at any depth, such as "counterfactuals.chance.x"."""
        part, *entries = name.split(".")
        value = getattr(self, part)
        for entry in entries:
            value = value.get(entry) if isinstance(value, Mapping) else None
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

    def per_au(self, measure: str) -> PerAU:
        """Return a measure of every AU: one of the `_per_au` attributes, or of `truth`."""
        found = getattr(self, measure, None) or self.truth.get(measure)
        if not isinstance(found, Mapping):
            return {}
        return {int(au_id): share if isinstance(share, int | float) else None for au_id, share in found.items()}


class Scores(Figures):
    """The content of a scores.json.

    Attributes:
        data: The faces.
        network: The network.
        evaluation: Extent of the evaluation, as in `vlfau.evaluation.tested.Scope`; empty in scores of earlier
            versions.
        au_ids: (N,) FACS numbers.
        fold: Test fold; None for the mean over folds.
        frames: Number of scored frames.
        subjects: Number of people.
        threshold: Probability from which an AU counts as active: one for all AUs, or one per AU.
        threshold_source: "protocol" (0.5), "given" or "model"; empty in scores of earlier versions.
        without_positives: AUs that are never active in the tested frames, and so have no F1.
        pooled: For a cross-validation: scores over the frames of all folds together.
        per_fold: For a cross-validation: scores of each fold.
    """

    format: Literal[1]
    data: DataInfo
    network: NetworkInfo = NetworkInfo()
    evaluation: Mapping[str, JsonValue] = {}
    au_ids: tuple[int, ...]
    fold: int | None = None
    frames: int
    subjects: int
    threshold: Share | tuple[Share, ...] = 0.5
    threshold_source: str = ""
    without_positives: tuple[int, ...] = ()
    pooled: Figures | None = None
    per_fold: Mapping[str, tuple[FiniteFloat | None, ...]] = {}
    _content: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Check the content of a scores.json.

        Raises:
            pydantic.ValidationError: It is invalid.
        """
        scores = cls.model_validate(content)
        scores._content = content
        return scores

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the scores.json, with ordered keys."""
        return copy.deepcopy(dict(self._content))

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
        return f"a threshold of its own{fitted}"

    @property
    def whole(self) -> Figures:
        """The scores over all frames together, which have the narrowest intervals; for one fold, its own."""
        return self.pooled or self


def plain(value: Any) -> Any:
    """Return scores as JSON-compatible data: keys are strings, numbers are rounded, NaN is null."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of this package's format whole or not at all.

    Raises:
        InputError: The file can't be written.
    """
    text = json.dumps(plain({"format": FORMAT, **content}), indent=2, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_scores(folder: Path) -> Scores:
    """Read the scores of an evaluated folder.

    Raises:
        InputError: The folder has no scores.json, or it is damaged; the message names the file and the key.
    """
    path = folder / SCORES_FILE
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("format") not in (None, FORMAT):
            raise InputError(f"{path} is of another format than {FORMAT}; evaluate the run again")
        return Scores.from_dict(content)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}); evaluate the run first") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        raise InputError(f"{path} is damaged at '{key}': {first['msg']}; evaluate the run again") from None
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); remove it, and evaluate the run again") from None
