"""Measure drawn faces: the ranges of resting ones, how well each measurement tells an AU, and how AUs move the face.

    vlfau synth posed --preset posed --subjects 700 --clips 4 --frames 1 --size 192 --seed 504
    vlfau synth words --preset all-aus --subjects 600 --clips 4 --frames 3 --size 192 --seed 500
    python scripts/measure_faces.py posed words

Writes `resting.toml` and `movements.csv` in `src/vlfau/measures/data`. Faces with an occluder are left out.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import CropGeometry, FaceFinder, align_face
from vlfau.faces.pose import NUM_LANDMARKS, landmark_mirror
from vlfau.facs import all_au_ids
from vlfau.files.atomic import replacing
from vlfau.measures.definitions import Direction, definitions
from vlfau.measures.geometry import frontal
from vlfau.measures.measuring import MeasuredFace, Measurement
from vlfau.media.images import read_image

OUTPUT = Path(__file__).parents[1] / "src" / "vlfau" / "measures" / "data"
GEOMETRY = CropGeometry(aligned_size=192, crop_size=160)
MARKED = 3
"""Intensity C."""
MAX_COVERED = 0.001
RIDGE = 1.0
"""Weight of the prior that an AU moves nothing, in squared letters of intensity."""
LEAST = 0.001
"""A movement in a letter below this share of the distance between the eyes is left out."""
MIRRORED = [landmark_mirror(number) for number in range(NUM_LANDMARKS)]


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """A drawn face that was measured.

    Attributes:
        row: Of the manifest.
        person: Who it is; the same name in another set is another person.
        found: Its measurements, by name.
        points: (468, 2), its landmarks as on a frontal face, in distances between the eyes.
    """

    row: Mapping[str, str]
    person: str
    found: Mapping[str, Measurement]
    points: NDArray[np.float64]

    @classmethod
    def of(cls, row: Mapping[str, str], person: str, face: MeasuredFace) -> "DrawnFace | None":
        """Return a face, or None if its head is turned too far."""
        if not face.plain:
            return None
        points = frontal(face.mesh.landmarks_xy, face.mesh.landmarks_z)[:NUM_LANDMARKS]
        return cls(row, person, {each.name: each for each in face.plain}, points)

    @property
    def is_resting(self) -> bool:
        """Whether no AU is active."""
        return not any(self.row[f"AU{au_id}"] == "1" for au_id in all_au_ids())

    def has(self, au_id: int) -> bool | None:
        """Say whether an AU is active at C or more; None if it is active but weaker."""
        active = self.row[f"AU{au_id}"] == "1"
        return active if not active or int(self.row[f"AU{au_id}_intensity"]) >= MARKED else None

    def intensity(self, au_id: int) -> float:
        """Return the intensity of an AU, the mean of both sides."""
        sides = [
            self.row[name] for name in (f"left_AU{au_id}", f"right_AU{au_id}", f"exact_AU{au_id}") if name in self.row
        ]
        return sum(map(float, sides)) / len(sides)


def drawn_faces(folders: Sequence[Path]) -> Iterator[DrawnFace]:
    """Yield every face that can be measured."""
    finder = FaceFinder(max_faces=1)
    for folder in folders:
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if float(row["covered"]) <= MAX_COVERED]
        for row in rows:
            image = read_image(folder / row["image"])
            for face in finder.find(image):
                crop = align_face(image, face.landmarks_xy, GEOMETRY)
                measured = MeasuredFace.of(crop, face.landmarks_xy, GEOMETRY)
                if (drawn := DrawnFace.of(row, f"{folder}/{row['subject']}", measured)) is not None:
                    yield drawn


def auc(values: NDArray[np.float64], active: NDArray[np.bool_], direction: Direction) -> float:
    """Return the share of pairs of an active and an inactive face that a measurement orders as the AU would."""
    positives = int(active.sum())
    if positives in {0, len(values)}:
        raise SystemExit("an AU is active at C in no face; add faces of the preset all-aus")
    ranks = np.empty(len(values))
    ranks[(direction.sign * values).argsort()] = np.arange(1, len(values) + 1)
    above = ranks[active].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(values) - positives)))


def resting_lines(faces: Sequence[DrawnFace], drawn: str) -> Iterator[str]:
    """Yield the lines of `resting.toml`."""
    neutral = [face for face in faces if face.is_resting]
    yield "# Every measurement on drawn resting faces: 5th and 95th percentile, and the 95th percentile of the"
    yield "# difference between the sides. `auc` says how well it separates drawn faces with an AU at C or more from"
    yield "# those without: 0.5 is chance. Written by scripts/measure_faces.py; do not edit."
    yield f'\n[made_from]\nfaces = {len(faces)}\nresting_faces = {len(neutral)}\ndrawn = "{drawn}"'
    for each in definitions():
        known = [face.found[each.name] for face in neutral if each.name in face.found]
        low, high = np.percentile([found.value for found in known], [5, 95])
        yield f"\n[{each.name}]\nlow = {low:.4f}\nhigh = {high:.4f}"
        if each.sided:
            apart = [abs((found.left or 0.0) - (found.right or 0.0)) for found in known]
            yield f"uneven = {np.percentile(apart, 95):.4f}"
        scores = []
        for au_id, direction in each.aus.items():
            clear = [face for face in faces if face.has(au_id) is not None and each.name in face.found]
            values = np.array([face.found[each.name].value for face in clear])
            active = np.array([face.has(au_id) for face in clear], bool)
            scores.append(f"{au_id} = {auc(values, active, direction):.3f}")
        yield f"auc = {{ {', '.join(scores)} }}"


def movement_lines(faces: Sequence[DrawnFace], drawn: str) -> Iterator[str]:
    """Yield the lines of `movements.csv`: least squares on the differences between pictures of one person."""
    people: dict[str, list[DrawnFace]] = {}
    for face in faces:
        people.setdefault(face.person, []).append(face)
    strengths, moves = [], []
    for own in people.values():
        strength = np.array([[face.intensity(au_id) for au_id in all_au_ids()] for face in own])
        points = np.array([(face.points + face.points[MIRRORED] * [-1, 1]) / 2 for face in own])
        strengths.append(strength - strength.mean(0))
        moves.append((points - points.mean(0)).reshape(len(own), -1))
    x, y = np.concatenate(strengths), np.concatenate(moves)
    found = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y).reshape(-1, NUM_LANDMARKS, 2)
    yield "# How far each AU moves FaceMesh's landmarks on a frontal face in a letter of intensity, in distances"
    yield f"# between the eyes, on both sides alike: least squares over {len(faces)} drawn faces, {drawn}."
    yield "# Written by scripts/measure_faces.py; do not edit."
    yield "au,landmark,right,down"
    for au_id, move in zip(all_au_ids(), found, strict=True):
        for landmark in np.flatnonzero(np.linalg.norm(move, axis=1) >= LEAST):
            yield f"{au_id},{landmark},{move[landmark, 0]:.4f},{move[landmark, 1]:.4f}"


def write(faces: Sequence[DrawnFace], drawn: str, out: Path) -> None:
    """Write both data files."""
    for name, lines in (("resting.toml", resting_lines), ("movements.csv", movement_lines)):
        text = "\n".join(lines(faces, drawn)) + "\n"
        with replacing(out / name) as temporary:
            temporary.write_text(text, "utf-8")


def main() -> None:
    """Measure the faces of the folders and write the data files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders that `vlfau synth` wrote")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="the folder to write to")
    given = parser.parse_args()
    settings = [json.loads((folder / "settings.json").read_text("utf-8")) for folder in given.folders]
    drawn = ", ".join("{preset} (seed {seed}, {subjects} people, {size} pixels)".format(**each) for each in settings)
    faces = list(drawn_faces(given.folders))
    write(faces, drawn, given.out)
    print(f"measured {len(faces)} faces: {given.out}")


if __name__ == "__main__":
    main()
