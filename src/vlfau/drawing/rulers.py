"""Thin rulers over a face: what was measured of its active AUs."""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.pixels import font
from vlfau.inference.results import AUResult, FaceResult
from vlfau.measures.measuring import Measurement

__all__ = ["draw_rulers", "moves_down", "ruled"]

INK, RIM = (255, 255, 255), (0, 0, 0)
PLAIN_INK: Final = (255, 225, 77)
"""Of the lines on a small face, which a rim would cover."""
TICK, SMALL_TICK = 5, 2
FINENESS: Final = 4
"""Lines are drawn to a sixteenth of a pixel."""
TEXT_SIZE: Final = 13
MIN_FACE: Final = 240
"""Width of a face in the drawing, in pixels, from which rulers have a rim and carry their numbers."""
PER_AU: Final = 2


def ruled(face: FaceResult) -> Iterator[tuple[AUResult, Measurement]]:
    """Yield the measurements that rulers show: the most telling of every active AU, each once."""
    seen: set[str] = set()
    for au in face.active_aus:
        for each in au.measurements[:PER_AU]:
            if each.name not in seen:
                seen.add(each.name)
                yield au, each


def draw_rulers(pixels: NDArray[np.uint8], face: FaceResult, scale: float) -> None:
    """Draw the rulers of a face into a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB, changed in place.
        face: The face.
        scale: Pixels of the drawing per pixel of the file, along one side.
    """
    if face.measured is None:
        return
    labels: list[tuple[float, float, str]] = []
    is_large = (face.face_box_xyxy[2] - face.face_box_xyxy[0]) * scale >= MIN_FACE
    for _, each in ruled(face):
        for line, value in zip(face.measured.rulers(each.definition), _values(each), strict=True):
            points = np.array(line) * scale
            _draw_line(pixels, points, is_large=is_large)
            x, y = points.max(0)[0], points.mean(0)[1]
            labels.append((float(x) + TICK, float(y), f"{value:.{each.definition.digits}f}"))
    if is_large:
        _write(pixels, labels)


def _values(each: Measurement) -> tuple[float, ...]:
    return (each.value,) if each.right is None or each.left is None else (each.right, each.left)


def _draw_line(pixels: NDArray[np.uint8], points: NDArray[np.float64], *, is_large: bool) -> None:
    lines = [points]
    if len(points) == 2:  # An outline has no ends.
        along = points[1] - points[0]
        tick = TICK if is_large else SMALL_TICK
        across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-9) * tick
        lines += [np.stack([end - across, end + across]) for end in points]
    for colour, width in ((RIM, 3), (INK, 1)) if is_large else ((PLAIN_INK, 1),):
        for line in lines:
            fine = np.round(line * (1 << FINENESS)).astype(np.int32)
            cv2.polylines(pixels, [fine], False, colour, width, cv2.LINE_AA, FINENESS)


def _write(pixels: NDArray[np.uint8], labels: list[tuple[float, float, str]]) -> None:
    """Write numbers at places (x, y), further down where others stand already."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    text_font = font(TEXT_SIZE)
    labels = sorted(labels, key=lambda label: label[1])
    boxes = [draw.textbbox((x, y), text, font=text_font, anchor="lm", stroke_width=2) for x, y, text in labels]
    for (x, y, text), down in zip(labels, moves_down(boxes), strict=True):
        draw.text((x, y + down), text, fill=INK, font=text_font, anchor="lm", stroke_width=2, stroke_fill=RIM)
    pixels[:] = np.asarray(image)


def moves_down(boxes: Sequence[tuple[float, float, float, float]]) -> list[float]:
    """Return how far down each box must move to lie clear of those before it.

    Args:
        boxes: Left, top, right and bottom of each, from the top down.

    >>> moves_down([(0, 0, 20, 10), (5, 4, 25, 14), (30, 4, 50, 14)])
    [0.0, 6.0, 0.0]
    """
    taken: list[tuple[float, float, float, float]] = []
    moves: list[float] = []
    for left, top, right, bottom in boxes:
        down = 0.0
        for other_left, other_top, other_right, other_bottom in sorted(taken, key=lambda box: box[1]):
            beside = left >= other_right or other_left >= right
            if not beside and top + down < other_bottom and other_top < bottom + down:
                down = float(other_bottom - top)
        taken.append((left, top + down, right, bottom + down))
        moves.append(down)
    return moves
