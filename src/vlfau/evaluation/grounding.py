"""Grounding: does the attention of an AU's branch lie where the AU moves the skin?

On synthetic faces the answer is known to the pixel (`vlfau.data.regions`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.data.regions import read_region, region_path
from vlfau.drawing.heatmap import enlarged
from vlfau.evaluation.predictions import Predictions

__all__ = ["GroundingScore", "grounding", "grounding_score"]

TOLERANCE: Final = 0.03


@dataclass(frozen=True, slots=True)
class GroundingScore:
    """How well one attention map agrees with one region.

    Attributes:
        pointing_game: 1 if the map, enlarged as it is drawn, is strongest in the region (Zhang et al., ECCV 2016);
            among equally strong pixels the share that lies there, so that a flat map scores what chance would.
        pointing_game_near: 1 if it is strongest in the region or within 3 % of the crop's side of it, the tolerance of
            that publication (15 pixels in pictures of some 500).
        pointing_game_centre: 1 if the centre of the crop lies in it: the score of always pointing at the centre.
        pointing_game_other: The mean score of the maps of the other AUs for this region; None without others.
        energy_in_region: The share of the attention, enlarged, that lies in the region.
        energy_expected: The region's share of the crop, which is the energy of a flat map.
    """

    pointing_game: float
    pointing_game_near: float
    pointing_game_centre: float
    pointing_game_other: float | None
    energy_in_region: float
    energy_expected: float


def grounding(
    predictions: Predictions,
    regions: Path,
    *,
    crop_size: int,
    aligned_size: int,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Compare every AU's attention map with the region that the AU moves.

    Frames and AUs without a mask, and masks whose region lies outside the crop, are left out.

    Args:
        predictions: Predictions for every frame.
        regions: The folder of masks.
        crop_size: Side of the network's crop in pixels, the middle of the aligned frame.
        aligned_size: Side to which frames are shrunk before they are cropped.
        progress: Called with the number of frames that are done and of all.

    Returns:
        For every field of `GroundingScore` its mean over AUs, and under the name with `_per_au` its mean per AU, by the
        AU's number as text; None where there is no mask. `regions` is the number of masks that were used.

    Raises:
        ImageError: A mask is not a picture, or too small.
    """
    scores: dict[int, list[GroundingScore]] = {au_id: [] for au_id in predictions.au_ids}
    for frame, image in enumerate(predictions.images):
        heats: list[NDArray[np.float32]] = []
        for column, au_id in enumerate(predictions.au_ids):
            path = region_path(regions, image, au_id)
            if path.is_file():
                region = read_region(path, crop_size=crop_size, aligned_size=aligned_size)
                if region.any():
                    heats = heats or _enlarged(predictions.attention_maps[frame], crop_size)  # once per frame
                    scores[au_id].append(_score(heats, column, region))
        if progress is not None:
            progress(frame + 1, len(predictions.images))
    summary: dict[str, Any] = {"regions": sum(map(len, scores.values()))}
    for field in fields(GroundingScore):
        per_au = {str(au_id): _mean([getattr(one, field.name) for one in found]) for au_id, found in scores.items()}
        summary[field.name] = _mean(list(per_au.values()))
        summary[f"{field.name}_per_au"] = per_au
    return summary


def grounding_score(
    attention_maps: NDArray[np.floating[Any]], column: int, region: NDArray[np.bool_]
) -> GroundingScore:
    """Compare the map of one AU with its region.

    Args:
        attention_maps: (N, H, W), the maps of all AUs in one frame, not negative.
        column: Which of them is the AU's.
        region: (S, S), not empty.
    """
    return _score(_enlarged(attention_maps, len(region)), column, region)


def _enlarged(attention_maps: NDArray[np.floating[Any]], size: int) -> list[NDArray[np.float32]]:
    return [enlarged(one, size) for one in attention_maps]


def _score(heats: Sequence[NDArray[np.float32]], column: int, region: NDArray[np.bool_]) -> GroundingScore:
    size, num_aus = len(region), len(heats)
    hits = [_hit(heat, region) for heat in heats]
    reach = 2 * round(TOLERANCE * size) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    near = cv2.dilate(region.astype(np.uint8), disc).astype(bool)
    heat = heats[column].clip(min=0)
    total = float(heat.sum())
    return GroundingScore(
        pointing_game=hits[column],
        pointing_game_near=_hit(heats[column], near),
        pointing_game_centre=float(region[size // 2, size // 2]),
        pointing_game_other=(sum(hits) - hits[column]) / (num_aus - 1) if num_aus > 1 else None,
        energy_in_region=float(heat[region].sum()) / total if total > 0 else float(region.mean()),
        energy_expected=float(region.mean()),
    )


def _hit(heat: NDArray[np.float32], region: NDArray[np.bool_]) -> float:
    """Return the share of the strongest pixels that lie in the region; rounding makes no difference."""
    peak = float(heat.max())
    return float(region[heat >= peak - 1e-5 * abs(peak)].mean())


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
