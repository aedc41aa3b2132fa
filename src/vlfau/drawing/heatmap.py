"""Where the model looked for an AU, as a heat map over the face."""

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.panel import BACKGROUND, font
from vlfau.errors import ConfigError
from vlfau.faces import CropGeometry, alignment_matrix
from vlfau.faces.warp import apply_affine, invert_affine
from vlfau.inference.results import AUResult, FaceResult
from vlfau.media.images import Picture
from vlfau.media.pixels import as_picture

__all__ = ["draw_heatmap", "draw_heatmap_on_picture", "draw_heatmap_sheet"]

_COLOURS: Final = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO).reshape(256, 3)[:, ::-1]
_STRONGEST: Final = 0.72  # How much of the face the hottest place hides.
_MARGIN: Final = 12
_LEGEND_HEIGHT: Final = 46
_INK: Final = "#1b2430"

Limits = tuple[float, float]


def draw_heatmap(
    face: FaceResult, au_id: int, *, size: int = 320, limits: Limits | None = None, legend: bool = True
) -> NDArray[np.uint8]:
    """Draw the aligned face with the heat of one AU over it, and the scale of its colours below.

    Args:
        face: A face with its crop and attention maps.
        au_id: FACS number.
        size: Side of the face in the drawing, in pixels.
        limits: The attention of the coldest and the hottest colour; None takes the map's own smallest and largest
            value, so that every map uses all colours. Give the same limits to compare AUs.
        legend: Whether to draw the scale.

    Returns:
        (H, size, 3) uint8 RGB, `H` being `size` and the height of the legend.

    Raises:
        ConfigError: The face has no such AU, or no crop or attention maps.
    """
    attention = _attention(face, au_id)
    low, high = limits or _range(attention)
    crop = cv2.resize(_crop(face), (size, size), interpolation=cv2.INTER_CUBIC)
    drawing = _blended(np.asarray(crop, np.uint8), _heat(attention, (low, high), size))
    return np.vstack([drawing, _legend(size, low, high)]) if legend else drawing


