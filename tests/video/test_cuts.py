"""Cuts between drawn people, one person on several tracks, and the tiles of a video call."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.video.clips import moving, photograph, scene
from vlfau.errors import ConfigError, VideoError
from vlfau.faces import FaceFinder
from vlfau.faces.identity import SAME_PERSON, IdentityNetwork, portrait
from vlfau.media.images import read_image
from vlfau.video.cuts import CutDetector
from vlfau.video.people import People
from vlfau.video.region_tracker import RegionTracker
from vlfau.video.regions import Regions
from vlfau.video.tracker import FaceTracker, centre

RATE = 25


def drawn(name):
    """A drawn person: the number says who, a and b are two pictures of one."""
    return read_image(Path(__file__).parent / "people" / f"{name}.jpg")


def shot(name, count):
    """A drawn person who sways a little for some frames."""
    picture = cv2.resize(drawn(name), (240, 240))
    for number in range(count):
        matrix = np.float32([[1, 0, 3 * np.sin(number / 3)], [0, 1, 2 * np.cos(number / 4)]])
        yield cv2.warpAffine(picture, matrix, (240, 240), borderMode=cv2.BORDER_REFLECT)


def followed(finder, pictures, step_s=1 / RATE):
    tracker = FaceTracker(finder)
    return [
        [face.face_id for face in tracker.follow(pixels, number * step_s)] for number, pixels in enumerate(pictures)
    ]


@pytest.fixture(scope="module")
def network():
    return IdentityNetwork()


def test_eight_people_cut_together_are_eight_faces(finder):
    ids = followed(finder, (picture for number in range(1, 9) for picture in shot(f"{number}a", 10)))
    assert ids == [[number] for number in range(1, 9) for _ in range(10)]


def test_another_person_before_the_same_wall_gets_another_number(finder):
    wall = np.full((240, 240, 3), 120, np.uint8)
    outline = np.zeros((240, 240), np.float32)
    cv2.ellipse(outline, (120, 120), (75, 100), 0, 0, 360, 1.0, -1)
    share = cv2.GaussianBlur(outline, (0, 0), 4)[..., None]
    pictures = [np.uint8(share * picture + (1 - share) * wall) for name in ("1a", "3a") for picture in shot(name, 16)]
    detector = CutDetector()
    assert sum(detector.is_cut(picture) for picture in pictures) == 0  # Only the face tells.
    assert followed(finder, pictures) == [[1]] * 16 + [[2]] * 16


@pytest.mark.parametrize(
    "light",
    [
        lambda number: 0.4 if number >= 10 else 1.0,  # A lamp goes out.
        lambda number: 1.8 if number in {10, 11} else 1.0,  # A flash.
    ],
)
def test_another_light_is_no_cut(finder, light):
    pictures = [np.uint8(np.clip(light(number) * picture, 0, 255)) for number, picture in enumerate(shot("1a", 20))]
    assert followed(finder, pictures) == [[1]] * 20


def test_a_face_that_moves_is_compared_without_the_network(finder):
    tracker = FaceTracker(finder)
    for number, picture in enumerate(moving(20)):
        assert [face.face_id for face in tracker.follow(picture, number / 30)] == [1]
    assert "_network" not in vars(tracker)


def test_two_pictures_of_one_person_are_nearer_than_those_of_two(finder, network):
    pictures = {name: drawn(name) for name in ("1a", "1b", "2a", "2b", "3a", "3b")}
    portraits = [portrait(picture, finder.find(picture)[0]) for picture in pictures.values()]
    assert portraits[0].shape == (150, 150, 3)
    embeddings = dict(zip(pictures, network(portraits), strict=True))
    for one, other in ((one, other) for one in pictures for other in pictures if one < other):
        distance = np.linalg.norm(embeddings[one] - embeddings[other])
        assert (distance < SAME_PERSON) == (one[0] == other[0]), (one, other, distance)


def test_people_are_recognised_after_cuts(finder, network):
    tracker, people = FaceTracker(finder), People(network)
    pictures = [picture for name in ("1a", "2a", "1b", "3a", "2b") for picture in shot(name, 5)]
    found = []
    for number, picture in enumerate(pictures):
        tracked = tracker.follow(picture, number / RATE)
        found.append(([face.face_id for face in tracked], people.of(tracked, number / RATE)))
    assert found[::5] == [([1], [1]), ([2], [2]), ([3], [1]), ([4], [3]), ([5], [2])]


def test_two_faces_in_one_frame_are_never_one_person(finder, network):
    both = np.hstack([photograph()[:300, 100:400], photograph()[:300, 100:400]])
    tracked = FaceTracker(finder).follow(both, 0.0)
    assert [face.face_id for face in tracked] == [1, 2]
    assert People(network).of(tracked, 0.0) == [1, 2]


def test_faces_are_followed_in_each_tile_by_themselves(finder):
    places = [(160, 90), (480, 90), (160, 270), (480, 270)]
    # The person of the second tile moves over to the first.
    pictures = [scene([None, *places[1:]]), scene(places, zoom=0.8), scene([places[0], None, *places[2:]], zoom=0.8)]
    tracker = RegionTracker(finder, Regions.parsed(tiles="2x2"))
    frames = [
        tracker.follow(picture, number / 10) for number, picture in enumerate([pictures[1]] * 3 + [pictures[2]] * 2)
    ]
    assert [[face.face_id for face in frame] for frame in frames] == [[1, 2, 3, 4]] * 3 + [[1, 3, 4]] * 2
    for face, place in zip(frames[0], places, strict=True):
        assert centre(face.face) == pytest.approx(place, abs=12)


def test_only_faces_of_the_region_are_followed(finder):
    tracker = RegionTracker(finder, Regions.parsed(["320,0,320,360"]))
    (face,) = tracker.follow(scene([(160, 180), (480, 180)]), 0.0)
    assert centre(face.face) == pytest.approx((480, 180), abs=12)
    left, _, right, _ = face.face.face_box_xyxy
    assert 400 < left < right < 560


@pytest.mark.parametrize(
    ("regions", "tiles", "message"),
    [
        (["1,2,3"], None, "--region takes x,y,width,height in pixels"),
        ([], "2", "--tiles takes columns x rows"),
        ([], "0x3", "--tiles takes columns x rows"),
        (["0,0,20,20"], "2x2", "exclude each other"),
    ],
)
def test_regions_that_say_nothing_are_refused(regions, tiles, message):
    with pytest.raises(ConfigError, match=message):
        Regions.parsed(regions, tiles)


def test_a_region_outside_the_picture_is_refused():
    with pytest.raises(VideoError, match="--region 600,0,100,100 is not a part of the frames, which have 640 x 360"):
        RegionTracker(FaceFinder(), Regions.parsed(["600,0,100,100"])).follow(scene([None]), 0.0)
