import subprocess
import sys

import numpy as np
import pytest

from vlfau.faces import FaceReader
from vlfau.faces.blendshapes import BLENDSHAPE_NAMES

from .conftest import rotated

SMILE = [BLENDSHAPE_NAMES.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
ONE_SIDED = [
    (BLENDSHAPE_NAMES.index(f"{name}Left"), BLENDSHAPE_NAMES.index(f"{name}Right"))
    for name in ("eyeBlink", "mouthSmile", "browOuterUp")
]


@pytest.fixture(scope="module")
def reader():
    return FaceReader()


def test_a_face_is_read_where_it_was_found(reader, astronaut, face):
    (reading,) = reader(astronaut, [face])
    left, top, right, bottom = face.face_box_xyxy
    middle = reading.landmarks_xy.mean(0)
    assert left < middle[0] < right
    assert top < middle[1] < bottom
    assert reading.presence > 0.95
    assert (reading.landmarks_xy.shape, reading.canonical.shape, reading.blendshapes.shape) == (
        (478, 2),
        (478, 3),
        (52,),
    )
    assert reading.blendshapes[SMILE].min() > 0.5


def test_a_tilted_head_moves_as_an_upright_one(reader, finder, astronaut, face):
    tilted, _ = rotated(astronaut, 25)
    (there,) = reader(tilted, finder.find(tilted)[:1])
    (here,) = reader(astronaut, [face])
    assert np.abs(there.blendshapes - here.blendshapes).mean() < 0.04


def test_a_mirrored_face_moves_on_the_other_side(reader, finder, astronaut, face):
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    (there,) = reader(mirrored, finder.find(mirrored)[:1])
    (here,) = reader(astronaut, [face])
    for left, right in ONE_SIDED:
        assert abs(there.blendshapes[left] - here.blendshapes[right]) < 0.15


def test_faces_read_together_are_as_each_alone(reader, astronaut, face):
    both = reader(astronaut, [face, face])
    (alone,) = reader(astronaut, [face])
    np.testing.assert_allclose(both[1].canonical, alone.canonical, atol=1e-4)
    assert reader(astronaut, []) == []


def test_networks_are_opened_for_the_first_face_and_without_torch():
    program = (
        "import sys; sys.modules['torch'] = None; import numpy as np; from vlfau.faces import FaceReader; "
        "reader = FaceReader(); reader(np.zeros((8, 8, 3), np.uint8), []); print(sorted(vars(reader)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "['threads']\n"
