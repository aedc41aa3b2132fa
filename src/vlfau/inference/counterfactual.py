"""What would change the model's mind about an AU: the smallest movement of the face that flips its state.

A bundle may record how its scores follow the intensities of AUs on drawn faces (`scripts/measure_responses.py`). Then
two things give the letters of intensity that flip the state: the distance of this face's score from the threshold, and
the score's slope, which is found by moving the skin of this face a little as the AU moves it. The way in which the AU
moves the face (`vlfau.measures.warping`) turns letters into measurements.

For other models the skin of the face is moved as the AU moves it, by more and more, until the model changes its answer,
and the meshes of both pictures are measured. Folds and teeth are not drawn then, so a model may hold to an answer that
it gives for those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError, ConfigError
from vlfau.faces.pose import NUM_LANDMARKS
from vlfau.facs import MAX_INTENSITY
from vlfau.inference.au_scores import logit
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult
from vlfau.inference.score_parts import score_parts
from vlfau.measures.geometry import frontal, size
from vlfau.measures.measuring import Measurement, crop_mesh
from vlfau.measures.warping import FaceWarper, au_movements

if TYPE_CHECKING:
    from vlfau.inference.predictor import Predictor

__all__ = [
    "RESPONSES",
    "Change",
    "Counterfactual",
    "Response",
    "explain",
    "recorded_response",
    "root_of_ratio",
    "score_slope",
]

COARSE: Final = 8
FINE: Final = 5
"""Pictures of each of the two searches: over five letters, and then between two of the first."""
SHOWN: Final = 2
RESPONSES: Final = "letters_by_score"
"""Key in a bundle's `training`: by AU, the six numbers of a `Response`; four in earlier bundles."""
PROBES: Final = (1.0, 2.5)
"""Letters by which the skin is moved to find the slope of a score."""
LEAST_SLOPE: Final = 0.15
MOST_RATIO: Final = 15.0
"""In letters: what a distance over a slope counts at most, for a flat score tells nothing."""
_SIDES: Final = {2: ((0,), (1,)), 4: ((0, 1), (2, 3)), 6: ((0, 1, 4), (2, 3, 5))}
"""By the count of recorded numbers, the places of those below and above the threshold."""
SLOPES: Final = "logits_per_letter"
"""The same in earlier bundles: how far the logit rises in a letter below and above the threshold."""


@dataclass(frozen=True, slots=True)
class Response:
    """How many letters of intensity lie between a score and the flip of the state, for one AU.

    Scores flatten at both ends, so letters grow with the distance of the logit from the threshold and with its root.
    They also grow with the root of the distance over the slope, for scores of some faces rise faster than of others.

    Attributes:
        below: Letters for each unit of the distance of an inactive AU, 0 or more.
        root_below: Letters for each unit of its root.
        above: The same of an active AU.
        root_above: The same of an active AU.
        slope_below: Letters for each unit of `root_of_ratio` of an inactive AU.
        slope_above: The same of an active AU.
    """

    below: float
    root_below: float
    above: float
    root_above: float
    slope_below: float = 0.0
    slope_above: float = 0.0

    @property
    def uses_slope(self) -> bool:
        """Whether it needs the slope of the score."""
        return self.slope_below + self.slope_above > 0

    def letters(self, score: float, slope: float = 1.0, *, state: bool) -> float:
        """Return the change that flips a state, below 0 for an active AU.

        Args:
            score: The logit minus the threshold's.
            slope: How far the score of this face follows its moved skin (`score_slope`).
            state: Whether the AU is active.
        """
        distance, ratio = abs(score), root_of_ratio(score, slope)
        if state:
            return -(self.above * distance + self.root_above * sqrt(distance) + self.slope_above * ratio)
        return self.below * distance + self.root_below * sqrt(distance) + self.slope_below * ratio


def root_of_ratio(score: float, slope: float) -> float:
    """Return the root of a score's distance from the threshold over its slope, both within limits."""
    return sqrt(min(abs(score) / max(slope, LEAST_SLOPE), MOST_RATIO))


