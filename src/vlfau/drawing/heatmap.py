"""Attention heat maps of AUs over the face."""

import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.pixels import font
from vlfau.drawing.theme import HEAT, HEAT_TEXT_SIZES, LIGHT, format_prob
from vlfau.errors import ConfigError
from vlfau.inference.results import AUResult, FaceResult

__all__ = ["draw_heatmap", "draw_heatmap_sheet", "enlarged", "lay_heat_over"]

_COLOURS: Final = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO).reshape(256, 3)[:, ::-1]
_MARGIN: Final = 12
_LEGEND_HEIGHT: Final = 46

Limits = tuple[float, float]


def draw_heatmap(
    face: FaceResult, au_id: int, *, size: int = 320, limits: Limits | None = None, legend: bool = True
) -> NDArray[np.uint8]:
    """Draw the aligned face with the attention map of one AU over it, and a colour scale below.

    Args:
        face: A face with its crop and attention maps.
        au_id: FACS number.
        size: Side length of the drawn face, in pixels.
        limits: Attention values of the coldest and the hottest colour; None takes the map's own minimum and maximum, so
            that every map uses all colours. Set equal limits to compare AUs.
        legend: Whether to draw the scale.

    Returns:
        (H, size, 3) uint8 RGB, `H` being `size` and the height of the legend.

    Raises:
        ConfigError: The face has no such AU, or no crop or attention maps.
    """
    attention = _attention(face, au_id)
    low, high = limits or _range(attention)
    crop = cv2.resize(_crop(face), (size, size), interpolation=cv2.INTER_CUBIC)
    drawing = lay_heat_over(np.asarray(crop, np.uint8), attention, limits=(low, high))
    return np.vstack([drawing, _legend(size, low, high)]) if legend else drawing


def lay_heat_over(
    face: NDArray[np.uint8], attention: NDArray[np.floating[Any]], *, limits: Limits | None = None
) -> NDArray[np.uint8]:
    """Lay an attention map over a face.

    Args:
        face: (S, S, 3) uint8 RGB.
        attention: (H, W), of any scale.
        limits: As for `draw_heatmap`.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    return _blended(face, _heat(attention, limits or _range(attention), len(face)))


def enlarged(attention: NDArray[np.floating[Any]], size: int) -> NDArray[np.float32]:
    """Enlarge an attention map to the crop that it covers, as it is drawn and as it is measured.

    Args:
        attention: (H, W).
        size: S, side of the crop in pixels.

    Returns:
        (S, S). Bilinear, then blurred by half a cell, so that a peak between cells lies between them, not in one.
    """
    smooth = cv2.resize(attention.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(smooth, (0, 0), size / (2 * max(attention.shape))), np.float32)


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
    sheet = Image.new("RGB", (columns * cell_width + _MARGIN, rows * cell_height + _MARGIN), LIGHT.canvas)
    draw = ImageDraw.Draw(sheet)
    for index, au in enumerate(aus):
        row, column = divmod(index, columns)
        left, top = _MARGIN + column * cell_width, _MARGIN + row * cell_height
        draw.text(
            (left, top),
            f"{au.label}  {format_prob(au.prob)}{'  active' if au.state else ''}",
            LIGHT.ink,
            font(HEAT_TEXT_SIZES.title),
        )
        draw.text((left, top + 19), au.name, LIGHT.ink, font(HEAT_TEXT_SIZES.text))
        cell = draw_heatmap(face, au.au_id, size=size, limits=limits)
        sheet.paste(Image.fromarray(cell), (left, top + title_height))
    return np.asarray(sheet)


def _au(face: FaceResult, au_id: int) -> AUResult:
    for au in face.aus:
        if au.au_id == au_id:
            return au
    known = ", ".join(str(au.au_id) for au in face.aus)
    raise ConfigError(f"this model does not know AU {au_id}; choose among {known}")


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


def _range(attention: NDArray[np.floating[Any]]) -> Limits:
    return float(attention.min()), float(attention.max())


def _heat(attention: NDArray[np.floating[Any]], limits: Limits, size: int) -> NDArray[np.float32]:
    """Return the attention as a square from 0 (low) to 1 (high); a map without differences has no heat."""
    low, high = limits
    scaled = (attention - low) / (high - low) if high > low else np.zeros_like(attention)
    return np.asarray(np.clip(enlarged(scaled, size), 0, 1), np.float32)


def _blended(face: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour a face by its heat. The face below is grey, since its own colours would be taken for heat."""
    grey = HEAT.face * cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    colour = _COLOURS[np.rint(255 * heat).astype(np.uint8)]
    weight = HEAT.opacity * heat[..., None]
    return np.asarray(np.rint(grey + weight * (colour - grey)).clip(0, 255), np.uint8)


def _legend(width: int, low: float, high: float) -> NDArray[np.uint8]:
    """Draw the scale: the colours as blended with a grey face, and the attention values at its ends."""
    scale = max(1.0, width / 800)
    height, text = round(scale * _LEGEND_HEIGHT), font(round(HEAT_TEXT_SIZES.small * scale))
    legend = Image.new("RGB", (width, height), LIGHT.canvas)
    bar_height, edge = round(12 * scale), round(2 * scale)
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (bar_height, 1))
    face = np.full((bar_height, width, 3), HEAT.legend_grey, np.uint8)
    legend.paste(Image.fromarray(_blended(face, ramp)), (0, round(6 * scale)))
    draw = ImageDraw.Draw(legend)
    top = round(22 * scale)
    draw.text((edge, top), format_prob(low), LIGHT.ink, text)
    draw.text((width / 2, top), "attention", LIGHT.ink, text, anchor="ma")
    draw.text((width - edge, top), format_prob(high), LIGHT.ink, text, anchor="ra")
    return np.asarray(legend)
