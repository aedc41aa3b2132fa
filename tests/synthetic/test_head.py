import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.synthetic.canonical import canvas
from vlfau.synthetic.framing import landmark_points
from vlfau.synthetic.geometry import normals_of, rotation
from vlfau.synthetic.head import load_head
from vlfau.synthetic.wrinkles import NUM_VARIANTS, folds


def moves(name):
    head = load_head()
    shape = head.shape(name)
    whole = np.zeros_like(head.base)
    whole[shape.points] = shape.deltas
    return whole


def test_the_halves_of_a_symmetric_shape_make_the_whole():
    left, right = moves("unit/browInnerUp@left"), moves("unit/browInnerUp@right")
    assert np.allclose(left + right, moves("unit/browInnerUp"), atol=1e-6)
    assert abs(left[load_head().mean[:, 0] < -0.06]).max() == 0


@pytest.mark.parametrize("name", ["unit/none", "unit/browInnerUp@top"])
def test_an_unknown_shape_is_refused(name):
    with pytest.raises(ConfigError, match="the head has no shape"):
        load_head().shape(name)


def test_mixing_adds_weighted_shapes_to_the_base():
    head = load_head()
    mixed = head.mix({"unit/jawOpen": 0.5})
    assert np.allclose(mixed - head.base, 0.5 * moves("unit/jawOpen"), atol=1e-6)


def test_the_landmarks_lie_on_the_front_of_the_mean_head():
    head = load_head()
    places = {number: head.mean[point] for number, point in landmark_points().items()}
    assert places[263][0] > 0.3 > -0.3 > places[33][0]
    assert places[10][1] > places[168][1] > places[1][1] > places[13][1] > places[14][1] > places[152][1]
    assert places[1][2] == max(place[2] for place in places.values())


def test_the_gradient_of_a_height_lies_in_the_surface():
    at = canvas(256)
    gradient = at.gradient(at.y)
    forehead = (abs(at.x) < 0.2) & (abs(at.y - 7.75) < 0.1) & (at.z > 1)
    # The gradient is the way up, (0, 1, 0), laid on the surface: its squared length is then its own upward part.
    up = gradient[forehead][:, 1]
    assert np.median(up) > 0.85
    assert (gradient[forehead] ** 2).sum(1) == pytest.approx(up, abs=0.1)


@pytest.mark.parametrize("variant", range(NUM_VARIANTS))
def test_the_sides_of_a_wrinkle_do_not_overlap(variant):
    at = canvas(512)
    for (name, side), fold in folds(variant).items():
        height, width = fold.relief.shape[:2]
        x = at.x[fold.top : fold.top + height, fold.left : fold.left + width]
        other = x < -0.03 if side == "left" else x > 0.03
        assert abs(fold.relief[..., 3][other]).max(initial=0) == 0, (name, side)


def test_normals_point_out_of_the_face():
    head = load_head()
    normals = np.empty_like(head.mean)
    normals_of(head.mean, head.parts["skin"].mesh, normals)
    assert normals[landmark_points()[1]][2] > 0.8


def test_rotation_follows_the_signs_of_the_catalogue():
    assert rotation(90, 0, 0) @ [0, 0, 1] == pytest.approx([1, 0, 0])
    assert rotation(0, 90, 0) @ [0, 0, 1] == pytest.approx([0, 1, 0])
    assert rotation(0, 0, 90) @ [0, 1, 0] == pytest.approx([1, 0, 0])