def score_slope(predictor: "Predictor", warper: FaceWarper, au_id: int, *, state: bool) -> float:
    """Return by how much an AU's logit follows the moved skin of a face, in a letter towards the flip.

    Args:
        predictor: The model.
        warper: The face.
        au_id: FACS number.
        state: Whether the AU is active; then the skin is moved back.
    """
    column, sign = predictor.au_ids.index(au_id), -1.0 if state else 1.0
    pictures = warper.moved(au_id, [0.0, *(sign * letters for letters in PROBES)])
    start, *moved = predictor.score_crops(pictures).vision.au_logits[:, column].tolist()
    return float(np.mean([sign * (logit - start) / letters for logit, letters in zip(moved, PROBES, strict=True)]))


@dataclass(frozen=True, slots=True)
class Change:
    """A measurement before and after the face was moved.

    Attributes:
        measurement: Before.
        value: After, in the same unit.
    """

    measurement: Measurement
    value: float

    @property
    def text(self) -> str:
        """The change in words, such as "the outer brows were about 8 % of the eye distance lower"."""
        definition = self.measurement.definition
        change = self.value - self.measurement.value
        word = definition.words[0] if change > 0 else definition.words[1]
        return f"the {definition.label} were about {definition.amount(abs(change))} {word}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible data."""
        before, after = (round(value, 4) for value in (self.measurement.value, self.value))
        return {"name": self.measurement.name, "from": before, "to": after, "text": self.text}


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What would flip the state of an AU of a face, and what the state rests on.

    Attributes:
        au_id: FACS number.
        state: Whether the model found the AU active.
        letters: Smallest change of the AU's intensity that flips the state, below 0 if it must be weaker; None if none
            of up to five letters does.
        changes: The measurements that this change moves most, the most telling first; empty without a flip, or if the
            head is turned too far.
        basis: Which parts of the network the score rests on, in words; empty if the bundle does not record it.
    """

    au_id: int
    state: bool
    letters: float | None
    changes: tuple[Change, ...]
    basis: str = ""

    @property
    def text(self) -> str:
        """The answer in words."""
        label, other = f"AU {self.au_id}", "inactive" if self.state else "active"
        if self.letters is None:
            way = "weaker" if self.state else "stronger"
            return f"no {way} {label}, up to five letters of intensity, would make it {other}"
        if self.changes:
            return f"if {' and '.join(change.text for change in self.changes)}, {label} would be {other}"
        way = "weaker" if self.letters < 0 else "stronger"
        return f"if it were about {abs(self.letters):.1f} letters of intensity {way}, {label} would be {other}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible data."""
        return {
            "au_id": self.au_id,
            "state": self.state,
            "letters": None if self.letters is None else round(self.letters, 2),
            "changes": [change.to_dict() for change in self.changes],
            "text": self.text,
            "basis": self.basis,
        }


def explain(predictor: "Predictor", face: FaceResult, au_id: int) -> Counterfactual:
    """Return what would flip the state of an AU of a face.

    Takes as long as the prediction of three faces with a record of the model's responses, and of a dozen without.

    Args:
        predictor: The model that gave the result.
        face: The result, with its crop.
        au_id: FACS number.

    Raises:
        UnknownAUError: The model does not predict this AU.
        ConfigError: The result has no crop.
        BundleError: The record of the model's responses is wrong.
    """
    au = face[au_id]
    if not face.crop.size:
        raise ConfigError("the result has no crop of the face; use a result of Predictor.predict")
    info = predictor.bundle.info
    column = info.au_ids.index(au_id)
    mesh = crop_mesh(face.crop)
    warper = FaceWarper(face.crop, mesh.landmarks_xy, mesh.landmarks_z)
    if (response := recorded_response(info, au_id)) is None:
        letters = _letters_by_moving(predictor, warper, au_id, column, state=au.state)
        mesh = mesh if letters is None else crop_mesh(warper.moved(au_id, [letters])[0])
        points = frontal(mesh.landmarks_xy, mesh.landmarks_z)
    else:
        score = float(logit(np.float64(au.prob)) - logit(np.float64(info.thresholds[column])))
        slope = score_slope(predictor, warper, au_id, state=au.state) if response.uses_slope else 1.0
        letters = response.letters(score, slope, state=au.state)
        points = frontal(mesh.landmarks_xy, mesh.landmarks_z)
        points[:NUM_LANDMARKS] += letters * au_movements()[au_id]
    if letters is None or abs(letters) > MAX_INTENSITY:
        return Counterfactual(au_id, au.state, None, (), _basis(info, au_id))
    changes = _changes(au.measurements, au_id, points, letters)
    return Counterfactual(au_id, au.state, letters, changes, _basis(info, au_id))


