"""Trains the movement branch of the default model: small perceptrons on features of frozen networks.

    python scripts/teach_movements.py runs/default-words/checkpoint runs/default/checkpoint \
        configs/default-operating-points.csv posed/manifest.csv words/manifest.csv

`make default-model` calls this script. The other parts of the network do not change; the logits of all parts are
normalised and weighted. The features of the frozen networks are saved in chunks beside the new checkpoint, so an
interrupted run can be resumed. Takes three minutes on one core for 5,500 faces, mostly for computing features.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from torch import Tensor

from vlfau.data import Frame, Manifest, read_manifest
from vlfau.evaluation.provenance import CALIBRATION, OLD_CALIBRATION
from vlfau.faces import CropGeometry, align_face
from vlfau.faces.blendshapes import BLENDSHAPE_LANDMARKS
from vlfau.faces.mesh import FaceMesh, Region
from vlfau.facs import MAX_INTENSITY
from vlfau.model import VLFAU, build_vlfau
from vlfau.model.classifier import AUOutput
from vlfau.model.movements import (
    BLENDSHAPE_FILE,
    HIDDEN_VALUE,
    MAP_VALUE,
    MESH_FILE,
    MovementBranch,
    ScoreHeads,
)
from vlfau.training import Checkpoint, load_checkpoint, save_checkpoint

CHUNK = 400
BRANCHES_EVERY = 5
"""One in so many batches is passed to the AU branches, since only the mean and deviation of their logits are needed."""
AROUND = (10, 152, 127, 356)
EYES = (33, 263)
"""FaceMesh landmarks that bound a face, and the outer corners of the eyes; manifests of synthetic faces have them."""
MIN_PRESENCE = 0.9
WEIGHTS = {"branches": 1.0, "movements": 1.0, "map": 0.25}
"""Weights of the parts."""
EPOCHS, BATCH, RATE, DECAY, NOISE, INTENSITY_SHARE = 15, 128, 2e-3, 0.05, 0.6, 0.3


@dataclass(frozen=True)
class Features:
    """Features and labels of F faces.

    Attributes:
        face: (F, 64) movements, see `MovementFeatures`.
        map: (F, 512) deep features, see `MovementFeatures`.
        branch_logits: (F', N) logits of the AU branches for some of the faces.
        occurrence: (F, N) 0 or 1.
        intensity: (F, N) 0 to 5.
    """

    face: NDArray[np.float32]
    map: NDArray[np.float32]
    branch_logits: NDArray[np.float32]
    occurrence: NDArray[np.float32]
    intensity: NDArray[np.float32]


def main() -> None:
    """Compute the features, train the heads, weight the parts, and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=Path, help="checkpoint without movements")
    parser.add_argument("out", type=Path, help="folder of the new checkpoint")
    parser.add_argument("points", type=Path, help="threshold and slope of every AU")
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=2800, help="frames of each manifest, evenly spaced")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    network, metadata = with_movements(options.start)
    parts = []
    for path in options.manifests:
        manifest = read_manifest(path, metadata.au_ids)
        frames = manifest.frames[:: max(1, len(manifest.frames) // options.most)][: options.most]
        folder = options.out.parent / f"{options.out.name}-seen" / path.parent.name
        parts += list(gather(network, metadata, replace(manifest, frames=frames), folder))
    seen = Features(*(np.concatenate([getattr(part, name) for part in parts]) for name in Features.__annotations__))
    branch = network.movement_branch
    assert branch is not None
    for heads, features in ((branch.by_movements, seen.face), (branch.by_map, seen.map)):
        train_heads(heads, features, seen)
    weight_parts(network, branch, seen)
    thresholds = set_thresholds(network, metadata, options.points)
    training = metadata.training | {"movements": {"frames": len(seen.face)}, "thresholds": "from real pictures"}
    for calibration in (CALIBRATION, OLD_CALIBRATION):  # they belong to other scores
        training.pop(calibration, None)
    save_checkpoint(options.out, network.eval(), replace(metadata, training=training, thresholds=thresholds))
    print(f"{len(seen.face)} faces; {options.out} was written")


def with_movements(start: Path) -> tuple[VLFAU, Checkpoint]:
    """Return the network of a checkpoint, with an untrained branch for movements.

    The landmark branch and mirrored prediction are removed: on real faces, the landmarks make the mean worse, and
    mirroring doubles the time without a benefit.
    """
    old, metadata = load_checkpoint(start)
    model = replace(metadata.model, movements=True, mirrored=False, landmarks=0)
    network = build_vlfau(model, num_aus=len(metadata.au_ids), vocabulary_size=len(metadata.vocabulary)).eval()
    known = network.state_dict()
    taken = {name: value for name, value in old.state_dict().items() if not name.startswith("landmark_branch.")}
    if extra := taken.keys() - known.keys():
        raise SystemExit(
            f"{start} has {sorted(extra)[0]}, unknown to the new network; start from one without movements"
        )
    network.load_state_dict(known | taken)
    return network, replace(metadata, model=model)


def gather(network: VLFAU, metadata: Checkpoint, manifest: Manifest, folder: Path) -> Iterator[Features]:
    """Yield the features of frames, cropped as in prediction and half of them degraded; save them in chunks."""
    folder.mkdir(parents=True, exist_ok=True)
    finder = FaceMesh()
    for start in range(0, len(manifest.frames), CHUNK):
        path = folder / f"{start:06}.npz"
        if not path.is_file():
            crops, frames = [], []
            for index, frame in enumerate(manifest.frames[start : start + CHUNK], start):
                crop = crop_face(finder, frame, manifest, metadata, np.random.default_rng(index))
                if crop is not None:
                    crops.append(crop)
                    frames.append(frame)
            fresh = compute_features(network, np.stack(crops), frames)
            print(path, len(frames), time.strftime("%X"), flush=True)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, **vars(fresh))
            partial.replace(path)
        with np.load(path) as kept:
            yield Features(**{name: kept[name] for name in Features.__annotations__})


def crop_face(
    finder: FaceMesh, frame: Frame, manifest: Manifest, metadata: Checkpoint, rng: np.random.Generator
) -> NDArray[np.uint8] | None:
    """Return the crop of a frame as in prediction; None if no face is found."""
    picture = cv2.imread(str(frame.image))
    if picture is None:
        raise SystemExit(f"{frame.image} cannot be read; generate the faces again")
    image = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    if rng.random() < 0.5:
        image = degraded(image, rng)
    points = {number: np.array(xy) for number, xy in zip(manifest.landmark_ids, frame.landmarks_xy, strict=True)}
    right, left = (points[number] for number in EYES)
    region = Region.around(np.stack([points[number] for number in (*AROUND, *EYES)]), right, left)
    # The first region is as inaccurate as a detector's.
    centre = region.centre_xy + rng.normal(0, 0.03, 2) * region.side
    region = Region(centre, region.side * float(np.exp(rng.normal(0.05, 0.06))), region.angle)
    (mesh,) = finder(image, [finder(image, [region])[0].region()])
    if mesh.presence < MIN_PRESENCE:
        return None
    geometry = CropGeometry(aligned_size=metadata.aligned_size, crop_size=metadata.model.crop_size)
    return align_face(image, mesh.landmarks_xy, geometry)


def degraded(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a face reduced to a small grey picture, as in some data sets, and enlarged again."""
    side = int(rng.integers(44, 84))
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (side, side), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        grey = np.clip(grey + rng.normal(0, rng.uniform(0, 5), grey.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        grey = cv2.equalizeHist(grey)
    enlarged = cv2.resize(grey, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.repeat(np.asarray(enlarged, np.uint8)[..., None], 3, axis=2)


class FrozenReader:
    """Computes `MovementBranch.read` with ONNX Runtime, which is four times as fast."""

    def __init__(self, branch: MovementBranch) -> None:
        self.branch = branch
        self.mesh = session(MESH_FILE, MAP_VALUE)
        self.blendshapes = session(BLENDSHAPE_FILE, HIDDEN_VALUE)

    def __call__(self, crops: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the movements (B, 64) and the maps (B, 512) of crops (B, 3, S, S)."""
        square = self.branch.square(crops).numpy()
        landmarks, deep = self.mesh.run(["landmarks", MAP_VALUE], {"images": np.ascontiguousarray(square)})
        points = np.ascontiguousarray(landmarks[:, BLENDSHAPE_LANDMARKS, :2])
        (hidden,) = self.blendshapes.run([HIDDEN_VALUE], {"points": points})
        return hidden.reshape(len(crops), -1), deep.reshape(len(crops), -1)


def session(file: str, value: str) -> InferenceSession:
    """Open a graph of the package with one of its inner values as an additional output."""
    model = onnx.load_from_string(resources.files("vlfau").joinpath(file).read_bytes())
    model.graph.output.append(onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, None))
    options = SessionOptions()
    options.intra_op_num_threads = 1
    return InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@torch.inference_mode()
def compute_features(network: VLFAU, crops: NDArray[np.uint8], frames: list[Frame]) -> Features:
    """Return the features of crops (B, S, S, 3)."""
    assert network.movement_branch is not None
    reader = FrozenReader(network.movement_branch)
    batches = torch.from_numpy(crops).permute(0, 3, 1, 2).split(8)  # type: ignore[no-untyped-call]
    face, maps = zip(*map(reader, batches), strict=True)
    return Features(
        np.concatenate(face),
        np.concatenate(maps),
        np.concatenate([branch_scores(network, batch).logits.numpy() for batch in batches[::BRANCHES_EVERY]]),
        np.array([[state is not None and state.active for state in frame.states] for frame in frames], np.float32),
        np.array([frame.intensities for frame in frames], np.float32),
    )


def branch_scores(network: VLFAU, crops: Tensor) -> AUOutput:
    """Return the scores of the AU branches alone."""
    branch, network.movement_branch = network.movement_branch, None
    try:
        return network.encode(crops).scores
    finally:
        network.movement_branch = branch


def train_heads(heads: ScoreHeads, features: NDArray[np.float32], seen: Features) -> None:
    """Train perceptrons for occurrence and intensity."""
    faces = torch.from_numpy(features)
    occurrence, intensity = torch.from_numpy(seen.occurrence), torch.from_numpy(seen.intensity)
    heads.centre.copy_(faces.mean(0))
    heads.spread.copy_(faces.std(0) + 1e-6)
    standard = heads.standardise(faces)
    count, steps = occurrence.shape[1], len(faces) // BATCH
    for head in heads.heads:
        optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
        head.train()
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(faces))[: steps * BATCH].split(BATCH):  # type: ignore[no-untyped-call]
                given = standard[batch]
                output = head(given + NOISE * torch.randn_like(given))
                loss = F.binary_cross_entropy_with_logits(output[:, :count], occurrence[batch])
                strength = MAX_INTENSITY * output[:, count:].sigmoid()
                loss = loss + INTENSITY_SHARE * F.mse_loss(strength, intensity[batch])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
        head.eval()


