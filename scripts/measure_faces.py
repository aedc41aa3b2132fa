"""Measure drawn faces: the ranges of resting ones, and how well each measurement tells an AU.

    vlfau synth posed --preset posed --subjects 700 --clips 4 --frames 1 --size 192 --seed 504
    vlfau synth natural --preset natural --subjects 400 --clips 4 --frames 1 --size 192 --seed 505
    python scripts/measure_faces.py posed natural

Writes `src/vlfau/measures/data/resting.toml`. Faces with an occluder are left out.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import CropGeometry, FaceFinder, align_face
from vlfau.files.atomic import replacing
from vlfau.measures.definitions import Direction, definitions
from vlfau.measures.measuring import MeasuredFace, Measurement
from vlfau.media.images import read_image

OUTPUT = Path(__file__).parents[1] / "src" / "vlfau" / "measures" / "data" / "resting.toml"
GEOMETRY = CropGeometry(aligned_size=192, crop_size=160)
MARKED = 3
"""Intensity C."""
MAX_COVERED = 0.001
HEAD = """\
# Every measurement on drawn resting faces: 5th and 95th percentile, and the 95th percentile of the difference between
# the sides. `auc` says how well it separates drawn faces with an AU at C or more from those without it: 0.5 is chance.
# Written by scripts/measure_faces.py; do not edit.
"""

Face = tuple[Mapping[str, str], Mapping[str, Measurement]]


def measured_faces(folders: Sequence[Path]) -> Iterator[Face]:
    """Yield the manifest's row and the measurements of every face that can be measured."""
    finder = FaceFinder(max_faces=1)
    for folder in folders:
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if float(row["covered"]) > MAX_COVERED:
                continue
            image = read_image(folder / row["image"])
            for face in finder.find(image):
                crop = align_face(image, face.landmarks_xy, GEOMETRY)
                found = MeasuredFace.of(crop, face.landmarks_xy, GEOMETRY).plain
                if found:
                    yield row, {each.name: each for each in found}


def is_resting(row: Mapping[str, str]) -> bool:
    """Say whether no AU of a face is active."""
    return not any(value == "1" for name, value in row.items() if name.startswith("AU") and name[2:].isdecimal())


def auc(values: NDArray[np.float64], active: NDArray[np.bool_], direction: Direction) -> float:
    """Return the share of pairs of an active and an inactive face that a measurement orders as the AU would."""
    ranks = np.empty(len(values))
    ranks[(direction.sign * values).argsort()] = np.arange(1, len(values) + 1)
    positives = int(active.sum())
    above = ranks[active].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(values) - positives)))


def lines(faces: Sequence[Face], folders: Sequence[Path]) -> Iterator[str]:
    """Yield the lines of the data file."""
    neutral = [found for row, found in faces if is_resting(row)]
    settings = [json.loads((folder / "settings.json").read_text("utf-8")) for folder in folders]
    yield HEAD
    yield "[made_from]"
    yield f"faces = {len(faces)}"
    yield f"resting_faces = {len(neutral)}"
    drawn = ", ".join(
        f"{each['preset']} ({each['subjects']} people, {each['size']} pixels, seed {each['seed']}, "
        f"generator {each['generator']})"
        for each in settings
    )
    yield f'drawn = "{drawn}"'
    for each in definitions():
        values = np.array([found[each.name].value for found in neutral if each.name in found])
        low, high = np.percentile(values, [5, 95])
        yield f"\n[{each.name}]\nlow = {low:.4f}\nhigh = {high:.4f}"
        if each.sided:
            apart = [abs(m.left - m.right) for m in (f[each.name] for f in neutral if each.name in f)]  # type: ignore[operator]
            yield f"uneven = {np.percentile(apart, 95):.4f}"
        scores = []
        for au_id, direction in each.aus.items():
            known = [(row, found[each.name].value) for row, found in faces if each.name in found]
            clear = [
                (value, row[f"AU{au_id}"] == "1")
                for row, value in known
                if row[f"AU{au_id}"] == "0" or int(row[f"AU{au_id}_intensity"]) >= MARKED
            ]
            values, active = np.array([value for value, _ in clear]), np.array([state for _, state in clear])
            scores.append(f"{au_id} = {auc(values, active, direction):.3f}")
        yield f"auc = {{ {', '.join(scores)} }}"


def main() -> None:
    """Measure the faces of the folders and write the data file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders that `vlfau synth` wrote")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="the file to write")
    given = parser.parse_args()
    faces = list(measured_faces(given.folders))
    with replacing(given.out) as temporary:
        temporary.write_text("\n".join(lines(faces, given.folders)) + "\n", "utf-8")
    print(f"measured {len(faces)} faces: {given.out}")


if __name__ == "__main__":
    main()
