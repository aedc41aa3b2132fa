import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.faces.blendshapes import BLENDSHAPE_LANDMARKS, BLENDSHAPE_NAMES, Blendshapes
from vlfau.faces.mesh import DenseFaceMesh, Mesh

EYES = {469: (33, 133), 474: (263, 362)}
"""A landmark on either iris, and the corners of its eye."""


@pytest.fixture(scope="module")
def dense():
    return DenseFaceMesh()


@pytest.fixture(scope="module")
def movements():
    return Blendshapes()


def mesh_of(dense, picture, face):
    return dense(picture, [Mesh(face.landmarks_xy, face.landmarks_z, 1.0).region()])[0]


@pytest.fixture(scope="module")
def mesh(dense, astronaut, face):
    return mesh_of(dense, astronaut, face)


def test_both_meshes_agree_on_what_they_share(mesh, face):
    eye_distance = np.linalg.norm(face.landmarks_xy[33] - face.landmarks_xy[263])
    distances = np.linalg.norm(mesh.landmarks_xy[:468] - face.landmarks_xy, axis=1)
    assert mesh.presence > 0.95
    assert np.median(distances) < 0.05 * eye_distance


@pytest.mark.parametrize(("iris", "corners"), EYES.items())
def test_irises_lie_between_the_corners_of_their_eyes(mesh, iris, corners):
    left, right = sorted(mesh.landmarks_xy[list(corners), 0])
    assert mesh.landmarks_xy.shape == (478, 2)
    assert left < mesh.landmarks_xy[iris, 0] < right


def test_a_smiling_woman_smiles_on_both_sides_and_has_her_eyes_open(mesh, movements):
    read = dict(zip(BLENDSHAPE_NAMES, movements(mesh.landmarks_xy[None])[0], strict=True))
    assert min(read["mouthSmileLeft"], read["mouthSmileRight"]) > 0.5
    assert max(read["eyeBlinkLeft"], read["eyeBlinkRight"], read["jawOpen"], read["browDownLeft"]) < 0.3


def test_movements_do_not_depend_on_the_size_of_the_face_or_on_its_neighbours(mesh, movements):
    points = mesh.landmarks_xy
    together = movements(np.stack([points, 3 * points + 7, points[::-1]]))
    np.testing.assert_allclose(together[1], together[0], atol=2e-3)
    np.testing.assert_allclose(movements(points[None])[0], together[0], atol=1e-5)


def test_names_and_landmarks_are_as_many_as_the_network_has():
    assert len(BLENDSHAPE_NAMES) == len(set(BLENDSHAPE_NAMES)) == 52
    assert len(BLENDSHAPE_LANDMARKS) == len(set(BLENDSHAPE_LANDMARKS)) == 146
    assert max(BLENDSHAPE_LANDMARKS) == 477


def test_landmarks_of_the_other_mesh_are_refused(movements, face):
    with pytest.raises(ConfigError, match=r"\(B, 478, 2\).*\(1, 468, 2\)"):
        movements(face.landmarks_xy[None])
