"""Hair shells, headwear and glasses, fitted to a subject's head."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic import materials
from vlfau.synthetic.appearance import Appearance
from vlfau.synthetic.hair import HairCut, cut_hair
from vlfau.synthetic.head import load_head
from vlfau.synthetic.surface import Piece

__all__ = ["worn_pieces"]

SKULL: Final = np.array([0.0, 7.55, 0.45], np.float32)
"""Centre of the skull, about which shells are scaled, in decimetres."""
BRIDGE: Final = np.array([0.0, 7.33, 1.45])
UNDER_HAT: Final = 0.94
"""Largest volume of hair under a hat."""
CLOSE, EDGE = 0.905, 0.30
"""Volume at which hair touches the skin, and the distance from the edge over which it gets there, in decimetres."""
TUBE_SIDES: Final = 6
DOME: Final = np.array([0.84, 1.02, 1.06])
"""Semi-axes of a hat over the hair, in decimetres."""
DOME_ROWS, DOME_COLUMNS = 24, 48
VISOR_ROWS, VISOR_COLUMNS = 8, 25


def worn_pieces(points: NDArray[np.float32], appearance: Appearance, rng: np.random.Generator) -> list[Piece]:
    """Return the hair, headwear and glasses of a head.

    Args:
        points: (P, 3) points of the head at rest.
        appearance: The styles to wear.
        rng: Random generator for the shapes.
    """
    pieces = []
    cut = HairCut.sample(appearance.hair_style, rng)
    if cut is not None:
        volume = min(cut.volume, UNDER_HAT) if appearance.headwear != "none" else cut.volume
        pieces.append(_shell(points, volume, *cut_hair(cut, _shell_mean_points())))
    if appearance.headwear == "hood":
        pieces.append(_hood(points, rng))
    elif appearance.headwear != "none":
        pieces += _hat(points, appearance.headwear, rng)
    if appearance.glasses != "none":
        pieces += _glasses(points, appearance.glasses, rng)
    return pieces


def _shell_mean_points() -> NDArray[np.float32]:
    head = load_head()
    return head.mean[head.parts["hair"].points]


def _shell(
    points: NDArray[np.float32],
    volume: float,
    margins: NDArray[np.float32],
    strands: NDArray[np.float32],
) -> Piece:
    """Return the shell of hair, scaled about the skull; above the ears, its edges are close to the skin."""
    part = load_head().parts["hair"]
    mean_points = _shell_mean_points()
    thickness = np.clip(margins / EDGE, 0, 1) ** 0.7
    thickness = np.maximum(thickness, np.clip((7.2 - mean_points[:, 1]) / 0.2, 0, 1))
    scale = CLOSE + (volume - CLOSE) * thickness
    scaled = (points[part.points] - SKULL) * scale[:, None].astype(np.float32) + SKULL
    return Piece(scaled, mean_points, part.mesh, materials.HAIR, margins, strands)


def _hat(points: NDArray[np.float32], kind: str, rng: np.random.Generator) -> list[Piece]:
    front = rng.uniform(7.88, 8.00) if kind == "cap" else rng.uniform(7.68, 7.88)
    dome, mean_points = _dome(points, low=7.3)
    brim = front - 0.3 * np.clip(0.7 - mean_points[:, 2], 0, 1)
    pieces = [_cut(dome, mean_points, (mean_points[:, 1] - brim).astype(np.float32))]
    if kind == "cap":
        pieces.append(_visor(points, float(front)))
    return pieces


def _hood(points: NDArray[np.float32], rng: np.random.Generator) -> Piece:
    opening = HairCut(1.0, 4.0, False, float(rng.uniform(0.58, 0.70)), float(rng.uniform(7.85, 8.10)), 2.2, 0.0)
    dome, mean_points = _dome(points, low=5.2)
    margins, _ = cut_hair(opening, mean_points)
    return _cut(dome, mean_points, margins)


def _dome(points: NDArray[np.float32], low: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a dome over the hair that reaches down to `low`: fitted to a head, and on the mean head."""
    turns, rise = np.meshgrid(np.linspace(-np.pi, np.pi, DOME_COLUMNS), np.linspace(0, 1, DOME_ROWS))
    # The upper half is round, the lower half vertical.
    angle = np.clip(rise * 2 - 1, 0, 1) * np.pi / 2
    x, z = DOME[0] * np.cos(angle) * np.sin(turns), DOME[2] * np.cos(angle) * np.cos(turns)
    y = DOME[1] * np.sin(angle) - np.clip(1 - rise * 2, 0, 1) * (SKULL[1] - low)
    around = _as_points(x, y, z)
    return around * _size(points) + SKULL, around + SKULL


