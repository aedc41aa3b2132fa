"""Pictures of a face in which an AU is stronger or weaker: its skin is moved as the AU moves it.

How far every landmark moves with an AU is measured on drawn faces (`scripts/measure_movements.py`), and the pixels
between the landmarks follow smoothly. No skin is folded and no teeth are drawn: only a gap that opens between the lips
is painted dark.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.faces.pose import NUM_LANDMARKS, estimate_pose
from vlfau.facs import all_au_ids
from vlfau.measures.geometry import EYES, eye_distance

__all__ = ["FaceWarper", "au_movements", "read_movements"]

MAX_MOVE: Final = 0.5
"""Of a landmark in a letter of intensity, in distances between the eyes: the data file is wrong beyond."""
COLUMNS: Final = ["au", "landmark", "right", "down"]
GRID: Final = 4
"""Pixels between the points at which the movement is computed; those between follow."""
STEPS: Final = 4
SMOOTHNESS: Final = 1e-4
"""How far the movement may miss that of a landmark, so that opposite moves of lips that touch have a solution."""
INNER_LIPS: Final = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
UPPER, LOWER = [82, 13, 312], [87, 14, 317]
"""Middles of the edges between which the mouth opens."""
CLOSED, OPENED = 0.07, 0.02
"""Largest gap of closed lips, and by how much it must grow to be painted, in distances between the eyes."""
SHADE: Final = 0.2
"""Brightness of an opened mouth as a share of the lips'."""


def read_movements(path: Path | None = None) -> Mapping[int, NDArray[np.float64]]:
    """Read how far each AU moves the landmarks in a letter of intensity.

    Args:
        path: The file; None reads the package's own.

    Returns:
        (468, 2) by FACS number, in distances between the eyes, to the picture's right and down on a frontal face.

    Raises:
        ConfigError: The file cannot be read, or a line is wrong.
    """
    name = str(path or "movements.csv")
    source = path or resources.files("vlfau.measures").joinpath("data/movements.csv")
    moves = {au_id: np.zeros((NUM_LANDMARKS, 2)) for au_id in all_au_ids()}
    seen: set[int] = set()
    try:
        lines = [line for line in source.read_text("utf-8").splitlines() if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} is not a readable CSV file ({error}); correct it") from None
    if next(csv.reader(lines[:1]), []) != COLUMNS:
        raise ConfigError(
            f"{name} has not the columns {', '.join(COLUMNS)}; write it with scripts/measure_movements.py"
        )
    for cells in csv.reader(lines[1:]):
        try:
            au_id, landmark, *move = int(cells[0]), int(cells[1]), float(cells[2]), float(cells[3])
        except (ValueError, IndexError):
            raise ConfigError(
                f"{name}: expected two whole numbers and two numbers, found {cells}; correct it"
            ) from None
        limit = max(abs(part) for part in move)
        if au_id not in moves or landmark not in range(NUM_LANDMARKS) or not math.isfinite(limit) or limit > MAX_MOVE:
            raise ConfigError(
                f"{name}: expected an AU, a landmark and moves of at most {MAX_MOVE}, found {cells}; correct it"
            )
        moves[au_id][landmark] = move
        seen.add(au_id)
    if lacking := sorted(moves.keys() - seen):
        raise ConfigError(f"{name} lacks AU {lacking[0]}; write it with scripts/measure_movements.py")
    return MappingProxyType(moves)


@cache
def au_movements() -> Mapping[int, NDArray[np.float64]]:
    """Return how far each AU moves the landmarks in a letter of intensity; see `read_movements`."""
    return read_movements()


