"""What would change the model's mind about an AU: the smallest movement of the face that flips its state.

The skin of the face is moved as the AU moves it, by more and more, until the model changes its answer (see
`vlfau.measures.warping`); the meshes of both pictures are measured. Folds and teeth are not drawn, so the model may
hold to an answer that it gives for those.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vlfau.errors import ConfigError
from vlfau.facs import MAX_INTENSITY, action_unit
from vlfau.inference.results import FaceResult
from vlfau.measures.geometry import frontal, size
from vlfau.measures.measuring import Measurement, crop_mesh
from vlfau.measures.warping import FaceWarper

if TYPE_CHECKING:
    from vlfau.inference.predictor import Predictor

__all__ = ["Change", "Counterfactual", "explain"]

COARSE: Final = 8
FINE: Final = 5
"""Pictures of each of the two searches: over five letters, and then between two of the first."""
SHOWN: Final = 2


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
        """The change in words, such as "the outer brows were 8 % of the eye distance lower"."""
        definition = self.measurement.definition
        change = self.value - self.measurement.value
        word = definition.words[0] if change > 0 else definition.words[1]
        return f"the {definition.label} were {definition.amount(abs(change))} {word}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible data."""
        before, after = (round(value, 4) for value in (self.measurement.value, self.value))
        return {"name": self.measurement.name, "from": before, "to": after, "text": self.text}


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What would flip the state of an AU of a face.

    Attributes:
        au_id: FACS number.
        state: Whether the model found the AU active.
        letters: Smallest change of the AU's intensity that flips the state, below 0 if it must be weaker; None if none
            of up to five letters does.
        changes: The measurements that this change moves most, the most telling first; empty without a flip, or if the
            head is turned too far.
    """

    au_id: int
    state: bool
    letters: float | None
    changes: tuple[Change, ...]

    @property
    def text(self) -> str:
        """The answer in words."""
        label, other = f"AU {self.au_id}", "inactive" if self.state else "active"
        if self.letters is None:
            way = "weaker" if self.state else "stronger"
            return (
                f"no {way} {label} would make it {other}, as far as skin can be moved in this picture; the model also "
                "looks at folds and shading"
            )
        if self.changes:
            return f"if {' and '.join(change.text for change in self.changes)}, {label} would be {other}"
        way = "weaker" if self.letters < 0 else "stronger"
        return f"if it were {abs(self.letters):.1f} letters {way}, {label} would be {other}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible data."""
        return {
            "au_id": self.au_id,
            "state": self.state,
            "letters": None if self.letters is None else round(self.letters, 2),
            "changes": [change.to_dict() for change in self.changes],
            "text": self.text,
        }


def explain(predictor: "Predictor", face: FaceResult, au_id: int) -> Counterfactual:
    """Return what would flip the state of an AU of a face.

    Takes about as long as the prediction of a dozen faces.

    Args:
        predictor: The model that gave the result.
        face: The result, with its crop.
        au_id: FACS number.

    Raises:
        UnknownAUError: The model does not predict this AU.
        ConfigError: The result has no crop.
    """
    state = face[au_id].state
    if not face.crop.size:
        raise ConfigError("the result has no crop of the face; use a result of Predictor.predict")
    mesh = crop_mesh(face.crop)
    warper = FaceWarper(face.crop, mesh.landmarks_xy, mesh.landmarks_z)
    column = predictor.au_ids.index(au_id)
    sign = -1.0 if state else 1.0

    def first_flip(amounts: list[float]) -> int | None:
        scores = predictor.score_crops(warper.moved(au_id, [sign * amount for amount in amounts]))
        flipped = np.flatnonzero(scores.au_states[:, column] != state)
        return int(flipped[0]) if len(flipped) else None

    coarse = np.linspace(0, MAX_INTENSITY, COARSE + 1)[1:].tolist()
    found = first_flip(coarse)
    if found is None:
        return Counterfactual(au_id, state, None, ())
    least = coarse[found - 1] if found else 0.0
    fine = np.linspace(least, coarse[found], FINE + 2)[1:-1].tolist()
    finer = first_flip(fine)
    letters = sign * (coarse[found] if finer is None else fine[finer])
    return Counterfactual(au_id, state, letters, _changes(face, au_id, warper, letters))


def _changes(face: FaceResult, au_id: int, warper: FaceWarper, letters: float) -> tuple[Change, ...]:
    """Measure the moved face; folds are left out, for moving skin changes none."""
    mesh = crop_mesh(warper.moved(au_id, [letters])[0])
    points = frontal(mesh.landmarks_xy, mesh.landmarks_z)
    found = []
    for each in face[au_id].measurements:
        definition = each.definition
        if definition.form.is_fold:
            continue
        sides = [size(definition, points, mirrored=mirrored) for mirrored in (False, True)[: 1 + definition.sided]]
        change = Change(each, sum(sides) / len(sides))
        moved_as_au = (change.value - each.value) * definition.aus[action_unit(au_id).number].sign * letters > 0
        if moved_as_au and definition.is_visible(change.value - each.value):
            found.append(change)
    return tuple(found[:SHOWN])