def _size(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the size of a skull relative to the mean skull, (3,)."""
    head = load_head()
    shell = head.parts["hair"].points
    own, mean = (np.ptp(form[shell][head.mean[shell, 1] > 7.5], axis=0) for form in (points, head.mean))
    return np.asarray(own / mean, np.float32)


def _cut(points: NDArray[np.float32], mean_points: NDArray[np.float32], margins: NDArray[np.float32]) -> Piece:
    clean = np.zeros((len(points), 2), np.float32)
    return Piece(points, mean_points, _grid(DOME_ROWS, DOME_COLUMNS), materials.FABRIC, margins, clean)


def _visor(points: NDArray[np.float32], height: float) -> Piece:
    """Return the visor of a cap whose brim is at `height` on the mean head."""
    turns, reach = np.meshgrid(np.linspace(-1.15, 1.15, VISOR_COLUMNS), np.linspace(0, 1, VISOR_ROWS))
    brim = np.sqrt(1 - ((height - SKULL[1]) / DOME[1]) ** 2)
    x = DOME[0] * brim * np.sin(turns)
    z = (DOME[2] * brim + 0.6 * reach) * np.cos(turns)
    y = height + 0.01 - SKULL[1] - 0.22 * reach - 0.15 * x**2 * reach
    fitted = _as_points(x, y, z) * _size(points) + SKULL
    return Piece.plain(fitted, _grid(VISOR_ROWS, VISOR_COLUMNS), materials.FABRIC)


def _glasses(points: NDArray[np.float32], kind: str, rng: np.random.Generator) -> list[Piece]:
    head = load_head()
    eyes = [points[head.parts[name].points].mean(0) for name in ("l-eye", "r-eye")]
    bridge = points[int(np.argmin(np.linalg.norm(head.mean - BRIDGE, axis=1)))]
    half_width, half_height = rng.uniform(0.24, 0.29), rng.uniform(0.15, 0.23)
    squareness = rng.uniform(2.0, 5.0)
    radius = {"thin": rng.uniform(0.006, 0.010), "thick": rng.uniform(0.012, 0.022), "sun": 0.014}[kind]
    plane = max(float(bridge[2]) + 0.03, float(eyes[0][2]) + 0.28)
    turns = np.linspace(0, 2 * np.pi, 33)[:-1]
    pieces = []
    inner_ends = []
    for eye in eyes:
        side = np.sign(eye[0])
        centre_x = side * max(abs(float(eye[0])), half_width + 0.05)
        across = np.sign(np.cos(turns)) * abs(np.cos(turns)) ** (2 / squareness)
        up = np.sign(np.sin(turns)) * abs(np.sin(turns)) ** (2 / squareness)
        x = centre_x + half_width * across
        y = float(eye[1]) - 0.02 + half_height * up
        rim = _as_points(x, y, plane - 0.35 * x**2)
        pieces.append(_tube(rim, radius, closed=True))
        if kind == "sun":
            pieces.append(_lens(rim))
        inner_ends.append([centre_x - side * half_width, float(eye[1]) + 0.03, plane])
        hinge = [centre_x + side * half_width, float(eye[1]) + 0.05, plane - 0.35 * (abs(centre_x) + half_width) ** 2]
        ear = [side * 0.74, float(eye[1]) + 0.02, 0.35]
        pieces.append(_tube(np.linspace(hinge, ear, 8).astype(np.float32), radius, closed=False))
    pieces.append(_tube(np.linspace(inner_ends[0], inner_ends[1], 6).astype(np.float32), radius, closed=False))
    return pieces


def _lens(rim: NDArray[np.float32]) -> Piece:
    points = np.concatenate([rim, rim.mean(0, keepdims=True)])
    count = len(rim)
    ring = np.arange(count)
    triangles = np.column_stack([ring, (ring + 1) % count, np.full(count, count)]).astype(np.int32)
    return Piece.plain(points, triangles, materials.LENS)


def _tube(path: NDArray[np.float32], radius: float, *, closed: bool) -> Piece:
    """Return a tube around a path (K, 3)."""
    along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    first = np.cross(along, [0.1, 0.2, 1.0])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    angles = np.arange(TUBE_SIDES) * 2 * np.pi / TUBE_SIDES
    ring = np.cos(angles)[:, None] * first[:, None] + np.sin(angles)[:, None] * second[:, None]
    points = (path[:, None] + radius * ring).reshape(-1, 3).astype(np.float32)
    return Piece.plain(points, _tube_triangles(len(path), closed=closed), materials.FRAME)


def _tube_triangles(length: int, *, closed: bool) -> NDArray[np.int32]:
    rows = np.arange(length if closed else length - 1)
    row, side = (index.ravel() for index in np.meshgrid(rows, np.arange(TUBE_SIDES), indexing="ij"))
    after, beside = (row + 1) % length, (side + 1) % TUBE_SIDES
    a, b = row * TUBE_SIDES + side, row * TUBE_SIDES + beside
    c, d = after * TUBE_SIDES + beside, after * TUBE_SIDES + side
    return np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])]).astype(np.int32)


def _grid(rows: int, columns: int) -> NDArray[np.int32]:
    """Return the triangles of a grid of points, row by row."""
    row, column = (index.ravel() for index in np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij"))
    a = row * columns + column
    return np.concatenate(
        [np.column_stack([a, a + 1, a + columns + 1]), np.column_stack([a, a + columns + 1, a + columns])]
    ).astype(np.int32)


def _as_points(x: NDArray[np.floating], y: NDArray[np.floating], z: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32)
