"""`vlfau landmarks` writes FaceMesh's landmarks into a manifest."""

import csv

import cv2
import numpy as np
import pytest

from vlfau.cli import main
from vlfau.data.manifest import read_manifest
from vlfau.errors import ManifestError
from vlfau.faces.pose import SPARSE_LANDMARKS
from vlfau.prepare.landmarks import add_landmarks


@pytest.fixture
def manifest(tmp_path, photo):
    cv2.imwrite(str(tmp_path / "face.png"), photo[..., ::-1])
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((100, 100, 3), 90, np.uint8))
    path = tmp_path / "manifest.csv"
    path.write_text("image,subject,AU1,note\nface.png,a,1,kept\nwall.png,b,0,\n")
    return path


def test_landmarks_are_added_and_everything_else_stays(manifest):
    assert main(["landmarks", str(manifest)]) == 0
    frames = read_manifest(manifest)
    assert frames.landmark_ids == SPARSE_LANDMARKS
    places = dict(zip(SPARSE_LANDMARKS, frames.frames[0].landmarks_xy, strict=True))
    assert places[33][0] < places[133][0] < places[362][0] < places[263][0]  # the eyes, from the picture's left
    assert places[10][1] < places[6][1] < places[13][1] < places[152][1]  # forehead, nose, lips, chin
    assert np.isnan(frames.frames[1].landmarks_xy).all()
    with manifest.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["note"] for row in rows] == ["kept", ""]


def test_a_picture_that_is_gone_is_named(manifest):
    (manifest.parent / "wall.png").unlink()
    before = manifest.read_text()
    with pytest.raises(ManifestError, match=r"wall\.png.* names the file"):
        add_landmarks(manifest)
    assert manifest.read_text() == before


def test_a_file_without_pictures_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ManifestError, match="no column 'image'"):
        add_landmarks(tmp_path / "other.csv")


def test_a_manifest_that_is_not_there_is_named_once(tmp_path):
    with pytest.raises(
        ManifestError, match=r"^manifest \S+absent.csv can't be opened \([A-Z][^\[]*\); check the path$"
    ):
        add_landmarks(tmp_path / "absent.csv")
