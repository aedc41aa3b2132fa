"""The result of one AU of one face."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import AUState, Side, predicted_state
from vlfau.measures.measuring import MeasuredFace, Measurement

__all__ = ["AUResult", "SideResult", "acting_side"]


@dataclass(frozen=True, slots=True)
class SideResult:
    """The prediction for one side of the face.

    The stronger side has the AU's own probability and intensity; the other side has less.

    Attributes:
        prob: Probability that the AU occurs on this side, 0 to 1.
        state: Whether it is active there.
        intensity: 0 to 5; None if the model predicts no intensities.
    """

    prob: float
    state: bool
    intensity: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as JSON-compatible data."""
        intensity = round(self.intensity, 2) if self.intensity is not None else None
        return {"prob": round(self.prob, 4), "state": self.state, "intensity": intensity}


def acting_side(left: SideResult | None, right: SideResult | None) -> Side | None:
    """Return the side on which an active AU acts; None if the sides are not told apart."""
    if left is None or right is None:
        return None
    if left.state and right.state:
        return Side.BOTH
    return Side.LEFT if left.state else Side.RIGHT


@dataclass(frozen=True, slots=True)
class AUResult:
    """The prediction for one AU of one face.

    Attributes:
        au_id: FACS number.
        name: FACS name.
        prob: Probability that the AU occurs, 0 to 1.
        state: Whether it is active: `prob` reaches the model's threshold for this AU.
        local_caption: Caption of the AU; None if not requested or the model has no captions.
        intensity: 0 to 5 (A = 1 to E = 5); None if the model predicts no intensities.
        attention_map: (H, W), spatial attention of the AU's branch over the crop.
        measured: Takes the measurements of the face; None if it has no crop.
        left: The subject's own left side; None if the AU has no sides, or the model does not tell them apart.
        right: The subject's own right side; None likewise.
        threshold: The model's threshold for this AU; None if unknown.
        doubtful: Whether its part of the face cannot be seen well enough: hidden, dark, blurred, small, or turned away.
        prob_causal: `prob` smoothed over the frames before; None unless a video was smoothed.
        prob_centred: `prob` smoothed over the frames before and after; None likewise.
        state_centred: Whether `prob_centred` reaches the threshold; None likewise.
    """

    au_id: int
    name: str
    prob: float
    state: bool
    local_caption: str | None = None
    intensity: float | None = None
    attention_map: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    prob_causal: float | None = None
    prob_centred: float | None = None
    state_centred: bool | None = None
    threshold: float | None = field(default=None, repr=False, compare=False)
    measured: MeasuredFace | None = field(default=None, repr=False, compare=False)
    left: SideResult | None = None
    right: SideResult | None = None
    doubtful: bool = False

    @property
    def side(self) -> Side | None:
        """The side on which an active AU acts; None if it is inactive or the sides are not told apart."""
        return acting_side(self.left, self.right) if self.state else None

    @property
    def label(self) -> str:
        """The usual abbreviation, such as `AU12`."""
        return f"AU{self.au_id}"

    @property
    def facs_state(self) -> AUState:
        """The state with its FACS level and side, which consistent captions say."""
        return predicted_state(self.au_id, self.state, self.intensity, self.side)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Distances, angles and folds that this AU moves, the most telling first; taken when first asked for.

        Empty if the head is turned too far.
        """
        return () if self.measured is None else self.measured.of_au(self.au_id)

    @property
    def measured_text(self) -> str | None:
        """A sentence about the most telling measurement; None without one.

        Such as "AU2: outer brows 0.41 of the eye distance, resting faces 0.24 to 0.33".
        """
        return next((f"{self.label}: {each.text}" for each in self.measurements), None)

    def to_dict(self, *, measurements: bool = False) -> dict[str, Any]:
        """Return everything but the attention map, as JSON-compatible data.

        Args:
            measurements: Whether to add the names of the AU's measurements and the sentence about the first.
        """
        content: dict[str, Any] = {
            "au_id": self.au_id,
            "name": self.name,
            "prob": round(self.prob, 4),
            "state": self.state,
            "intensity": round(self.intensity, 2) if self.intensity is not None else None,
            "local_caption": self.local_caption,
            **({"doubtful": True} if self.doubtful else {}),
            **{
                name: side.to_dict()
                for name, side in ((Side.LEFT.value, self.left), (Side.RIGHT.value, self.right))
                if side is not None
            },
        }
        if measurements:
            content["measurements"] = [each.name for each in self.measurements]
            content["measured_text"] = self.measured_text
        return content
