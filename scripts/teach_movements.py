"""Trains the movement branch of the default model: small perceptrons on features of frozen networks.

    python scripts/teach_movements.py runs/default-vision/checkpoint runs/default-movements/checkpoint \
        configs/default-operating-points.csv posed/manifest.csv words/manifest.csv

`make default-model` calls this script. The other parts of the network do not change; the logits of all parts are
normalised and weighted. The features of the frozen networks are saved in chunks beside the new checkpoint, so an
interrupted run can be resumed. Takes three minutes on one core for 5,500 faces, mostly for computing features.
Every face also teaches as its mirror image, with left and right exchanged.
"""

import argparse
import csv
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vlfau.data.manifest import Frame, Manifest, read_manifest
from vlfau.evaluation.provenance import CALIBRATION, OLD_CALIBRATION
from vlfau.faces import CropGeometry, align_face
from vlfau.faces.mesh import FaceMesh, Region
from vlfau.facs import MAX_INTENSITY, action_unit
from vlfau.model import VLFAU, build_vlfau
from vlfau.model.movements import MovementBranch, ScoreHeads
from vlfau.training import Checkpoint, load_checkpoint, save_checkpoint

CHUNK = 400
BRANCHES_EVERY = 8
"""One in so many frames is passed to the AU branches, since only the mean and deviation of their logits are needed."""
AROUND = (10, 152, 127, 356)
EYES = (33, 263)
"""FaceMesh landmarks that bound a face, and the outer corners of the eyes; manifests of synthetic faces have them."""
MIN_PRESENCE = 0.9
PARTS = ("branches", "posed", "everyday", "map")
"""The parts whose weights `points` gives, in the network's order."""
EPOCHS, BATCH, RATE, DECAY, NOISE, INTENSITY_SHARE = 15, 128, 2e-3, 0.05, 0.6, 0.3


Points = Mapping[int, Mapping[str, float]]
"""Numbers by name, of every AU."""


@dataclass(frozen=True)
class Features:
    """Features and labels of F faces.

    Attributes:
        face: (F, 64) movements.
        map: (F, 512), the mesh's last map.
        occurrence: (F, N) 0 or 1; NaN where unknown.
        intensity: (F, N) 0 to 5; NaN where unknown.
        sides: (F, N, 2) intensity of the subject's own left and right, 0 to 5.
    """

    face: NDArray[np.float32]
    map: NDArray[np.float32]
    occurrence: NDArray[np.float32]
    intensity: NDArray[np.float32]
    sides: NDArray[np.float32]


def joined(parts: Iterable[Features]) -> Features:
    """Return the features of several groups of faces as those of one."""
    groups = list(parts)
    return Features(*(np.concatenate([getattr(part, name) for part in groups]) for name in Features.__annotations__))


