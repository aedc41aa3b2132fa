import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.faces.conftest import ASTRONAUT
from vlfau.facs import AU_SETS


@pytest.fixture(scope="session")
def photo():
    """A face that fills half of its picture, (220, 220, 3) uint8 RGB."""
    return np.ascontiguousarray(cv2.imread(str(ASTRONAUT))[20:240, 120:340, ::-1])


@pytest.fixture(scope="session")
def jpeg(photo):
    """The same as a JPEG file's bytes."""
    return cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.fixture
def make_bp4d(tmp_path, jpeg):
    """Return a function that writes a release of BP4D and gives its folder."""

    def make(tasks, *, root="2D+3D", codes="AUCoding/AU_OCC", name="{frame}.jpg", lower=False, folder="bp4d"):
        """Write tasks: (subject, task) to {frame: {AU: code}}; AUs that are not given are absent."""
        base = tmp_path / folder
        au_ids = range(1, 28)  # The release codes more than the twelve.
        for (subject, task), frames in tasks.items():
            rows = [[0, *au_ids]]
            rows += [[frame, *(labels.get(au_id, 0) for au_id in au_ids)] for frame, labels in frames.items()]
            stem = f"{subject}_{task}.csv"
            table = base / codes / (stem.lower() if lower else stem)
            table.parent.mkdir(parents=True, exist_ok=True)
            with table.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
            place = Path(subject) / task
            pictures = base / root / (str(place).lower() if lower else place)
            pictures.mkdir(parents=True)
            for frame in frames:
                (pictures / name.format(frame=frame)).write_bytes(jpeg)
        return base

    return make


@pytest.fixture
def bp4d(make_bp4d):
    """One subject of every fold with six frames in two tasks."""
    tasks = {}
    for subject in ("F007", "M011", "F001"):
        tasks[subject, "T1"] = {2440: {12: 1, 1: 9}, 2441: {12: 1, 6: 1}, 2442: {}}
        tasks[subject, "T8"] = {7: dict.fromkeys(AU_SETS["bp4d"], 1), 8: {}, 9: {}}
    return make_bp4d(tasks)


@pytest.fixture
def make_disfa(tmp_path, photo):
    """Return a function that writes a release of DISFA and gives its folder."""

    def make(
        subjects,
        *,
        video="LeftVideo{subject}_comp.avi",
        label="{subject}_au{au_id}.txt",
        extra=0,
        short=0,
        fourcc="MJPG",
    ):
        """Write subjects: name to one {AU: intensity} a frame."""
        base = tmp_path / "disfa"
        videos = base / "Videos_LeftCamera"
        videos.mkdir(parents=True)
        for subject, frames in subjects.items():
            labels = base / "ActionUnit_Labels" / subject
            labels.mkdir(parents=True)
            for au_id in AU_SETS["disfa"]:
                lines = [f"{number},{frame.get(au_id, 0)}\n" for number, frame in enumerate(frames, 1)]
                (labels / label.format(subject=subject, au_id=au_id)).write_text("".join(lines), encoding="utf-8")
            writer = cv2.VideoWriter(
                str(videos / video.format(subject=subject)), cv2.VideoWriter_fourcc(*fourcc), 20, (220, 220)
            )
            for number in range(1, len(frames) + extra - short + 1):
                writer.write(shade(photo, number)[..., ::-1])
            writer.release()
        return base

    return make


@pytest.fixture
def make_ckplus(tmp_path, photo):
    """Return a function that writes a release of CK+ and gives its folder."""
    grey = cv2.cvtColor(cv2.resize(photo, (440, 440), interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
    frame = np.full((490, 640), 128, np.uint8)
    frame[25:465, 100:540] = grey
    encoded = cv2.imencode(".png", frame)[1].tobytes()

    def make(sequences, *, images="cohn-kanade-images", facs="FACS", lengths=None, suffix=".png"):
        """Write sequences: "S005/001" to {code: intensity}, or None for one without codes; each has three frames."""
        base = tmp_path / "ckplus"
        for name, codes in sequences.items():
            stem = name.replace("/", "_")
            length = (lengths or {}).get(name, 3)
            (base / images / name).mkdir(parents=True)
            for number in range(1, length + 1):
                (base / images / name / f"{stem}_{number:08}{suffix}").write_bytes(encoded)
            (base / facs / name).mkdir(parents=True)
            if codes is not None:
                lines = [f"   {_written(code)}   {intensity:.7e}\n" for code, intensity in codes.items()]
                (base / facs / name / f"{stem}_{length:08}_facs.txt").write_text("".join(lines), encoding="utf-8")
        return base

    return make


def _written(code):
    """A code as the release writes it: a number, or a side and a number."""
    return code if isinstance(code, str) else f"{code:.7e}"


@pytest.fixture
def make_disfaplus(tmp_path, jpeg):
    """Return a function that writes a release of DISFA+ and gives its folder."""

    def make(
        trials,
        *,
        images="Images/{subject}/{trial}/{number:03}.jpg",
        labels="Labels/{subject}/{trial}/AU{au_id}.txt",
        heading="# Action unit: {au_id}\n# picture  intensity\n",
        line="{number:03}.jpg     {intensity}\n",
    ):
        """Write trials: (subject, trial) to one {AU: intensity} for each frame."""
        base = tmp_path / "disfaplus"
        for (subject, trial), frames in trials.items():
            for au_id in AU_SETS["disfaplus"]:
                text = heading.format(au_id=au_id)
                for number, frame in enumerate(frames):
                    text += line.format(number=number, intensity=frame.get(au_id, 0))
                path = base / labels.format(subject=subject, trial=trial, au_id=au_id)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            for number in range(len(frames)):
                path = base / images.format(subject=subject, trial=trial, number=number)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(jpeg)
        return base

    return make


def shade(photo, number):
    """The photograph with a grey level in its corner that tells the frame."""
    marked = photo.copy()
    marked[:20, :20] = 20 * number
    return marked


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
