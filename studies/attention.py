"""Do the attention maps of the default model point where the muscles act, and does the model depend on what they show?

Drawn faces come with masks of the moving skin. On real pictures, named by the environment variable VLFAU_PICTURES, the
regions are the mean masks laid on the face by the landmarks of its mesh. Only active AUs count.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from benchmarks.rows import Row
from numpy.typing import NDArray

from vlfau.data.manifest import read_manifest
from vlfau.data.regions import REGIONS_FOLDER, read_region, region_path
from vlfau.data.transforms import centre_crop
from vlfau.evaluation.faithfulness import Faithfulness, faithfulness
from vlfau.evaluation.grounding import GroundingScore, grounding_score
from vlfau.faces.align import alignment_matrix
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult
from vlfau.media.crops import read_crop
from vlfau.media.inputs import expand_inputs
from vlfau.model.au_regions import AURegions
from vlfau.synthetic import DatasetSettings, generate

__all__ = ["measure"]

PEOPLE: Final = 20
MOST_PICTURES: Final = 200
IN_REGION: Final = 0.5
"""Share of drawn faces whose skin moves at a place, from which the place belongs to the mean region."""

Found = tuple[int, GroundingScore, Faithfulness]


def measure() -> Iterator[Row]:
    """Yield the pointing game and the faithfulness, for drawn faces and for pictures."""
    predictor = Predictor(describe="never", max_faces=1)
    with tempfile.TemporaryDirectory() as folder:
        settings = DatasetSettings("all-aus", PEOPLE, 2, 2, 192, seed=811, regions=True)
        manifest = generate(Path(folder), settings, workers=os.cpu_count() or 1)
        yield from _rows("drawn faces", list(_of_drawn(predictor, manifest)))
    pictures = os.environ.get("VLFAU_PICTURES")
    if pictures is None:
        yield Row("real pictures", "skipped; name their folder in the variable VLFAU_PICTURES")
    else:
        yield from _rows("real pictures", list(_of_pictures(predictor, Path(pictures))))


def _rows(name: str, found: list[Found]) -> Iterator[Row]:
    def mean(values: list[float]) -> float:
        """Return the mean over AUs of their means."""
        by_au: dict[int, list[float]] = {}
        for (au_id, _, _), value in zip(found, values, strict=True):
            by_au.setdefault(au_id, []).append(value)
        return float(np.mean([np.mean(of_au) for of_au in by_au.values()]))

    pointing = [score.pointing_game for _, score, _ in found]
    others = [score.pointing_game_other or 0.0 for _, score, _ in found]
    near = [score.pointing_game_near for _, score, _ in found]
    drop = float(np.mean([faithful.drop for _, _, faithful in found]))
    elsewhere = float(np.mean([faithful.drop_elsewhere for _, _, faithful in found]))
    yield Row(f"{name}: active AUs", f"{len(found)}")
    yield Row(f"{name}: pointing game", f"{mean(pointing):.3f} (maps of other AUs {mean(others):.3f})")
    yield Row(f"{name}: within 3 % of the face's side", f"{mean(near):.3f}")
    yield Row(f"{name}: fall of the probability, brightest tenth covered", f"{drop:.3f}")
    yield Row(f"{name}: the same patch elsewhere", f"{elsewhere:.3f} (ratio {drop / max(elsewhere, 1e-9):.1f})")
    yield Row(f"{name}: deletion", f"{np.mean([faithful.deletion for _, _, faithful in found]):.3f}")
    yield Row(f"{name}: insertion", f"{np.mean([faithful.insertion for _, _, faithful in found]):.3f}")


def _of_drawn(predictor: Predictor, manifest_path: Path) -> Iterator[Found]:
    manifest, geometry = read_manifest(manifest_path), predictor.bundle.info.crop
    folder, rng = manifest_path.parent, np.random.default_rng(0)
    for frame in manifest.frames:
        crop = centre_crop(read_crop(frame.image, geometry.aligned_size).pixels, geometry.crop_size).face
        maps, states = _maps_and_states(predictor, crop)
        for column, au_id in enumerate(predictor.au_ids):
            path = region_path(folder / REGIONS_FOLDER, frame.image.relative_to(folder).as_posix(), au_id)
            if states[column] and path.is_file():
                region = read_region(path, crop_size=geometry.crop_size, aligned_size=geometry.aligned_size)
                if region.any():
                    yield au_id, grounding_score(maps, column, region), _faithful(predictor, crop, maps, column, rng)


def _of_pictures(predictor: Predictor, folder: Path) -> Iterator[Found]:
    rng = np.random.default_rng(0)
    for path in expand_inputs([folder])[:MOST_PICTURES]:
        for face in predictor.predict(path):
            maps, states = _maps_and_states(predictor, face.crop)
            regions = _regions_of(predictor, face)
            for column, au_id in enumerate(predictor.au_ids):
                if states[column] and regions[column].any():
                    score = grounding_score(maps, column, regions[column])
                    yield au_id, score, _faithful(predictor, face.crop, maps, column, rng)


def _maps_and_states(predictor: Predictor, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    scores = predictor.score_crops(crop[None])
    return scores.vision.attention_maps[0], scores.au_states[0]


def _faithful(
    predictor: Predictor,
    crop: NDArray[np.uint8],
    maps: NDArray[np.float32],
    column: int,
    rng: np.random.Generator,
) -> Faithfulness:
    return faithfulness(lambda crops: predictor.score_crops(crops).au_probs[:, column], crop, maps[column], rng)


def _regions_of(predictor: Predictor, face: FaceResult) -> NDArray[np.bool_]:
    """Return the regions of the AUs in the crop of a face, (N, S, S)."""
    geometry = predictor.bundle.info.crop
    matrix = alignment_matrix(face.landmarks_xy, geometry)
    shares = (face.landmarks_xy @ matrix[:, :2].T + matrix[:, 2] + 0.5) / geometry.crop_size
    regions = AURegions(predictor.au_ids, range(len(shares)))
    masks, _ = regions(torch.from_numpy(shares[None]).float(), geometry.crop_size, geometry.crop_size)
    peaks = masks.amax((2, 3), keepdim=True)
    return np.asarray((masks >= IN_REGION * peaks)[0].numpy())
