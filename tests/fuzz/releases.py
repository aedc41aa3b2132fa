"""Labels of data sets as they are delivered, and the field's list files."""

import shutil

import cv2
import numpy as np

from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import pick
from vlfau.facs import AU_SETS
from vlfau.prepare.bp4d import read_bp4d
from vlfau.prepare.ckplus import read_ckplus
from vlfau.prepare.disfa import read_disfa
from vlfau.prepare.disfaplus import read_disfaplus
from vlfau.prepare.lists import read_lists

SUBJECTS = ("F007", "M011", "F001")
"""One of every fold."""


class _Releases(TextKind):
    """Copies of a folder in which one text is damaged."""

    separators = ", /\n"
    texts = ""
    """Which files may be damaged."""

    def write(self, folder, rng):
        path = shutil.copytree(self.seeds, folder / "release", ignore=lambda *_: [".made"])
        if rng is not None:
            file = pick(rng, sorted(path.rglob(self.texts)))
            file.write_bytes(self.damage(file.name, file.read_bytes(), rng))
        return path

    def read(self, path):
        source = self.read_source(path)
        assert source.clips
        for _, frame in source.frames():
            assert len(frame.occurrence) == len(source.protocol.au_ids)
            assert set(frame.occurrence) <= {0, 1, None}

    def put(self, name, content):
        path = self.seeds / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


class Bp4d(_Releases):
    texts = "*.csv"

    def prepare(self):
        head = ",".join(map(str, (0, *AU_SETS["bp4d"])))
        rows = "".join(f"{number},0,1,9{',0' * 9}\n" for number in (2440, 2441))
        for subject in SUBJECTS:
            self.put(f"AUCoding/AU_OCC/{subject}_T1.csv", f"{head}\n{rows}")
            self.put(f"2D+3D/{subject}/T1/2440.jpg", "")

    def read_source(self, path):
        return read_bp4d(path)


class Disfa(_Releases):
    texts = "*.txt"

    def prepare(self):
        for au_id in AU_SETS["disfa"]:
            self.put(f"ActionUnit_Labels/SN003/SN003_au{au_id}.txt", "1,0\n2,5\n3,2\n")
        (self.seeds / "Videos_LeftCamera").mkdir()
        path = self.seeds / "Videos_LeftCamera" / "LeftVideoSN003_comp.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (32, 32))
        for _ in range(3):
            writer.write(np.zeros((32, 32, 3), np.uint8))
        writer.release()

    def read_source(self, path):
        return read_disfa(path)


class Ckplus(_Releases):
    separators = " .\n"
    texts = "*.txt"

    def prepare(self):
        for subject in ("S005", "S010", "S999"):
            self.put(f"FACS/{subject}/001/{subject}_001_00000011_facs.txt", "   9.0e+00   4.0e+00\n   L12   0.0\n")
            self.put(f"cohn-kanade-images/{subject}/001/{subject}_001_00000011.png", "")

    def read_source(self, path):
        return read_ckplus(path, with_neutral=True)


class Disfaplus(_Releases):
    separators = " .\n"
    texts = "*.txt"

    def prepare(self):
        for au_id in AU_SETS["disfaplus"]:
            self.put(f"Labels/SN001/A1_AU1_TrailNo_1/AU{au_id}.txt", "# picture level\n000.jpg     0\n001.jpg     3\n")
        self.put("Images/SN001/A1_AU1_TrailNo_1/000.jpg", "")

    def read_source(self, path):
        return read_disfaplus(path)


class Lists(_Releases):
    texts = "lists/*.*"

    def prepare(self):
        for fold, subject in enumerate(SUBJECTS, 1):
            self.put(f"lists/BP4D_test_img_path_fold{fold}.txt", f"{subject}/T1/2440.jpg\n{subject}/T1/2441.jpg\n")
            self.put(f"lists/BP4D_test_label_fold{fold}.txt", f"{'1 0 ' * 6}\n{'0 9 ' * 6}\n")
            self.put(f"images/{subject}/T1/2440.jpg", "")
        self.put("lists/subjects.csv", "subject_id,gender\nF007,F\nM011,M\nF001,\n")

    def read_source(self, path):
        return read_lists(path / "lists", path / "images")