@torch.no_grad()
def weight_parts(network: VLFAU, branch: MovementBranch, seen: Features) -> None:
    """Normalise the logits of the parts to mean 0 and deviation 1 over the training faces, and set their weights."""
    for heads, features in ((branch.by_movements, seen.face), (branch.by_map, seen.map)):
        logits = heads(torch.from_numpy(features)).logits
        heads.slope.copy_(1 / logits.std(0))
        heads.shift.copy_(-logits.mean(0) / logits.std(0))
    mean, spread = seen.branch_logits.mean(0), seen.branch_logits.std(0)
    for column in range(network.num_aus):
        network.rescale_own_logits(column, 1 / spread[column], -mean[column] / spread[column])
    shares = torch.tensor([WEIGHTS["branches"], WEIGHTS["movements"], WEIGHTS["map"]])
    assert network.part_weights is not None
    network.part_weights.copy_((shares / shares.sum())[:, None, None].expand_as(network.part_weights))


def set_thresholds(network: VLFAU, metadata: Checkpoint, path: Path) -> tuple[float, ...]:
    """Rescale every AU's logits so that its threshold is 0.5, and return the thresholds."""
    points = operating_points(path)
    for column, au_id in enumerate(metadata.au_ids):
        threshold, slope = points[au_id]
        network.rescale_logits(column, slope, -slope * threshold)
    return (0.5,) * len(metadata.au_ids)


def operating_points(path: Path) -> dict[int, tuple[float, float]]:
    """Return the threshold and the slope of every AU."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {int(row["au"]): (float(row["threshold"]), float(row["slope"])) for row in csv.DictReader(lines)}


if __name__ == "__main__":
    main()
