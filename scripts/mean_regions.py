"""Average the masks of drawn faces to the mean region of every AU, for `vlfau.model.au_regions`.

    vlfau synth faces --preset all-aus --subjects 60 --clips 4 --frames 3 --size 192 --regions --seed 77
    python scripts/mean_regions.py faces/manifest.csv src/vlfau/model/au_regions.npz

A mask says how far the AU moves every piece of skin. It counts where both sides act. Before masks are averaged, faces
are laid on their mean face by the affine map of their landmarks.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Manifest, read_manifest
from vlfau.data.regions import REGIONS_FOLDER, read_region, region_path
from vlfau.facs import Side, all_au_ids
from vlfau.media.crops import read_crop

GRID = 40
ALIGNED_SIZE, CROP_SIZE = 192, 160


def main() -> None:
    """Read the masks of a data set and write their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    manifest = read_manifest(options.manifest, all_au_ids())
    places = landmark_shares(manifest)
    mean = np.nanmean(places, axis=0)
    masks = np.zeros((len(manifest.au_ids), GRID, GRID))
    counts = np.zeros(len(manifest.au_ids))
    for frame, own in zip(manifest.frames, places, strict=True):
        to_mean = affine(own, mean)
        for column, state in enumerate(frame.states):
            image = frame.image.relative_to(options.manifest.parent).as_posix()
            if state is None or state.side not in {None, Side.BOTH}:
                continue
            path = region_path(options.manifest.parent / REGIONS_FOLDER, image, state.au_id)
            if not path.is_file():
                continue
            region = read_region(path, crop_size=CROP_SIZE, aligned_size=ALIGNED_SIZE).astype(np.float32)
            if region.any():
                masks[column] += cv2.warpAffine(region, pixels(to_mean), (GRID, GRID), flags=cv2.INTER_LINEAR)
                counts[column] += 1
    masks /= counts[:, None, None]
    masks = (masks + masks[:, :, ::-1]) / 2
    np.savez_compressed(
        options.out,
        au_ids=np.array(manifest.au_ids, np.int32),
        masks=np.round(255 * masks).astype(np.uint8),
        landmark_ids=np.array(manifest.landmark_ids, np.int32),
        landmarks=mean.astype(np.float32),
    )
    print(f"{int(counts.sum())} masks, at least {int(counts.min())} of an AU; {options.out} was written")


def landmark_shares(manifest: Manifest) -> NDArray[np.float64]:
    """Return the landmarks of all frames, (F, K, 2), as shares of the crop's side."""
    margin = (ALIGNED_SIZE - CROP_SIZE) // 2
    sizes = {read_crop(frame.image, ALIGNED_SIZE).reduction for frame in manifest.frames[:20]}
    if sizes != {1}:
        raise SystemExit(f"the frames of {manifest.path} are not {ALIGNED_SIZE} pixels wide; draw them with --size 192")
    return (np.array([frame.landmarks_xy for frame in manifest.frames]) + 0.5 - margin) / CROP_SIZE


def affine(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine map (2, 3) that lays landmarks (K, 2) on others with the least squared distance."""
    known = np.isfinite(source).all(1)
    inputs = np.column_stack([source[known], np.ones(known.sum())])
    return np.asarray(np.linalg.lstsq(inputs, target[known], rcond=None)[0].T)


def pixels(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a map of shares of the crop's side as one from the crop's pixels to the grid's cells."""
    to_shares = np.array([[1 / CROP_SIZE, 0, 0.5 / CROP_SIZE], [0, 1 / CROP_SIZE, 0.5 / CROP_SIZE], [0, 0, 1]])
    to_cells = np.array([[GRID, 0, -0.5], [0, GRID, -0.5], [0, 0, 1]])
    return np.asarray((to_cells @ np.vstack([shares, [0, 0, 1]]) @ to_shares)[:2])


if __name__ == "__main__":
    main()
