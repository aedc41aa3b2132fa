"""Miniature releases of BP4D, DISFA and CK+ in their true layouts, with drawn faces whose AUs are known."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vlfau.facs import AU_SETS
from vlfau.synthetic import Subject, render

SIZE = 160
"""Side of the pictures."""
CODED_FROM = 2440
TASKS = ("T1", "T8")
FRAMES = 4
"""In every task of BP4D; DISFA's only one has as many as both."""
PEOPLE = {
    "bp4d": {1: ("F007", "M003"), 2: ("M011", "F003"), 3: ("F001", "M007")},
    "disfa": {1: ("SN003", "SN029"), 2: ("SN013", "SN018"), 3: ("SN002", "SN010")},
}
"""Some of the people that every published fold tests."""


@dataclass(frozen=True)
class Release:
    """A miniature release.

    Attributes:
        name: "bp4d" or "disfa".
        folder: Where it is.
        intensities: Of every frame the intensity of each AU, by subject, task and number.
        faceless: The frame whose picture shows no face, or None.
        unknown: The frame and the AU that the coder could not see, or None.
    """

    name: str
    folder: Path
    intensities: dict[tuple[str, str, int], dict[int, int]]
    faceless: tuple[str, str, int] | None = None
    unknown: tuple[tuple[str, str, int], int] | None = None

    def present(self, frame: tuple[str, str, int], au_id: int) -> bool:
        """Whether an AU counts as present: from intensity A on in BP4D, from B on in DISFA."""
        return self.intensities[frame][au_id] >= (1 if self.name == "bp4d" else 2)


def make_bp4d(folder: Path) -> Release:
    """Write tables of codes and folders of pictures; one picture shows no face, and one code is 9."""
    intensities, pictures = _draw("bp4d", TASKS, CODED_FROM, levels=(0, 0, 0, 3, 5))
    faceless, unknown = ("F007", "T1", CODED_FROM), (("M011", "T8", CODED_FROM + 1), 12)
    for subject, task in sorted({frame[:2] for frame in intensities}):
        frames = [frame for frame in intensities if frame[:2] == (subject, task)]
        table = folder / "AUCoding" / "AU_OCC" / f"{subject}_{task}.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([0, *range(1, 28)])  # The release codes more than the twelve.
            for frame in frames:
                codes = [int(intensities[frame].get(au_id, 0) >= 1) for au_id in range(1, 28)]
                if frame == unknown[0]:
                    codes[unknown[1] - 1] = 9
                writer.writerow([frame[2], *codes])
        place = folder / "2D+3D" / subject / task
        place.mkdir(parents=True)
        for frame in frames:
            picture = np.full_like(pictures[frame], 90) if frame == faceless else pictures[frame]
            cv2.imwrite(str(place / f"{frame[2]}.jpg"), picture[..., ::-1])
    return Release("bp4d", folder, intensities, faceless, unknown)


def make_disfa(folder: Path) -> Release:
    """Write a text of intensities for every AU and a video of the left camera."""
    intensities, pictures = _draw("disfa", ("left",), 1, levels=(0, 0, 0, 1, 2, 4, 5))
    videos = folder / "Videos_LeftCamera"
    videos.mkdir(parents=True)
    for subject in sorted({subject for subject, _, _ in intensities}):
        frames = [frame for frame in intensities if frame[0] == subject]
        labels = folder / "ActionUnit_Labels" / subject
        labels.mkdir(parents=True)
        for au_id in AU_SETS["disfa"]:
            lines = [f"{frame[2]},{intensities[frame][au_id]}\n" for frame in frames]
            (labels / f"{subject}_au{au_id}.txt").write_text("".join(lines), encoding="utf-8")
        path = videos / f"LeftVideo{subject}_comp.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (SIZE, SIZE))
        for frame in frames:
            writer.write(pictures[frame][..., ::-1])
        writer.release()
    return Release("disfa", folder, intensities)


def make_ckplus(folder: Path) -> None:
    """Write sequences of CK+, grey, each of a neutral first frame and a coded last one."""
    for number, subject in enumerate(("S005", "S010", "S999")):
        person = Subject.sample(9, number)
        for sequence in (1, 2):
            codes = {au_id: 3 for place, au_id in enumerate(AU_SETS["bp4d"]) if (place + sequence) % 2}
            stem = f"{subject}_{sequence:03}"
            pictures, facs = (folder / kind / subject / f"{sequence:03}" for kind in ("cohn-kanade-images", "FACS"))
            pictures.mkdir(parents=True)
            facs.mkdir(parents=True)
            for frame, intensities in ((1, {}), (12, codes)):
                picture = cv2.cvtColor(render(person, intensities, size=SIZE), cv2.COLOR_RGB2GRAY)
                cv2.imwrite(str(pictures / f"{stem}_{frame:08}.png"), picture)
            lines = [f"   {au_id:.7e}   {intensity:.7e}\n" for au_id, intensity in codes.items()]
            (facs / f"{stem}_{12:08}_facs.txt").write_text("".join(lines), encoding="utf-8")


def _draw(name, tasks, first, *, levels):
    """Return intensities and pictures (SIZE, SIZE, 3) by frame; every AU is present and absent in every fold."""
    rng = np.random.default_rng(5)
    count = FRAMES * len(TASKS) // len(tasks)
    intensities, pictures = {}, {}
    for fold, people in PEOPLE[name].items():
        frames = [(person, task, first + place) for person in people for task in tasks for place in range(count)]
        for frame in frames:
            intensities[frame] = {}
        for au_id in AU_SETS[name]:
            values = [levels[place % len(levels)] for place in range(len(frames))]
            for frame, value in zip(frames, rng.permutation(values), strict=True):
                intensities[frame][au_id] = int(value)
        if name == "disfa":
            for frame in frames:  # Jaws that drop part the lips.
                intensities[frame][25] = max(intensities[frame][25], intensities[frame][26])
        for number, person in enumerate(people):
            gender = person[0] if person[0] in "FM" else "FM"[number]
            subject = Subject.sample(fold, number, gender=gender)
            for frame in frames:
                if frame[0] == person:
                    pictures[frame] = render(subject, intensities[frame], size=SIZE)
    return intensities, pictures
