import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.facs import Side
from vlfau.synthetic import Expression, Subject
from vlfau.synthetic.au_shapes import au_shapes
from vlfau.synthetic.components import components
from vlfau.synthetic.expression import shape_weights
from vlfau.synthetic.framing import landmark_points
from vlfau.synthetic.head import load_head
from vlfau.synthetic.presets import joints, preset
from vlfau.synthetic.resting import read_resting, resting_shape

EYES = (33, 133, 263, 362)
RIGHT_BROW_INNER, RIGHT_BROW_ARCH, RIGHT_BROW_OUTER = 107, 105, 63
RIGHT_CORNER, LEFT_CORNER, RIGHT_CHEEK, RIGHT_WING, UNDER_NOSE, UPPER_LIP = 61, 291, 205, 129, 2, 0


def below_eyes(points, landmark):
    """How far a landmark lies below the eyes, in distances between the outer corners of the eyes."""
    place = points[landmark_points()[landmark]]
    eyes = np.mean([points[landmark_points()[number]] for number in EYES], axis=0)
    return (eyes[1] - place[1]) / size()


def size():
    right, left = (load_head().mean[landmark_points()[number]] for number in (33, 263))
    return np.linalg.norm(right - left)


def face(weights):
    head = load_head()
    points = head.mean.copy()
    for name, weight in weights.items():
        shape = head.shape(name)
        points[shape.points] += weight * shape.deltas
    return points


def moved(au_ids, landmark, table="lifelike"):
    """How far a landmark sinks when AUs act at D, in distances between the outer corners of the eyes."""
    acting = face(shape_weights(Expression.of(dict.fromkeys(au_ids, 4.0)), {}, table))
    return below_eyes(acting, landmark) - below_eyes(load_head().mean, landmark)


@pytest.mark.parametrize(
    ("au_ids", "landmark", "least", "most"),
    [
        ((1, 2), RIGHT_BROW_INNER, -0.16, -0.07),
        ((1, 2), RIGHT_BROW_ARCH, -0.14, -0.07),
        ((1, 2), RIGHT_BROW_OUTER, -0.14, -0.06),
        ((6, 12), RIGHT_CORNER, -0.18, -0.12),
        ((9,), RIGHT_CORNER, -0.08, -0.03),
        ((9,), RIGHT_CHEEK, -0.08, -0.03),
        ((17,), RIGHT_CORNER, -0.08, -0.03),
        ((15,), RIGHT_CORNER, 0.03, 0.08),
    ],
)
def test_lifelike_movements_are_as_large_as_those_of_posed_real_faces(au_ids, landmark, least, most):
    assert least < moved(au_ids, landmark) < most


def test_a_lifelike_smile_is_wider_than_the_standard_one():
    widths = [
        np.ptp([face(shape_weights(Expression.of({12: 4}), {}, table))[landmark_points()[n], 0] for n in (61, 291)])
        for table in ("standard", "lifelike")
    ]
    rest = np.ptp([load_head().mean[landmark_points()[n], 0] for n in (RIGHT_CORNER, LEFT_CORNER)])
    standard, lifelike = ((width - rest) / size() for width in widths)
    assert standard < 0.11 < 0.14 < lifelike < 0.24


def test_rows_that_a_table_does_not_name_are_the_standard_ones():
    standard, lifelike = au_shapes("standard"), au_shapes("lifelike")
    assert set(standard) == set(lifelike)
    assert standard[4, Side.LEFT] == lifelike[4, Side.LEFT]
    assert standard[12, Side.LEFT] != lifelike[12, Side.LEFT]


def test_an_unknown_shape_table_is_refused():
    with pytest.raises(ConfigError, match="no shape table 'none'; choose among standard, lifelike"):
        au_shapes("none")


def test_faces_at_rest_have_lower_brows_and_thinner_lips_with_resting_traits():
    rng = np.random.default_rng(0)
    brows, lips = [], []
    for _ in range(60):
        points = face(resting_shape(1.0, rng))
        brows.append(-below_eyes(points, RIGHT_BROW_ARCH))
        lips.append(below_eyes(points, 13) - below_eyes(points, UPPER_LIP))
    plain = load_head().mean
    assert 0.02 < -below_eyes(plain, RIGHT_BROW_ARCH) - np.mean(brows) < 0.09
    assert np.std(brows) > 0.015
    assert np.mean(lips) < below_eyes(plain, 13) - below_eyes(plain, UPPER_LIP)


def test_resting_traits_leave_people_of_other_components_as_they_are():
    everyday = components("everyday")
    assert everyday.resting == 0
    assert resting_shape(0.0, np.random.default_rng(0)).keys() == resting_shape(0.0, np.random.default_rng(1)).keys()
    one, other = (Subject.sample(5, 3, gender="M", chances=components(name)) for name in ("everyday", "lifelike"))
    assert one.shapes == "standard"
    assert other.shapes == "lifelike"
    assert max(other.gains.values()) > 1.25 >= max(one.gains.values())


def test_posed_faces_play_the_prototypes_of_seven_expressions():
    names = {joint.name.split(",")[0].split(" ")[0] for joint in joints("posed")}
    assert {"surprise", "broad", "anger", "disgust", "fear", "sadness", "contempt"} <= names
    assert preset("posed").joint_share > 0.7
    pressed = next(joint for joint in joints("posed") if joint.name == "anger, pressed lips and pushed chin")
    assert set(pressed.ranges) == {4, 7, 17, 23, 24}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[trait]]\nname = 'x'\nsigma = 1\nmore = { both = { 'unit/none' = 1 } }\nless = {}", "unit/none"),
        ("[[trait]]\nname = 'x'\nsigma = 9\nmore = {}\nless = {}", "a number from 0 to 2, found 9"),
        ("[[trait]]\nname = 'x'\nsigma = 1\nmore = { up = { a = 1 } }\nless = {}", "no such key; known are left"),
    ],
)
def test_a_broken_table_of_traits_is_refused_with_its_place(tmp_path, text, message):
    path = tmp_path / "resting.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_resting(path)