def _basis(info: BundleInfo, au_id: int) -> str:
    """Say which parts of the network decide about an AU; empty if the bundle does not record it."""
    if (parts := score_parts(info, au_id)) is None:
        return ""
    text = f"the score of AU {au_id} rests to {parts.text}"
    return text if parts.branch_decides else f"{text}; its heat map shows less than what decides"


def recorded_response(info: BundleInfo, au_id: int) -> Response | None:
    """Return how an AU's score tells the letters to the flip; None if the bundle does not record it.

    Raises:
        BundleError: The bundle's record is wrong.
    """
    for key, counts in ((RESPONSES, (6, 4)), (SLOPES, (2,))):
        record = info.training.get(key, {})
        if not isinstance(record, dict) or str(au_id) not in record:
            continue
        found = record[str(au_id)]
        if not (
            isinstance(found, list)
            and len(found) in counts
            and all(type(number) in {int, float} and number >= 0 for number in found)
            and all(sum(found[place] for place in side) > 0 for side in _SIDES[len(found)])
        ):
            raise BundleError(
                f"bundle {info.name}: training.{key} has {found!r} for AU {au_id}, expected {counts[0]} numbers of 0 "
                "or more, not 0 on one side of the threshold; write it again with scripts/measure_responses.py"
            )
        return Response(1 / found[0], 0.0, 1 / found[1], 0.0) if key == SLOPES else Response(*found)
    return None


def _letters_by_moving(
    predictor: "Predictor", warper: FaceWarper, au_id: int, column: int, *, state: bool
) -> float | None:
    """Return the smallest change, in letters, of an AU whose movement flips its state; None if none does."""
    sign = -1.0 if state else 1.0

    def first_flip(amounts: list[float]) -> int | None:
        scores = predictor.score_crops(warper.moved(au_id, [sign * amount for amount in amounts]))
        flipped = np.flatnonzero(scores.au_states[:, column] != state)
        return int(flipped[0]) if len(flipped) else None

    coarse = np.linspace(0, MAX_INTENSITY, COARSE + 1)[1:].tolist()
    found = first_flip(coarse)
    if found is None:
        return None
    least = coarse[found - 1] if found else 0.0
    fine = np.linspace(least, coarse[found], FINE + 2)[1:-1].tolist()
    finer = first_flip(fine)
    return sign * float(coarse[found] if finer is None else fine[finer])


def _changes(
    measurements: Sequence[Measurement], au_id: int, points: NDArray[np.float64], letters: float
) -> tuple[Change, ...]:
    """Measure the moved face (468 or more, 2); folds are left out, for moving skin changes none."""
    found = []
    for each in measurements:
        definition = each.definition
        if definition.form.is_fold:
            continue
        sides = [size(definition, points, mirrored=mirrored) for mirrored in (False, True)[: 1 + definition.sided]]
        change = Change(each, sum(sides) / len(sides))
        moved_as_au = (change.value - each.value) * definition.aus[au_id].sign * letters > 0
        if moved_as_au and definition.is_visible(change.value - each.value):
            found.append(change)
    return tuple(found[:SHOWN])
