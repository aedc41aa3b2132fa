import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.faces.mesh import DenseFaceMesh, Mesh
from vlfau.faces.pose import MEAN_FACE, STABLE, canonical_points

from .conftest import rotated


def turned(points, degrees):
    """Points turned about the vertical axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])


@pytest.mark.parametrize("degrees", [0, 20, -35])
def test_a_turned_moved_and_enlarged_face_comes_back(degrees):
    face = MEAN_FACE.copy()
    face[61] += [0.05, -0.1, 0.02]  # a corner of the mouth, raised
    seen = 180 * turned(face, degrees) + [400, 90, 7]
    np.testing.assert_allclose(canonical_points(seen[:, :2], seen[:, 2]), face, atol=1e-6)


def test_ten_further_points_go_along_and_stable_ones_decide():
    irises = np.zeros((10, 3))
    seen = 50 * np.concatenate([MEAN_FACE, irises])
    moved = seen.copy()
    moved[[n for n in range(468) if n not in STABLE]] += 30
    found = canonical_points(moved[:, :2], moved[:, 2])
    np.testing.assert_allclose(found[list(STABLE)], MEAN_FACE[list(STABLE)], atol=1e-6)
    np.testing.assert_allclose(found[0] - MEAN_FACE[0], [0.6, 0.6, 0.6], atol=1e-6)
    np.testing.assert_allclose(found[468:], 0, atol=1e-6)


def test_a_tilted_photograph_gives_nearly_the_same_points(astronaut, face, finder):
    dense = DenseFaceMesh()

    def read(picture, seen):
        mesh = dense(picture, [Mesh(seen.landmarks_xy, seen.landmarks_z, 1.0).region()])[0]
        return canonical_points(mesh.landmarks_xy, mesh.landmarks_z)

    tilted, _ = rotated(astronaut, 12)
    difference = read(tilted, finder.find(tilted)[0]) - read(astronaut, face)
    assert np.median(np.linalg.norm(difference[:, :2], axis=1)) < 0.02


@pytest.mark.parametrize(
    ("landmarks", "depths", "message"),
    [
        (np.zeros((68, 2)), np.zeros(68), r"468 or more, 2\), as FaceMesh finds them, got \(68, 2\)"),
        (np.zeros((468, 2)), np.zeros(478), r"a depth for each of 468 landmarks, got \(478,\)"),
    ],
)
def test_other_landmarks_are_refused(landmarks, depths, message):
    with pytest.raises(ConfigError, match=message):
        canonical_points(landmarks, depths)
