"""Masks of the skin that AUs move, beside the frames of drawn data sets.

Beside the frame `frames/S0001/001-0001.jpg` lies the mask `regions/S0001/001-0001-au12.png`, an 8-bit grey picture of
how far AU 12 moves the skin that is there, or would be there without it, relative to the farthest. The region of an AU
is where the skin moves at least half as far as where it moves most.
"""

from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.data.transforms import Matrix
from vlfau.media.crops import read_mask

__all__ = ["REGIONS_FOLDER", "REGION_GRID", "read_region", "region_on_grid", "region_path"]

REGIONS_FOLDER: Final = "regions"
REGION_GRID: Final = 40
"""Cells along a side of the regions that teach attention: finer than any map of the networks."""
MIN_MOVED: Final = 0.5


def region_path(folder: Path, image: str, au_id: int) -> Path:
    """Return the path of a frame's mask for an AU: the masks' folder replaces the frame's first folder.

    >>> region_path(Path("regions"), "frames/S0001/001-0001.jpg", 12).as_posix()
    'regions/S0001/001-0001-au12.png'
    """
    path = PurePosixPath(image)
    return folder.joinpath(*path.parent.parts[1:], f"{path.stem}-au{au_id}.png")


def read_region(path: Path, *, crop_size: int, aligned_size: int) -> NDArray[np.bool_]:
    """Read a mask, shrink and crop it like the frame, and return the region.

    Returns:
        (S, S), S the crop's size; True where the skin moves at least half as far as where it moves most.

    Raises:
        ImageError: The file is not a picture, or the picture is not square or is smaller than the aligned frame.
    """
    start = (aligned_size - crop_size) // 2
    return _region(path, aligned_size)[start : start + crop_size, start : start + crop_size]


def region_on_grid(path: Path, matrix: Matrix, *, crop_size: int, aligned_size: int) -> NDArray[np.uint8]:
    """Read a mask, and return the region in an augmented crop of the frame.

    Args:
        path: The mask.
        matrix: (2, 3), from the aligned face to the crop, in pixels.
        crop_size: Side of the crop.
        aligned_size: Side of the aligned face.

    Returns:
        (G, G), G = `REGION_GRID`; the share of every cell that belongs to the region, of 255.

    Raises:
        ImageError: As `read_region`.
    """
    region = np.where(_region(path, aligned_size), np.uint8(255), np.uint8(0))
    crop = cv2.warpAffine(region, matrix, (crop_size, crop_size))
    return np.asarray(cv2.resize(crop, (REGION_GRID, REGION_GRID), interpolation=cv2.INTER_AREA), np.uint8)


def _region(path: Path, aligned_size: int) -> NDArray[np.bool_]:
    """Return the region in the aligned face, (A, A)."""
    pixels = read_mask(path, aligned_size)
    return np.asarray(pixels >= max(1.0, MIN_MOVED * pixels.max()))
