"""Teach the network that sees how much of a face is visible, and test it on other people.

    vlfau synth posed --preset posed --subjects 700 --clips 4 --frames 1 --size 192 --seed 504
    vlfau synth wild --preset wild --subjects 120 --clips 4 --frames 4 --size 192 --seed 502
    python scripts/teach_visibility.py posed wild

Something is drawn in front of drawn faces: the generator's hands, microphones and objects, masks, sunglasses and hair,
plain or with a pattern; or the picture is cut. Features of the face are made stronger and weaker, and shadows, blur and
compression added, as photographs vary more than drawings. Faces of every fifth person test the network. Writes
`src/vlfau/measures/data/visibility.npz`.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vlfau.faces import CropGeometry, FaceFinder, align_face
from vlfau.files.atomic import replacing
from vlfau.measures.measuring import crop_mesh
from vlfau.measures.quality import LEAST_VISIBLE, grid_features
from vlfau.media.images import read_image
from vlfau.synthetic.occluders import Occluder

OUTPUT = Path(__file__).parents[1] / "src" / "vlfau" / "measures" / "data" / "visibility.npz"
GEOMETRY = CropGeometry(aligned_size=192, crop_size=160)
MAX_COVERED = 0.001
COPIES = 6
"""Pictures of each face."""
TEST_EVERY = 5
HIDDEN = (64, 32)
EPOCHS, BATCH = 60, 256
# fmt: off
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
MASK = [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 280]
# fmt: on
BROWS, CHEEKS = [105, 334], [50, 280]

Crop = NDArray[np.uint8]
Points = NDArray[np.float64]
Opacity = NDArray[np.float32]


def halves(side: int, points: Points) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels of brows and eyes, and those of the face below, (S, S) each."""
    oval = np.zeros((side, side), np.uint8)
    cv2.fillPoly(oval, [np.round(points[OVAL]).astype(np.int32)], 1)
    height = np.arange(side)[:, None]
    split = points[CHEEKS, 1].mean()
    top = points[BROWS, 1].min() - 0.05 * side
    face = oval > 0
    return face & (height >= top) & (height < split), face & (height >= split)


def covered(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Return a face with something in front of it, and the opacity of that, (S, S)."""
    kinds: Sequence[tuple[float, Callable[[Crop, Points, np.random.Generator], tuple[Crop, Opacity]]]] = (
        (0.36, bare), (0.12, in_front), (0.12, hand), (0.12, mask), (0.13, sunglasses), (0.11, hair), (0.04, cut),
    )  # fmt: skip
    chosen = kinds[rng.choice(len(kinds), p=[share for share, _ in kinds])][1]
    image, opacity = chosen(crop, points, rng)
    if chosen in (in_front, mask, sunglasses, hair) and rng.random() < 0.5:
        patterned = image * (1 + opacity[..., None] * pattern(len(crop), rng))
        image = np.clip(patterned, 0, 255).astype(np.uint8)
    return image, opacity


def pattern(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random pattern of cloth or light (S, S, 3), around 0."""
    cells = int(rng.choice([3, 6, 12, 24]))
    colours = 3 if rng.random() < 0.4 else 1
    values = np.repeat(rng.normal(0, 1, (cells, cells, colours)), 3 // colours, 2)
    between = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST
    spread = np.asarray(cv2.resize(values, (side, side), interpolation=between), np.float64)
    return spread * rng.uniform(0.05, 0.45)


def varied(crop: Crop, rng: np.random.Generator) -> Crop:
    """Make brows, eyes, mouth and folds of a face stronger or weaker."""
    smooth = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), rng.uniform(6, 20))
    return np.clip(smooth + (crop - smooth) * rng.uniform(0.6, 2.2), 0, 255).astype(np.uint8)


def moved(crop: Crop, rng: np.random.Generator) -> Crop:
    """Turn, scale and move a face a little: landmarks are wrong where something hides them."""
    side = len(crop)
    centre, scale = (side / 2, side / 2), float(np.exp(rng.normal(0, 0.06)))
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, rng.normal(0, 4), scale), np.float64)
    matrix[:, 2] += rng.normal(0, 0.025 * side, 2)
    return np.asarray(cv2.warpAffine(crop, matrix, (side, side)), np.uint8)