def main() -> None:
    """Compute the features, train the heads, weight the parts, and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=Path, help="checkpoint without movements")
    parser.add_argument("out", type=Path, help="folder of the new checkpoint")
    parser.add_argument("points", type=Path, help="weights of the parts, threshold and slope of every AU")
    parser.add_argument("posed", type=Path, help="manifest of posed expressions")
    parser.add_argument("everyday", type=Path, help="manifest of everyday faces")
    parser.add_argument("--most", type=int, default=5600, help="frames of each manifest, evenly spaced")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    network, metadata = with_movements(options.start)
    branch = network.movement_branch
    assert branch is not None
    seen, own_logits = [], []
    for path in (options.posed, options.everyday):
        manifest = read_manifest(path, metadata.au_ids)
        frames = manifest.frames[:: max(1, len(manifest.frames) // options.most)][: options.most]
        chosen = replace(manifest, frames=frames)
        folder = options.out.parent / f"{options.out.name}-seen" / path.parent.name
        seen.append(joined(gather(branch, metadata, chosen, read_sides(path, metadata.au_ids), folder)))
        crops, _ = crop_faces(FaceMesh(), chosen, metadata, range(0, len(frames), BRANCHES_EVERY))
        own_logits += branch_logits(network, crops)
    posed, everyday = seen
    taught = ((posed, posed.face), (everyday, everyday.face), (posed, posed.map))
    for heads, (faces, features) in zip(branch.score_heads, taught, strict=True):
        train_heads(heads, features, faces)
        normalise(heads, features)
    train_sides(branch, joined(seen))
    points = operating_points(options.points)
    weight_parts(network, points, metadata, torch.cat(own_logits))
    thresholds = set_thresholds(network, metadata, points)
    training = metadata.training | {
        "movements": {"frames": sum(len(faces.face) // 2 for faces in seen)},
        "thresholds": "from real pictures",
    }
    for calibration in (CALIBRATION, OLD_CALIBRATION):  # they belong to other scores
        training.pop(calibration, None)
    save_checkpoint(options.out, network.eval(), replace(metadata, training=training, thresholds=thresholds))
    print(f"{options.out} was written")


def with_movements(start: Path) -> tuple[VLFAU, Checkpoint]:
    """Return the network of a checkpoint, with an untrained branch for movements.

    The landmark branch and mirrored prediction are removed: on real faces, the landmarks make the mean worse, and
    mirroring doubles the time without a benefit.
    """
    old, metadata = load_checkpoint(start)
    model = replace(metadata.model, movements=True, sides=True, mirrored=False, landmarks=0)
    network = build_vlfau(model, num_aus=len(metadata.au_ids), vocabulary_size=len(metadata.vocabulary)).eval()
    known = network.state_dict()
    taken = {name: value for name, value in old.state_dict().items() if not name.startswith("landmark_branch.")}
    if extra := taken.keys() - known.keys():
        raise SystemExit(
            f"{start} has {sorted(extra)[0]}, unknown to the new network; start from one without movements"
        )
    network.load_state_dict(known | taken)
    return network, replace(metadata, model=model)


def read_sides(path: Path, au_ids: Sequence[int]) -> dict[str, NDArray[np.float32]]:
    """Return the exact intensities of left and right, (N, 2), by picture; AUs without sides act alike on both."""
    with path.open(newline="", encoding="utf-8") as file:
        return {
            row["image"]: np.array([[row.get(name, 0) for name in side_columns(au_id)] for au_id in au_ids], np.float32)
            for row in csv.DictReader(file)
        }


def side_columns(au_id: int) -> tuple[str, str]:
    """Return the manifest's columns of an AU's exact intensities."""
    if action_unit(au_id).sided:
        return f"left_AU{au_id}", f"right_AU{au_id}"
    return f"exact_AU{au_id}", f"exact_AU{au_id}"


def gather(
    branch: MovementBranch,
    metadata: Checkpoint,
    manifest: Manifest,
    sides: dict[str, NDArray[np.float32]],
    folder: Path,
) -> Iterator[Features]:
    """Yield the features of frames, cropped as in prediction and half of them degraded; save them in chunks."""
    folder.mkdir(parents=True, exist_ok=True)
    finder = FaceMesh()
    for start in range(0, len(manifest.frames), CHUNK):
        path = folder / f"{start:06}.npz"
        if not path.is_file():
            numbers = range(start, min(start + CHUNK, len(manifest.frames)))
            crops, frames = crop_faces(finder, manifest, metadata, numbers)
            exact = [sides[frame.image.relative_to(manifest.path.parent).as_posix()] for frame in frames]
            fresh = compute_features(branch, crops, frames, np.stack(exact))
            print(path, len(frames), time.strftime("%X"), flush=True)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, **vars(fresh))
            partial.replace(path)
        with np.load(path) as kept:
            yield Features(**{name: kept[name] for name in Features.__annotations__})


def crop_faces(
    finder: FaceMesh, manifest: Manifest, metadata: Checkpoint, numbers: Iterable[int]
) -> tuple[NDArray[np.uint8], list[Frame]]:
    """Return the crops of frames, (B, S, S, 3), without those in which no face is found, and the frames."""
    crops = {number: crop_face(finder, manifest, metadata, number) for number in numbers}
    found = {number: crop for number, crop in crops.items() if crop is not None}
    return np.stack(list(found.values())), [manifest.frames[number] for number in found]


def crop_face(finder: FaceMesh, manifest: Manifest, metadata: Checkpoint, number: int) -> NDArray[np.uint8] | None:
    """Return the crop of a frame as in prediction; None if no face is found."""
    frame, rng = manifest.frames[number], np.random.default_rng(number)
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


@torch.inference_mode()
def compute_features(
    branch: MovementBranch, crops: NDArray[np.uint8], frames: list[Frame], sides: NDArray[np.float32]
) -> Features:
    """Return the features of crops (B, S, S, 3) and of their mirror images."""
    own = torch.from_numpy(crops).permute(0, 3, 1, 2)
    batches = torch.cat([own, own.flip(3)]).split(32)  # type: ignore[no-untyped-call]
    seen = [branch.mesh(batch) for batch in batches]
    states = [[np.nan if state is None else state.active for state in frame.states] for frame in frames]
    levels = [[np.nan if level is None else level for level in frame.intensities] for frame in frames]
    return Features(
        torch.cat([branch.read(each) for each in seen]).numpy(),
        torch.cat([each.deep for each in seen]).numpy(),
        np.tile(np.array(states, np.float32), (2, 1)),
        np.tile(np.array(levels, np.float32), (2, 1)),
        np.concatenate([sides, sides[:, :, ::-1]]),
    )


@torch.inference_mode()
def branch_logits(network: VLFAU, crops: NDArray[np.uint8]) -> list[Tensor]:
    """Return the logits of the AU branches alone, of crops (B, S, S, 3)."""
    batches = torch.from_numpy(crops).permute(0, 3, 1, 2).split(32)  # type: ignore[no-untyped-call]
    return [network.encode(batch).branch_scores.logits.clone() for batch in batches]


def train_heads(heads: ScoreHeads, features: NDArray[np.float32], seen: Features) -> None:
    """Train perceptrons for occurrence and intensity."""
    occurrence, intensity = torch.from_numpy(seen.occurrence), torch.from_numpy(seen.intensity)
    count = occurrence.shape[1]

    def loss(output: Tensor, batch: Tensor) -> Tensor:
        logits, strength = output[:, :count], MAX_INTENSITY * output[:, count:].sigmoid()
        occurs, level = occurrence[batch], intensity[batch]
        terms = F.binary_cross_entropy_with_logits(logits, occurs.nan_to_num(), reduction="none")
        missed = (strength - level.nan_to_num()) ** 2
        return (terms * ~occurs.isnan()).mean() + INTENSITY_SHARE * (missed * ~level.isnan()).mean()

    fit(heads, torch.from_numpy(features), loss)


def train_sides(branch: MovementBranch, seen: Features) -> None:
    """Train the perceptrons for the sides' shares, on the AUs that act."""
    assert branch.side_heads is not None
    sides = torch.from_numpy(seen.sides)  # (F, N, 2)
    stronger = sides.amax(2, keepdim=True)
    acts = (stronger >= 1).expand_as(sides)
    wanted = torch.stack([(sides >= 1).float(), sides / stronger.clamp(min=1)], dim=1)  # (F, 2, N, 2)

    def loss(output: Tensor, batch: Tensor) -> Tensor:
        terms = F.binary_cross_entropy_with_logits(output.view_as(wanted[batch]), wanted[batch], reduction="none")
        return (terms * acts[batch][:, None]).sum() / acts[batch].sum().clamp(min=1)

    fit(branch.side_heads.heads, torch.from_numpy(seen.face), loss)


