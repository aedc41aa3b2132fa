from functools import partial

import numpy as np
import pytest

from tests.synthetic.movements import MOVEMENTS, Movement, facemesh_landmarks, moves_right, own_landmarks
from vlfau.facs import Side, action_unit
from vlfau.synthetic import Expression, Framing, Light, Pose, Scene, Subject, render
from vlfau.synthetic.components import components
from vlfau.synthetic.head import load_head
from vlfau.synthetic.subject import pose_subject

EXPRESSIVE = (
    {},
    {27: 5},
    {22: 5},
    {18: 5},
    {28: 5, 26: 3},
    {16: 5, 45: 5},
    {12: 4, 6: 3, 25: 3},
    {1: 4, 2: 4, 26: 4, 25: 4},
    {4: 4, 9: 4, 24: 3},
    {15: 4, 17: 4, 43: 5},
)


def draw(renderer, subject, expression, **scene):
    return renderer.draw(subject, Scene(Expression.of(expression), **scene))


def test_the_same_seed_gives_the_same_picture(renderer, subjects):
    again = Subject.sample(7, 1, gender="M", chances=components("laboratory"))
    assert np.array_equal(draw(renderer, subjects[1], {12: 3}).image, draw(renderer, again, {12: 3}).image)


def test_other_seeds_give_other_people(renderer, subjects):
    faces = [draw(renderer, subject, {}).image.tobytes() for subject in subjects]
    assert len(set(faces)) == len(faces)


@pytest.mark.parametrize("expression", EXPRESSIVE)
def test_facemesh_finds_every_face(renderer, finder, subjects, expression):
    for subject in subjects:
        assert len(finder.find(draw(renderer, subject, expression).image)) == 1


@pytest.mark.parametrize("size", [80, 128])
def test_facemesh_finds_small_faces(finder, subjects, size):
    assert finder.find(render(subjects[0], {12: 3}, size=size))


def test_every_au_moves_the_heads_own_landmarks_as_expected(subjects):
    for subject in subjects:
        for intensity in (1, 3, 5):
            seen = moves_right(partial(own_landmarks, subject), intensity, MOVEMENTS)
            assert all(seen.values()), seen


GAP, CHIN, LIPS = Movement(((13, 14),), 1, 1), Movement(((2, 152),), 1, 1), Movement(((0, 17),), 1, 1)
LOWER_LIP, WIDTH = Movement(((2, 17),), 1, 1), Movement(((61, 291),), 0, 1)


@pytest.mark.parametrize(
    ("expression", "neighbour", "movement", "least"),
    [
        ({16: 3, 25: 3}, {25: 3}, LOWER_LIP, 0.02),
        ({22: 3}, {18: 3}, WIDTH, 0.02),
        ({23: 3}, {18: 3}, WIDTH, 0.02),
        ({22: 3}, {18: 3}, GAP, 0.08),
        ({27: 1, 25: 5}, {26: 5, 25: 5}, CHIN, 0.01),
        ({27: 5, 25: 5}, {26: 5, 25: 5}, CHIN, 0.08),
        ({24: 5}, {28: 5}, LIPS, 0.02),
        ({26: 4, 28: 4}, {28: 4}, CHIN, 0.05),
    ],
)
def test_neighbours_differ_in_what_facs_tells_them_apart_by(subjects, expression, neighbour, movement, least):
    for subject in subjects:
        here, there = (movement.measure(own_landmarks(subject, one)) for one in (expression, neighbour))
        assert here - there > least


@pytest.mark.parametrize("expression", [{18: 5}, {28: 1}, {28: 5}, {26: 5, 28: 5}, {26: 5, 28: 1}])
def test_lips_without_au_25_are_together(subjects, expression):
    for subject in subjects:
        rest, face = (GAP.measure(own_landmarks(subject, one)) for one in ({}, expression))
        assert face < rest + 0.01


def test_every_au_moves_20_fresh_people_as_expected():
    people = [Subject.sample(11, number) for number in range(20)]
    seen = [moves_right(partial(own_landmarks, person), 5, MOVEMENTS) for person in people]
    assert min(np.mean([one[au_id] for one in seen]) for au_id in MOVEMENTS) >= 0.9


def test_facemesh_sees_most_movements(renderer, finder, subjects):
    for_subject = [partial(facemesh_landmarks, renderer, finder, subject) for subject in subjects]
    seen = [value for look in for_subject for value in moves_right(look, 5, MOVEMENTS).values()]
    assert np.mean([value is True for value in seen]) >= 0.85


@pytest.mark.slow
def test_facemesh_sees_every_movement_on_20_people(renderer, finder):
    people = [Subject.sample(11, number, chances=components("laboratory")) for number in range(20)]
    seen = [moves_right(partial(facemesh_landmarks, renderer, finder, person), 5, MOVEMENTS) for person in people]
    rates = {au_id: np.mean([one[au_id] is True for one in seen]) for au_id in MOVEMENTS}
    assert min(rates.values()) >= 0.7, rates
    assert np.mean(list(rates.values())) >= 0.9, rates