def bare(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Put nothing in front."""
    return crop, np.zeros(crop.shape[:2], np.float32)


def in_front(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Put the generator's object or microphone in front."""
    return occluded(
        crop, Occluder.sample(str(rng.choice(["object", "microphone"], p=[0.8, 0.2])), (0.5, 0.4, 0.3), rng)
    )


def hand(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Put the generator's hand in front, in a colour near that of the face."""
    skin = np.median(crop[60:110, 50:110].reshape(-1, 3), axis=0) / 255 * rng.uniform(0.7, 1.25)
    red, green, blue = np.clip(skin, 0, 1) ** 1.4
    return occluded(crop, Occluder.sample("hand", (float(red), float(green), float(blue)), rng))


def occluded(crop: Crop, drawn: Occluder) -> tuple[Crop, Opacity]:
    """Draw an occluder, and find its opacity from what it leaves of black and of white."""
    black, white = (drawn.draw(np.full_like(crop, value), 0.5)[0].astype(np.float32) for value in (0, 255))
    return drawn.draw(crop, 0.5)[0], np.asarray(1 - np.clip((white - black).mean(2) / 255, 0, 1), np.float32)


def mask(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Put a mask or a scarf over the mouth, up to somewhere on the nose."""
    top = points[int(rng.choice([6, 197, 195, 5, 4]))]
    corners = points[MASK] + rng.normal(0, 1.5, (len(MASK), 2))
    right = points[50] + rng.normal(0, 3, 2)
    return painted(crop, [np.vstack([top, right, corners])], rng)


def sunglasses(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Put dark lenses over the eyes."""
    eyes = [points[[33, 133]].mean(0), points[[362, 263]].mean(0)]
    reach = np.linalg.norm(eyes[1] - eyes[0]) * rng.uniform([0.36, 0.24], [0.46, 0.34])
    turns = np.linspace(0, 2 * np.pi, 40)
    square = 2 / rng.uniform(2, 6)
    shape = np.column_stack([np.sign(part) * abs(part) ** square for part in (np.cos(turns), np.sin(turns))]) * reach
    return painted(crop, [eye + shape + [0, 2] for eye in eyes], rng, brightness=(0.0, 0.3))


def hair(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Let hair hang over brows and eyes."""
    side = len(crop)
    low = points[BROWS, 1].mean() + rng.uniform(0.0, 0.25) * side
    x = np.linspace(-5, side + 5, 25)
    edge = np.column_stack([x, low + rng.normal(0, 0.03 * side, 25) + rng.uniform(-0.3, 0.3) * (x - side / 2)])
    return painted(crop, [np.vstack([[-5, -5], edge, [side + 5, -5]])], rng, brightness=(0.03, 0.6), strands=True)


def cut(crop: Crop, points: Points, rng: np.random.Generator) -> tuple[Crop, Opacity]:
    """Cut the picture at one side, where the aligned face is black."""
    opacity = np.zeros(crop.shape[:2], np.float32)
    turned = np.rot90(opacity, int(rng.integers(4)))
    turned[: int(rng.uniform(0.1, 0.6) * len(crop))] = 1
    return (crop * (opacity[..., None] < 0.5)).astype(np.uint8), opacity


def painted(
    crop: Crop,
    outlines: Sequence[Points],
    rng: np.random.Generator,
    *,
    brightness: tuple[float, float] = (0.05, 0.95),
    strands: bool = False,
) -> tuple[Crop, Opacity]:
    """Fill outlines with cloth, or strands of hair, of one colour."""
    opacity = np.zeros(crop.shape[:2], np.uint8)
    for outline in outlines:
        cv2.fillPoly(opacity, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    colour = rng.uniform(*brightness) * (1 + rng.uniform(-1, 1, 3) * rng.choice([0.05, 0.5]))
    rows, columns = np.mgrid[0 : len(crop), 0 : len(crop)] / len(crop) - 0.5
    shade = 1 + rng.uniform(-0.6, 0.6) * rows + rng.uniform(-0.6, 0.6) * columns
    grain = rng.normal(0, rng.uniform(0, 0.06), crop.shape[:2])
    if strands:
        grain = grain + rng.normal(0, 0.15, (1, len(crop)))
    cloth = 255 * np.clip(colour * (shade + grain)[..., None], 0, 1)
    weight = (opacity / np.float32(255)).astype(np.float32)
    return (crop + weight[..., None] * (cloth - crop)).astype(np.uint8), weight


def filmed(crop: Crop, rng: np.random.Generator) -> Crop:
    """Change light, colour and sharpness, as cameras do."""
    picture = (shaded(crop, rng) if rng.random() < 0.5 else crop).astype(np.float32) / 255
    picture = picture ** rng.uniform(0.5, 1.8) * rng.uniform(0.5, 1.25) * rng.uniform(0.88, 1.12, 3)
    if rng.random() < 0.45:
        picture = np.repeat(picture @ np.array([[0.299], [0.587], [0.114]]), 3, axis=2)
    if rng.random() < 0.5:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 3)), np.float64)
    seen = np.asarray(255 * np.clip(picture + rng.normal(0, rng.uniform(0, 0.04), picture.shape), 0, 1), np.uint8)
    if rng.random() < 0.3:
        seen = compressed(seen, int(rng.uniform(15, 90)))
    return seen


def shaded(crop: Crop, rng: np.random.Generator) -> Crop:
    """Let a shadow with a sharp or soft edge fall on one side."""
    rows, columns = np.mgrid[0 : len(crop), 0 : len(crop)] / len(crop) - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    distance = rows * np.sin(angle) + columns * np.cos(angle) + rng.uniform(-0.2, 0.2)
    light = 1 - rng.uniform(0, 0.75) / (1 + np.exp(-2 * distance / rng.uniform(0.02, 0.5)))
    return np.asarray(crop * light[..., None], np.uint8)


def compressed(crop: Crop, quality: int) -> Crop:
    """Return a picture as JPEG of this quality shows it."""
    stored = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)


def faces(folders: Sequence[Path]) -> Iterator[tuple[str, Crop, Points]]:
    """Yield person, aligned face and landmarks of every uncovered drawn face."""
    finder = FaceFinder(max_faces=1)
    for folder in folders:
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if float(row["covered"]) <= MAX_COVERED]
        for row in rows:
            image = read_image(folder / row["image"])
            for face in finder.find(image):
                crop = align_face(image, face.landmarks_xy, GEOMETRY)
                yield row["subject"], crop, crop_mesh(crop).landmarks_xy.astype(np.float64)


def examples(found: Sequence[tuple[str, Crop, Points]], seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features (B, F) and visible shares (B, 2)."""
    rng = np.random.default_rng(seed)
    features, shares = [], []
    for _, crop, points in found:
        for _ in range(COPIES):
            face = varied(crop, rng) if rng.random() < 0.6 else crop
            image, opacity = covered(face, points, rng)
            image = moved(image, rng) if rng.random() < 0.6 else image
            features.append(grid_features(filmed(image, rng)))
            shares.append([1 - float(opacity[half].mean()) for half in halves(len(crop), points)])
    return np.array(features), np.array(shares, np.float32)


def teach(features: NDArray[np.float32], shares: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a network that estimates shares (B, 2) from features (B, F)."""
    torch.manual_seed(0)
    centre, spread = features.mean(0), features.std(0) + 0.05
    inputs, targets = torch.from_numpy((features - centre) / spread), torch.from_numpy(shares)
    sizes = (features.shape[1], *HIDDEN, 2)
    layers: list[nn.Module] = []
    for number in range(3):
        layers += [nn.Dropout(0.2), nn.Linear(sizes[number], sizes[number + 1]), *([nn.ReLU()] if number < 2 else [])]
    network = nn.Sequential(*layers)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    steps = EPOCHS * (len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(EPOCHS):
        shuffled = torch.randperm(len(inputs))
        for start in range(0, len(inputs) // BATCH * BATCH, BATCH):
            rows = shuffled[start : start + BATCH]
            loss = nn.functional.binary_cross_entropy_with_logits(network(inputs[rows]), targets[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    weights = {f"w{number}": layer.weight.detach().numpy().T.copy() for number, layer in enumerate(linear)}
    biases = {f"b{number}": layer.bias.detach().numpy().copy() for number, layer in enumerate(linear)}
    return weights | biases | {"centre": centre, "spread": spread.astype(np.float32)}


def report(estimates: NDArray[np.float64], shares: NDArray[np.float32]) -> Iterator[str]:
    """Yield precision and recall of halves that are hidden too far for an answer."""
    for column, name in enumerate(("upper", "lower")):
        hidden, said = shares[:, column] < LEAST_VISIBLE, estimates[:, column] < LEAST_VISIBLE
        right = int((hidden & said).sum())
        error = np.abs(estimates[:, column] - shares[:, column]).mean()
        yield (
            f"{name}: precision {right / max(said.sum(), 1):.3f}, recall {right / max(hidden.sum(), 1):.3f} "
            f"({int(hidden.sum())} of {len(shares)} hidden), mean error {error:.3f}"
        )


def run(found: Sequence[tuple[str, Crop, Points]], out: Path) -> None:
    """Teach and test the network, and write its weights."""
    from vlfau.measures.quality import Network  # noqa: PLC0415

    people = sorted({person for person, _, _ in found})
    tested = set(people[::TEST_EVERY])
    taught = examples([face for face in found if face[0] not in tested], seed=1)
    weights = {name: array.astype(np.float16) for name, array in teach(*taught).items()}
    features, shares = examples([face for face in found if face[0] in tested], seed=2)
    network = Network({name: array.astype(np.float32) for name, array in weights.items()})
    for line in report(np.array([network(row) for row in features]), shares):
        print(line)
    with replacing(out) as temporary, temporary.open("wb") as file:
        np.savez(file, **weights)  # type: ignore[arg-type]


def main() -> None:
    """Teach the network with the faces of the folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders that `vlfau synth` wrote")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="the file to write")
    given = parser.parse_args()
    run(list(faces(given.folders)), given.out)


if __name__ == "__main__":
    main()