def fit(heads: ScoreHeads, features: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Train every perceptron of an ensemble on features (F, D); `loss_of` takes outputs and the faces' numbers."""
    heads.centre.copy_(features.mean(0))
    heads.spread.copy_(features.std(0) + 1e-6)
    standard = heads.standardise(features)
    steps = len(features) // BATCH
    for head in heads.heads:
        optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
        head.train()
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(features))[: steps * BATCH].split(BATCH):  # type: ignore[no-untyped-call]
                given = standard[batch]
                loss = loss_of(head(given + NOISE * torch.randn_like(given)), batch)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
        head.eval()


@torch.no_grad()
def normalise(heads: ScoreHeads, features: NDArray[np.float32]) -> None:
    """Rescale logits to mean 0 and deviation 1 over the faces that taught."""
    logits = heads(torch.from_numpy(features)).logits
    heads.slope.copy_(1 / logits.std(0))
    heads.shift.copy_(-logits.mean(0) / logits.std(0))


@torch.no_grad()
def weight_parts(network: VLFAU, points: Points, metadata: Checkpoint, own_logits: Tensor) -> None:
    """Normalise the logits of the branches too, and set the weights of the parts."""
    mean, spread = own_logits.mean(0), own_logits.std(0)
    for column in range(network.num_aus):
        network.rescale_own_logits(column, 1 / float(spread[column]), -float(mean[column] / spread[column]))
    weights = torch.tensor([[points[au_id][part] for au_id in metadata.au_ids] for part in PARTS])
    assert network.part_weights is not None
    network.part_weights.copy_((weights / weights.sum(0))[:, None])


def set_thresholds(network: VLFAU, metadata: Checkpoint, points: Points) -> tuple[float, ...]:
    """Rescale every AU's logits so that its threshold is 0.5, and return the thresholds."""
    for column, au_id in enumerate(metadata.au_ids):
        threshold, slope = points[au_id]["threshold"], points[au_id]["slope"]
        network.rescale_logits(column, slope, -slope * threshold)
    return (0.5,) * len(metadata.au_ids)


def operating_points(path: Path) -> Points:
    """Read the weights of the parts, the threshold and the slope of every AU."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {int(row.pop("au")): {name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)}


if __name__ == "__main__":
    main()