def draw_heatmap_on_picture(
    picture: Picture | NDArray[np.uint8],
    face: FaceResult,
    au_id: int,
    geometry: CropGeometry,
    *,
    limits: Limits | None = None,
    legend: bool = True,
) -> NDArray[np.uint8]:
    """Lay the heat of one AU over the face in its picture; the rest of the picture stays as it is.

    Args:
        picture: The picture in which the face was found, or its pixels: (H, W, 3) uint8 RGB.
        face: The face, with its landmarks and attention maps.
        au_id: FACS number.
        geometry: How the model cuts faces out, `Bundle.info.crop`.
        limits: As for `draw_heatmap`.
        legend: Whether to draw the scale below the picture.

    Returns:
        (H', W, 3) uint8 RGB, of the size of `Picture.pixels` and the height of the legend.

    Raises:
        ConfigError: The face has no such AU, or no landmarks or attention maps.
    """
    picture = as_picture(picture)
    if not len(face.landmarks_xy):
        raise ConfigError("this face has no landmarks; take it from Predictor.predict, not from a copy without arrays")
    matrix = alignment_matrix(face.landmarks_xy / np.float32(picture.reduction), geometry)  # picture to crop
    attention = _attention(face, au_id)
    low, high = limits or _range(attention)
    size = geometry.crop_size
    layers = np.dstack([_heat(attention, (low, high), size), _fading(size)])

    height, width = picture.pixels.shape[:2]
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - 0.5
    reached = apply_affine(invert_affine(matrix), corners)
    left, top = np.clip(np.floor(reached.min(0)), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(reached.max(0)) + 1, [left, top], [width, height]).astype(int)
    drawing = picture.pixels.copy()
    if right > left and bottom > top:
        matrix[:, 2] += matrix[:, :2] @ [left, top]
        part = drawing[top:bottom, left:right]
        window = (int(right - left), int(bottom - top))
        laid_back = cv2.warpAffine(layers, matrix, window, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        heat, visible = np.moveaxis(np.asarray(laid_back, np.float32), -1, 0)
        part[:] = _blended(part, heat, visible)
    return np.vstack([drawing, _legend(width, low, high)]) if legend else drawing


def draw_heatmap_sheet(
    face: FaceResult, *, au_ids: Sequence[int] | None = None, size: int = 200, limits: Limits | None = None
) -> NDArray[np.uint8]:
    """Draw the heat of several AUs side by side, each with its name, probability and scale.

    Args:
        face: A face with its crop and attention maps.
        au_ids: FACS numbers, in the order of the sheet; None takes the active AUs, or all if none is active.
        size: Side of each face, in pixels.
        limits: As for `draw_heatmap`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ConfigError: The face has no such AU, or no crop or attention maps.
    """
    aus = [_au(face, au_id) for au_id in au_ids or [au.au_id for au in face.active_aus or face.aus]]
    columns = min(len(aus), math.ceil(math.sqrt(len(aus) * 1.3)))  # A little wider than high.
    rows = math.ceil(len(aus) / columns)
    title_height = 42
    cell_width, cell_height = size + _MARGIN, title_height + size + _LEGEND_HEIGHT + _MARGIN
    sheet = Image.new("RGB", (columns * cell_width + _MARGIN, rows * cell_height + _MARGIN), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for place, au in enumerate(aus):
        row, column = divmod(place, columns)
        left, top = _MARGIN + column * cell_width, _MARGIN + row * cell_height
        draw.text((left, top), f"{au.label}  {au.prob:.2f}{'  active' if au.state else ''}", _INK, font(15))
        draw.text((left, top + 19), au.name, _INK, font(13))
        cell = draw_heatmap(face, au.au_id, size=size, limits=limits)
        sheet.paste(Image.fromarray(cell), (left, top + title_height))
    return np.asarray(sheet)


def _au(face: FaceResult, au_id: int) -> AUResult:
    for au in face.aus:
        if au.au_id == au_id:
            return au
    known = ", ".join(str(au.au_id) for au in face.aus)
    raise ConfigError(f"AU {au_id} is none that this model knows; choose among {known}")


def _attention(face: FaceResult, au_id: int) -> NDArray[np.float32]:
    attention = _au(face, au_id).attention_map
    if attention is None:
        raise ConfigError(
            f"this face has no attention map of AU {au_id}; take it from Predictor.predict, not from a copy "
            "without arrays"
        )
    return attention


def _crop(face: FaceResult) -> NDArray[np.uint8]:
    if not face.crop.size:
        raise ConfigError("this face has no crop; take it from Predictor.predict, not from a copy without arrays")
    return face.crop


def _range(attention: NDArray[np.float32]) -> Limits:
    return float(attention.min()), float(attention.max())


def _heat(attention: NDArray[np.float32], limits: Limits, size: int) -> NDArray[np.float32]:
    """Return the attention as a square from 0 (low) to 1 (high); a map without differences has no heat."""
    low, high = limits
    scaled = (attention - low) / (high - low) if high > low else np.zeros_like(attention)
    smooth = cv2.resize(scaled.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth, 0, 1), np.float32)


def _blended(
    face: NDArray[np.uint8], heat: NDArray[np.float32], visible: NDArray[np.float32] | float = 1.0
) -> NDArray[np.uint8]:
    """Colour a face by its heat; what is not `visible` keeps its own colour.

    The face below is grey, since its own colours would be taken for heat.
    """
    grey = 0.8 * cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    colour = _COLOURS[np.rint(255 * heat).astype(np.uint8)]
    weight = _STRONGEST * heat[..., None]
    heated = grey + weight * (colour - grey)
    visible = np.asarray(visible, np.float32)[..., None]
    return np.rint(face + visible * (heated - face)).clip(0, 255).astype(np.uint8)


def _fading(size: int) -> NDArray[np.float32]:
    """Return how visible the places of a crop are: wholly, but for a rim along which it fades."""
    rim = np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32) + 0.5
    edge = np.clip(rim / max(0.06 * size, 1), 0, 1)
    return np.asarray(np.minimum.outer(edge, edge), np.float32)


def _legend(width: int, low: float, high: float) -> NDArray[np.uint8]:
    """Draw the scale: the colours as they lie over a grey face, and the attention at its ends."""
    scale = max(1.0, width / 800)
    height, text = round(scale * _LEGEND_HEIGHT), font(round(13 * scale))
    legend = Image.new("RGB", (width, height), BACKGROUND)
    bar_height, edge = round(12 * scale), round(2 * scale)
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (bar_height, 1))
    face = np.full((bar_height, width, 3), 140, np.uint8)
    legend.paste(Image.fromarray(_blended(face, ramp)), (0, round(6 * scale)))
    draw = ImageDraw.Draw(legend)
    top = round(22 * scale)
    draw.text((edge, top), f"{low:.2f}", _INK, text)
    draw.text((width / 2, top), "attention", _INK, text, anchor="ma")
    draw.text((width - edge, top), f"{high:.2f}", _INK, text, anchor="ra")
    return np.asarray(legend)