class FaceWarper:
    """Moves the skin of an aligned face.

    Args:
        crop: (S, S, 3) uint8 RGB, the aligned face.
        landmarks_xy: (468 or more, 2), in pixels of it.
        landmarks_z: Their depth.
    """

    def __init__(
        self, crop: NDArray[np.uint8], landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating]
    ) -> None:
        self._crop = crop
        self._points = landmarks_xy[:NUM_LANDMARKS].astype(np.float64)
        pose = estimate_pose(self._points, landmarks_z[:NUM_LANDMARKS])
        right, left = (self._points[corners].mean(0) for corners in EYES)
        angle = np.arctan2(*(left - right)[::-1])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shortened = np.diag(np.cos(np.radians([pose.yaw, pose.pitch])))
        self._to_pixels = eye_distance(self._points) / max(float(shortened[0, 0]), 0.5) * turn @ shortened
        side = len(crop)
        edge = np.linspace(0, side - 1, 6)
        border = [(x, y) for x in edge for y in edge if {x, y} & {0.0, side - 1.0}]
        self._fixed = np.array(border)
        middles = np.arange(0, side + GRID, GRID, dtype=np.float64)
        self._grid = np.stack(np.meshgrid(middles, middles), -1)  # (G, G, 2), x and y
        self._pixels = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).astype(np.float32)

    def moved(self, au_id: int, letters: Sequence[float]) -> NDArray[np.uint8]:
        """Return the face with an AU that is stronger by some letters of intensity, or weaker if below 0.

        Args:
            au_id: FACS number.
            letters: One change for every picture.

        Returns:
            (B, S, S, 3) uint8 RGB.
        """
        move = au_movements()[au_id] @ self._to_pixels.T  # (468, 2)
        field = self._interpolated(move)
        return np.stack([self._warped(field, change, self._points + change * move) for change in letters])

    def _warped(self, field: NDArray[np.float32], change: float, points: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return the picture in which a pixel p of this one has moved to p + change * field(p)."""
        source = self._pixels
        for _ in range(STEPS):  # A pixel q comes from q - change * field(p), and p is found step by step.
            there = cv2.remap(field, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            source = self._pixels - np.float32(change) * there
        warped = cv2.remap(
            self._crop, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return self._with_open_mouth(np.asarray(warped, np.uint8), points)

    def _interpolated(self, move: NDArray[np.float64]) -> NDArray[np.float32]:
        """Interpolate moves (468, 2) by a thin plate (Bookstein, TPAMI 1989), to (S, S, 2)."""
        side = float(len(self._crop))
        known = np.concatenate([self._points, self._fixed]) / side
        count = len(known)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = _plate(known, known) + SMOOTHNESS * np.eye(count)
        flat = np.column_stack([np.ones(count), known])
        system[:count, count:], system[count:, :count] = flat, flat.T
        wanted = np.zeros((count + 3, 2))
        wanted[: len(move)] = move
        weights = np.linalg.solve(system, wanted)
        asked = self._grid.reshape(-1, 2) / side
        found = _plate(asked, known) @ weights[:count] + np.column_stack([np.ones(len(asked)), asked]) @ weights[count:]
        grid = found.reshape(self._grid.shape).astype(np.float32)
        return cv2.remap(grid, self._pixels[..., 0] / GRID, self._pixels[..., 1] / GRID, cv2.INTER_LINEAR)  # type: ignore[return-value]

    def _with_open_mouth(self, warped: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Paint a gap that opened between lips that touched."""
        unit = eye_distance(self._points)
        before, after = (float((where[LOWER] - where[UPPER])[:, 1].mean()) / unit for where in (self._points, points))
        if before > CLOSED or after < before + OPENED:
            return warped
        mask = np.zeros(warped.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(points[INNER_LIPS] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        opacity = (mask / 255.0)[..., None]
        lips = warped[mask > 0].mean(0) if (mask > 0).any() else np.zeros(3)
        return np.asarray(warped * (1 - opacity) + SHADE * lips * opacity + 0.5, np.uint8)


def _plate(asked: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the thin plate's kernel between points (Q, 2) and (P, 2), (Q, P)."""
    squares = np.square(asked[:, None] - known[None]).sum(2)
    return np.asarray(squares * np.log(np.maximum(squares, 1e-12)), np.float64)