@pytest.mark.parametrize("au_id", [au_id for au_id in MOVEMENTS if action_unit(au_id).sided])
def test_one_side_moves_while_the_other_rests(subjects, au_id):
    head, subject = load_head(), subjects[0]
    skin = head.parts["skin"].points
    rest = pose_subject(subject, Expression.of({}), Pose())[skin]
    left = head.mean[skin, 0] > 0.05
    right = head.mean[skin, 0] < -0.05
    for pair, own, other in (((4.0, 0.0), left, right), ((0.0, 4.0), right, left)):
        alone = Expression.of({au_id: pair}).without(25)  # AU 16 parts the lips, which have no sides
        moved = np.linalg.norm(pose_subject(subject, alone, Pose())[skin] - rest, axis=1)
        assert moved[own].sum() > 6 * moved[other].sum()


def test_the_left_brow_is_on_the_right_of_the_picture(renderer, subjects):
    drawing = draw(renderer, subjects[0], {})
    assert drawing.landmarks_xy[334][0] > drawing.landmarks_xy[105][0]


@pytest.mark.parametrize(
    ("pose", "expected"), [(Pose(yaw=20), "yaw"), (Pose(pitch=15), "pitch"), (Pose(roll=12), "roll")]
)
def test_the_pose_has_the_signs_of_the_catalogue(renderer, finder, subjects, pose, expected):
    scene = Scene(Expression.of({}), pose)
    straight = finder.find(draw(renderer, subjects[0], {}).image)[0].pose
    turned = finder.find(renderer.draw(subjects[0], scene).image)[0].pose
    change = {name: getattr(turned, name) - getattr(straight, name) for name in ("yaw", "pitch", "roll")}
    assert change[expected] == pytest.approx(getattr(pose, expected), abs=8)
    assert max(change, key=lambda name: abs(change[name])) == expected


def test_the_key_light_brightens_the_side_it_comes_from(renderer, subjects):
    from_right = Light(key_direction=(1, 0.2, 0.5), fill=(0, 0, 0))
    face = draw(renderer, subjects[0], {}, light=from_right).image[80:180].mean((0, 2))
    assert face[140:170].mean() > 1.2 * face[86:116].mean()


def test_an_aligned_drawing_lies_as_align_face_cuts_it(renderer, finder, subjects):
    from vlfau.faces.align import CropGeometry, alignment_matrix

    for subject in subjects:
        face = finder.find(draw(renderer, subject, {}, framing=Framing(aligned=True)).image)[0]
        matrix = alignment_matrix(face.landmarks_xy, CropGeometry(256, 256))
        centre = matrix[:, :2] @ [127.5, 127.5] + matrix[:, 2]
        assert np.linalg.norm(centre - 127.5) < 10
        assert np.sqrt(np.linalg.det(matrix[:, :2])) == pytest.approx(1, abs=0.08)


def test_render_says_what_it_completed(subjects):
    with pytest.warns(UserWarning, match="AU26 at 3 needs parted lips"):
        image = render(subjects[0], {26: 3}, size=64)
    assert image.shape == (64, 64, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize(
    ("au_id", "above"), [(1, 159), (4, 159), (12, None), (17, None), *((au_id, None) for au_id in (16, 18, 22, 27, 28))]
)
def test_the_region_of_an_au_is_where_it_acts(renderer, subjects, au_id, above):
    scene = Scene(Expression.of({}), framing=Framing(aligned=True))
    region = renderer.regions(subjects[0], scene, {au_id: Side.BOTH})[au_id]
    landmarks = renderer.draw(subjects[0], scene).landmarks_xy
    rows = np.arange(256)
    middle = (region.sum(1) @ rows) / region.sum()
    assert 0.5 < region.max() <= 1
    assert middle < landmarks[159][1] if above else middle > landmarks[2][1]


def test_the_region_of_one_side_is_on_that_side(renderer, subjects):
    scene = Scene(Expression.of({}), framing=Framing(aligned=True))
    region = renderer.regions(subjects[0], scene, {12: Side.LEFT})[12]
    assert region[:, 140:].sum() > 5 * region[:, :116].sum()


def test_the_region_of_a_raised_lid_holds_what_the_lid_uncovers(renderer, subjects):
    raised = Scene(Expression.of({5: 5}), framing=Framing(aligned=True))
    region = renderer.regions(subjects[0], raised, {5: Side.BOTH})[5]
    places = [
        renderer.draw(subjects[0], scene).landmarks_xy[159]
        for scene in (raised, Scene(Expression.of({}), framing=raised.framing))
    ]
    between = np.mean(places, axis=0).round().astype(int)
    assert places[1][1] - places[0][1] > 3
    assert region[between[1], between[0]] > 0.5 * region.max()
    assert region[between[1] + 12, between[0]] < 0.1
