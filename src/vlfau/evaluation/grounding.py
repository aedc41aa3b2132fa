"""Grounding: does the attention of an AU's branch lie where the AU moves the skin?

On synthetic faces the answer is known to the pixel: beside the frame `frames/S0001/001-0001.jpg` lies the mask
`regions/S0001/001-0001-au12.png`, an 8-bit grey picture of how far AU 12 moves the skin, relative to the farthest.
The region of an AU is where the skin moves at least half as far as where it moves most.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.predictions import Predictions
from vlfau.media.crops import read_mask

__all__ = ["GroundingScore", "grounding", "grounding_score", "read_region"]

MIN_MOVED: Final = 0.5


@dataclass(frozen=True, slots=True)
class GroundingScore:
    """How well one attention map agrees with one region.

    Attributes:
        pointing_game: 1 if the centre of the map's strongest cell lies in the region (Zhang et al., ECCV 2016);
            among equally strong cells the share that does, so that a flat map scores what chance would.
        pointing_game_centre: 1 if the centre of the crop does: the score of always pointing at the centre.
        pointing_game_other: The mean score of the maps of the other AUs for this region; None without others.
        pointing_game_best: 1 if the centre of any cell does: the maximum score on the coarse grid.
        energy_in_region: The share of the attention, enlarged bilinearly to the crop, that lies in the region.
        energy_expected: The region's share of the crop, which is the energy of a flat map.
    """

    pointing_game: float
    pointing_game_centre: float
    pointing_game_other: float | None
    pointing_game_best: float
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
        for column, au_id in enumerate(predictions.au_ids):
            path = _mask_path(regions, image, au_id)
            if path.is_file():
                region = read_region(path, crop_size=crop_size, aligned_size=aligned_size)
                if region.any():
                    scores[au_id].append(grounding_score(predictions.attention_maps[frame], column, region))
        if progress is not None:
            progress(frame + 1, len(predictions.images))
    summary: dict[str, Any] = {"regions": sum(map(len, scores.values()))}
    for field in fields(GroundingScore):
        per_au = {str(au_id): _mean([getattr(one, field.name) for one in found]) for au_id, found in scores.items()}
        summary[field.name] = _mean(list(per_au.values()))
        summary[f"{field.name}_per_au"] = per_au
    return summary


def _mask_path(regions: Path, image: str, au_id: int) -> Path:
    """Return the path of a frame's mask for an AU: the masks' folder replaces the frame's first folder.

    >>> _mask_path(Path("regions"), "frames/S0001/001-0001.jpg", 12).as_posix()
    'regions/S0001/001-0001-au12.png'
    """
    path = PurePosixPath(image)
    return regions.joinpath(*path.parent.parts[1:], f"{path.stem}-au{au_id}.png")


def read_region(path: Path, *, crop_size: int, aligned_size: int) -> NDArray[np.bool_]:
    """Read a mask, shrink and crop it like the frame, and return the region.

    Returns:
        (S, S), S the crop's size; True where the skin moves at least half as far as where it moves most.

    Raises:
        ImageError: The file is not a picture, or the picture is not square or is smaller than the aligned frame.
    """
    pixels = read_mask(path, aligned_size)
    start = (aligned_size - crop_size) // 2
    crop = pixels[start : start + crop_size, start : start + crop_size]
    return np.asarray(crop >= max(1.0, MIN_MOVED * pixels.max()))


def grounding_score(
    attention_maps: NDArray[np.floating[Any]], column: int, region: NDArray[np.bool_]
) -> GroundingScore:
    """Compare the map of one AU with its region.

    Args:
        attention_maps: (N, H, W), the maps of all AUs in one frame, not negative.
        column: Which of them is the AU's.
        region: (S, S), not empty.
    """
    num_aus, height, width = attention_maps.shape
    size = len(region)
    rows, columns = (((np.arange(cells) + 0.5) * size / cells).astype(int) for cells in (height, width))
    at_cells = region[np.ix_(rows, columns)]  # (H, W)
    hits = [float(at_cells[one == one.max()].mean()) for one in attention_maps]
    enlarged = cv2.resize(attention_maps[column].astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    total = float(enlarged.sum())
    return GroundingScore(
        pointing_game=hits[column],
        pointing_game_centre=float(region[size // 2, size // 2]),
        pointing_game_other=(sum(hits) - hits[column]) / (num_aus - 1) if num_aus > 1 else None,
        pointing_game_best=float(at_cells.any()),
        energy_in_region=float(enlarged[region].sum()) / total if total > 0 else float(region.mean()),
        energy_expected=float(region.mean()),
    )


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
