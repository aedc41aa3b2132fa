import itertools

import numpy as np
import pytest

from tests.video.clips import coming_back, crossing, moving, scene
from vlfau.faces import FaceFinder
from vlfau.video.tracker import FaceTracker, Motion, centre

RATE = 30


class CountingFinder(FaceFinder):
    """A face finder that counts what it is asked."""

    def __init__(self, **options):
        super().__init__(**options)
        self.finds = self.glances = 0

    def find(self, image):
        self.finds += 1
        return super().find(image)

    def glance(self, image, known=(), lost=()):
        self.glances += 1
        return super().glance(image, known, lost)


def follow(finder, pictures, step_s=1 / RATE):
    tracker = FaceTracker(finder)
    return [tracker.follow(picture, number * step_s) for number, picture in enumerate(pictures)]


def ids(frames):
    return [[tracked.face_id for tracked in frame] for frame in frames]


def test_one_face_keeps_its_number_and_is_where_it_moved(finder):
    pictures = list(moving(30))
    frames = follow(finder, pictures)
    assert ids(frames) == [[1]] * 30
    found = finder.find(pictures[-1])[0]
    assert centre(frames[-1][0].face) == pytest.approx(centre(found), abs=2)


def test_a_steady_face_costs_few_detections():
    finder = CountingFinder()
    follow(finder, moving(2 * RATE))
    assert (finder.finds, finder.glances) == (1, 3)


@pytest.mark.parametrize("count", [20, 40])
def test_two_people_who_cross_keep_their_numbers(finder, count):
    frames = follow(finder, crossing(count))
    first, last = ({tracked.face_id: centre(tracked.face)[0] for tracked in frames[index]} for index in (0, -1))
    assert sorted(first) == sorted(last) == [1, 2]
    for face_id in (1, 2):
        assert abs(last[face_id] - first[face_id]) == pytest.approx(380, abs=15)


def test_two_tracks_never_share_a_face(finder):
    for frame in follow(finder, crossing(30)):
        for one, other in itertools.combinations(frame, 2):
            assert np.linalg.norm(centre(one.face) - centre(other.face)) > 30


def test_a_face_that_comes_back_soon_keeps_its_number(finder):
    frames = ids(follow(finder, coming_back(40, away=(10, 25))))
    assert frames[9] == [1]
    assert frames[11:25] == [[]] * 14
    assert frames[30:] == [[1]] * 10


def test_a_face_that_comes_back_late_or_elsewhere_is_a_new_one(finder):
    late = [[(300, 180)]] * 3 + [[None]] * 30 + [[(300, 180)]] * 6
    assert ids(follow(finder, map(scene, late), step_s=0.1))[-1] == [2]
    elsewhere = [[(120, 180)]] * 3 + [[None]] * 6 + [[(520, 180)]] * 9
    assert ids(follow(finder, map(scene, elsewhere), step_s=0.1))[-1] == [2]


def test_a_newcomer_is_found_within_half_a_second(finder):
    places = [[(150, 180)]] * 5 + [[(150, 180), (480, 180)]] * 20
    frames = ids(follow(finder, map(scene, places)))
    assert frames[4] == [1]
    assert frames[16:] == [[1, 2]] * 9


def test_a_small_newcomer_is_found_within_two_seconds(finder):
    small = [scene([(200, 250), (800, 500)], (1280, 720), (1.0, 0.4))] * 6
    frames = ids(follow(finder, [scene([(200, 250)], (1280, 720)), *small], step_s=0.5))
    assert frames[0] == [1]
    assert frames[-1] == [1, 2]


@pytest.mark.parametrize("jump", [20, 50, 130])
def test_a_face_keeps_its_number_when_it_jumps(finder, jump):
    places = [[(150, 180)]] * 4 + [[(150 + jump, 180)]] * 3
    frames = follow(finder, map(scene, places), step_s=0.2)
    assert ids(frames) == [[1]] * 7
    moved = [centre(frames[index][0].face)[0] - centre(frames[0][0].face)[0] for index in (3, 4, 6)]
    assert moved == pytest.approx([0, jump, jump], abs=2)


def test_no_more_faces_are_followed_than_the_finder_may_find():
    finder = FaceFinder(max_faces=1)
    tracker = FaceTracker(finder)
    pictures = [scene([(150, 180)]), scene([(150, 180), (470, 180)], zoom=(1.0, 1.0))] + [
        scene([(150, 180), (460, 180)], zoom=(0.6, 1.6))
    ] * 3
    frames = ids(tracker.follow(picture, number / 2) for number, picture in enumerate(pictures))
    assert frames[:2] == [[1], [1]]
    # One that is far larger takes the place of the one that was followed.
    assert frames[-1] == [2]


def test_frames_without_faces_give_none(finder):
    assert ids(follow(finder, [np.zeros((120, 160, 3), np.uint8)] * 3)) == [[], [], []]


def test_motion_expects_a_face_to_go_on(finder):
    one, other = (finder.find(scene([(x, 180)]))[0] for x in (200, 230))
    motion = Motion.of(one, 0.0)
    assert motion.expected(1.0) == pytest.approx(centre(one))
    motion.update(other, 1.0)  # 30 pixels a second to the right
    assert motion.expected(2.0) - centre(other) == pytest.approx([30, 0], abs=2)
    assert motion.deviation(other, 1.0) == 0
