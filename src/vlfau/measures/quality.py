"""Whether a face can be read: how much of it is visible, how large, sharp and light it is, and how far it is turned.

The visible shares come from a small network that sees the colours and edges of the aligned face on a coarse grid,
against the face's own typical colour. Drawn occluders, masks, sunglasses, hair and cut pictures taught it
(`scripts/teach_visibility.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.faces.pose import HeadPose
from vlfau.facs import action_unit
from vlfau.measures.geometry import MIN_BRIGHTNESS

__all__ = ["FaceQuality", "Network", "grid_features", "network"]

GRID: Final = 12
"""Cells along a side of the crop."""
FACE_ROWS, FACE_COLUMNS = slice(3, 11), slice(3, 9)
"""The cells that are face in every aligned crop; their median is the face's typical colour."""
WEIGHTS: Final = "visibility.npz"
_GREY: Final = np.array([[0.299, 0.587, 0.114]], np.float32)
_BLACK: Final = 3
"""Brightest value of a pixel outside the picture, of 255."""

LEAST_SIDE: Final = 64
"""Side of a crop, in pixels, from which the visible shares are estimated."""
LEAST_VISIBLE: Final = 0.7
"""Visible share of a half of the face below which its AUs are doubtful."""
MAX_TURN: Final = HeadPose(yaw=45.0, pitch=35.0, roll=180.0)
MIN_EYES: Final = 12.0
"""Distance between the eyes, in pixels of the picture."""
MIN_SHARPNESS: Final = 0.02
LIGHT: Final = (0.08, 0.97)
"""Brightness of the face, from black (0) to white (1)."""
GOOD_EYES, GOOD_SHARPNESS, GOOD_LIGHT = 40.0, 0.06, 0.25
"""Values from which quality no longer rises."""
UPPER_REGIONS: Final = frozenset({"brow", "eye", "cheek"})
BOTH_HALVES: Final = frozenset({9})
"""AUs whose signs lie in both halves of the face."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How well a face can be read.

    Attributes:
        upper_visible: Visible share of brows and eyes, 0 to 1.
        lower_visible: Visible share of the face below them, 0 to 1.
        sharpness: Contrast of fine detail, as a share of the brightness.
        brightness: Of the face, 0 (black) to 1 (white).
        eye_distance_px: Distance between the eyes, in pixels of the picture.
        pose: Of the head.
    """

    upper_visible: float
    lower_visible: float
    sharpness: float
    brightness: float
    eye_distance_px: float
    pose: HeadPose

    @classmethod
    def of(cls, crop: NDArray[np.uint8], eye_distance_px: float, pose: HeadPose) -> "FaceQuality":
        """Judge an aligned face.

        Args:
            crop: (S, S, 3) uint8 RGB; one of less than 64 pixels shows too little to say what is hidden.
            eye_distance_px: Distance between the eyes, in pixels of the picture.
            pose: Of the head.
        """
        upper, lower = network()(grid_features(crop)) if len(crop) >= LEAST_SIDE else (1.0, 1.0)
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
        face = grey[_part(len(crop), FACE_ROWS), _part(len(crop), FACE_COLUMNS)]
        brightness = float(face.mean())
        fine = face - cv2.GaussianBlur(face, (0, 0), max(len(crop) / 80, 0.5))
        sharpness = float(fine.std()) / max(brightness, MIN_BRIGHTNESS)
        return cls(upper, lower, sharpness, brightness / 255, eye_distance_px, pose)

    @property
    def is_readable(self) -> bool:
        """Whether size, sharpness, light and pose allow any answer."""
        return (
            self.eye_distance_px >= MIN_EYES
            and self.sharpness >= MIN_SHARPNESS
            and LIGHT[0] <= self.brightness <= LIGHT[1]
            and abs(self.pose.yaw) <= MAX_TURN.yaw
            and abs(self.pose.pitch) <= MAX_TURN.pitch
        )

    @property
    def reason(self) -> str:
        """Why AUs are doubtful, in words; empty if none is.

        >>> FaceQuality(1.0, 0.2, 0.1, 0.5, 60.0, HeadPose(0.0, 0.0, 0.0)).reason
        'the lower face is hidden'
        """
        hidden = [
            name
            for name, visible in (("upper", self.upper_visible), ("lower", self.lower_visible))
            if visible < LEAST_VISIBLE
        ]
        signs = (
            (self.eye_distance_px < MIN_EYES, "the face is too small"),
            (self.brightness < LIGHT[0], "the face is too dark"),
            (self.brightness > LIGHT[1], "the face is too bright"),
            (self.sharpness < MIN_SHARPNESS, "the face is blurred"),
            (not self.is_readable, "the head is turned too far"),
            (len(hidden) > 1, "the face is hidden"),
            (len(hidden) == 1, f"the {''.join(hidden)} face is hidden"),
        )
        return next((words for is_so, words in signs if is_so), "")

    @property
    def quality(self) -> float:
        """The weakest of all, 0 (cannot be read) to 1: visible shares, size, sharpness, light, and pose."""
        turn = max(abs(self.pose.yaw) / MAX_TURN.yaw, abs(self.pose.pitch) / MAX_TURN.pitch)
        parts = (
            self.upper_visible,
            self.lower_visible,
            self.eye_distance_px / GOOD_EYES,
            self.sharpness / GOOD_SHARPNESS,
            self.brightness / GOOD_LIGHT,
            2 - 2 * turn,
        )
        return float(np.clip(min(parts), 0, 1))

    def doubtful(self, au_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the AUs whose part of the face cannot be seen well enough."""
        return tuple(au_id for au_id in au_ids if not self.is_readable or self._visible(au_id) < LEAST_VISIBLE)

    def _visible(self, au_id: int) -> float:
        if au_id in BOTH_HALVES:
            return min(self.upper_visible, self.lower_visible)
        return self.upper_visible if action_unit(au_id).region in UPPER_REGIONS else self.lower_visible

    def to_dict(self, au_ids: Sequence[int]) -> dict[str, Any]:
        """Return it as JSON-compatible data.

        Args:
            au_ids: The AUs of which the doubtful ones are listed.
        """
        return {
            "quality": round(self.quality, 3),
            "upper_visible": round(self.upper_visible, 3),
            "lower_visible": round(self.lower_visible, 3),
            "sharpness": round(self.sharpness, 4),
            "brightness": round(self.brightness, 3),
            "eye_distance_px": round(self.eye_distance_px, 1),
            "doubtful_aus": list(self.doubtful(au_ids)),
        }


def grid_features(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the network sees of an aligned face (S, S, 3): colours and edges of GRID x GRID cells, (F,).

    Colours are relative to the median of the cells in the middle of the face, so that skin is near 0 in any light. The
    fourth value of a cell is the strength of its edges, the fifth whether it is black, as outside the picture.
    """
    small = cv2.resize(crop, (8 * GRID, 8 * GRID), interpolation=cv2.INTER_AREA)
    fine = small.astype(np.float32)
    fine *= np.float32(1 / 255)
    red, _, blue = cv2.split(fine)
    grey = np.asarray(cv2.transform(fine, _GREY), np.float32)
    black = cv2.inRange(small, (0, 0, 0), (_BLACK,) * 3).astype(np.float32)
    cells = [
        cv2.resize(channel, (GRID, GRID), interpolation=cv2.INTER_AREA)
        for channel in (grey, red, blue, _edges(grey), black)
    ]
    features = np.dstack([cells[0], cells[1] - cells[0], cells[2] - cells[0], cells[3], cells[4] / 255])
    face = features[FACE_ROWS, FACE_COLUMNS, :3].reshape(-1, 3)
    middle = (len(face) - 1) // 2, len(face) // 2
    typical = np.partition(face, middle, axis=0)[list(middle)].mean(0)  # The median, in a fifth of the time.
    features[..., :3] -= typical
    features[..., :4] = np.clip(features[..., :4] / max(float(typical[0]), 0.05), -3, 3)
    return np.asarray(features.ravel(), np.float32)


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of the gradient of a picture, as `numpy.gradient` has it, in a fifth of its time."""
    padded = cv2.copyMakeBorder(grey, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    across = np.asarray(cv2.subtract(padded[1:-1, 2:], padded[1:-1, :-2]), np.float32)
    down = np.asarray(cv2.subtract(padded[2:, 1:-1], padded[:-2, 1:-1]), np.float32)
    across[:, 1:-1] /= 2  # At the border, the difference is over one pixel.
    down[1:-1] /= 2
    return np.asarray(cv2.magnitude(across, down), np.float32)


class Network:
    """A perceptron with two hidden layers and two outputs between 0 and 1.

    Args:
        weights: Arrays `w0`, `b0`, `w1`, `b1`, `w2`, `b2` (inputs first), and `centre` and `spread` of the features.

    Raises:
        ConfigError: An array is missing or has the wrong shape.
    """

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        features = GRID * GRID * 5
        try:
            sizes = [features, weights["b0"].size, weights["b1"].size, 2]
            fit = all(
                weights[f"w{n}"].shape == (sizes[n], sizes[n + 1]) and weights[f"b{n}"].shape == (sizes[n + 1],)
                for n in range(3)
            ) and all(weights[name].shape == (features,) for name in ("centre", "spread"))
        except KeyError as error:
            raise ConfigError(f"{WEIGHTS} lacks {error}; write it with scripts/teach_visibility.py") from None
        if not fit or not all(np.isfinite(array).all() for array in weights.values()):
            raise ConfigError(f"{WEIGHTS} has other arrays than expected; write it with scripts/teach_visibility.py")
        self._weights = weights

    def __call__(self, features: NDArray[np.float32]) -> tuple[float, float]:
        """Return the visible shares of the upper and the lower face."""
        weights = self._weights
        values = (features - weights["centre"]) / weights["spread"]
        for layer in range(2):
            values = np.maximum(values @ weights[f"w{layer}"] + weights[f"b{layer}"], 0)
        upper, lower = 1 / (1 + np.exp(-(values @ weights["w2"] + weights["b2"])))
        return float(upper), float(lower)


@cache
def network() -> Network:
    """Return the network that sees how much of a face is visible."""
    with resources.files("vlfau.measures").joinpath("data", WEIGHTS).open("rb") as file, np.load(file) as arrays:
        return Network({name: arrays[name].astype(np.float32) for name in arrays.files})


def _part(side: int, cells: slice) -> slice:
    return slice(cells.start * side // GRID, cells.stop * side // GRID)
