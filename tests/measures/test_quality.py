import cv2
import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.faces import CropGeometry, HeadPose, align_face
from vlfau.measures.measuring import crop_mesh
from vlfau.measures.quality import FaceQuality, Network, _edges, grid_features
from vlfau.media.images import read_image

STRAIGHT = HeadPose(0.0, 0.0, 0.0)
MASK = [
    50,
    234,
    93,
    132,
    58,
    172,
    136,
    150,
    149,
    176,
    148,
    152,
    377,
    400,
    378,
    379,
    365,
    397,
    288,
    361,
    323,
    454,
    280,
    4,
]


@pytest.fixture(scope="module")
def crop(finder, astronaut):
    image = read_image(astronaut)
    (face,) = finder.find(image)
    return align_face(image, face.landmarks_xy, CropGeometry(aligned_size=192, crop_size=160))


def judged(crop, eyes=60.0, pose=STRAIGHT):
    return FaceQuality.of(crop, eyes, pose)


def made(**changes):
    values = {
        "upper_visible": 1.0,
        "lower_visible": 1.0,
        "sharpness": 0.1,
        "brightness": 0.5,
        "eye_distance_px": 60.0,
        "pose": STRAIGHT,
    }
    return FaceQuality(**values | changes)


def test_a_clear_photograph_has_no_doubtful_au(crop):
    found = judged(crop)
    assert found.doubtful([1, 9, 12]) == ()
    assert found.quality > 0.7


@pytest.mark.parametrize("colour", [(150, 190, 220), (240, 240, 240), (30, 30, 35)])
def test_a_mask_makes_the_mouth_doubtful_and_leaves_the_brows(crop, colour):
    masked = crop.copy()
    outline = crop_mesh(crop).landmarks_xy[[197, *MASK]].astype(np.int32)
    cv2.fillPoly(masked, [cv2.convexHull(outline)], colour, cv2.LINE_AA)
    found = judged(masked)
    assert found.lower_visible < 0.5 < 0.75 <= found.upper_visible
    assert found.doubtful([1, 2, 9, 12, 25]) == (9, 12, 25)


def test_a_bar_over_the_eyes_makes_the_upper_face_doubtful(crop):
    covered = crop.copy()
    eyes = crop_mesh(crop).landmarks_xy[[33, 263, 105, 334], 1]
    covered[int(eyes.min()) - 6 : int(eyes.max()) + 10] = (20, 20, 20)
    found = judged(covered)
    assert found.doubtful([1, 2, 4, 12]) == (1, 2, 4)


@pytest.mark.parametrize("colour", [(15, 15, 18), (40, 30, 25), (60, 60, 60)])
def test_dark_glasses_make_the_upper_face_doubtful(crop, colour):
    worn = crop.copy()
    points = crop_mesh(crop).landmarks_xy
    for corners in ([33, 133], [362, 263]):
        x, y = points[corners].mean(0)
        cv2.ellipse(worn, ((float(x), float(y) + 2), (38, 28), 0), colour, -1, cv2.LINE_AA)
    assert judged(worn).doubtful([1, 2, 4, 12]) == (1, 2, 4)


def test_hair_over_the_brows_of_a_grey_picture_makes_the_upper_face_doubtful(crop):
    grey = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    low = int(crop_mesh(crop).landmarks_xy[[33, 263], 1].mean()) - 4
    grey[:low] = 0.1 * grey[:low] + 0.9 * np.array([60, 40, 25])
    assert judged(grey).doubtful([1, 2, 4, 12]) == (1, 2, 4)


def test_the_lower_half_cut_by_the_frame_is_doubtful(crop):
    cut = crop.copy()
    cut[95:] = 0
    assert judged(cut).doubtful([1, 12]) == (12,)


def test_blur_lowers_sharpness(crop):
    found = [judged(crop if not sigma else cv2.GaussianBlur(crop, (0, 0), sigma)).sharpness for sigma in (0, 1, 2, 4)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 3 * found[3]


@pytest.mark.parametrize(
    "changes",
    [
        {"eye_distance_px": 8.0},
        {"sharpness": 0.001},
        {"brightness": 0.02},
        {"pose": HeadPose(50.0, 0.0, 0.0)},
        {"pose": HeadPose(0.0, -40.0, 0.0)},
    ],
)
def test_a_face_that_cannot_be_read_makes_every_au_doubtful(changes):
    assert made(**changes).doubtful([1, 12]) == (1, 12)
    assert made().doubtful([1, 12]) == ()
    assert made(**changes).reason
    assert made().reason == ""


def test_the_reason_says_what_is_wrong():
    assert made(lower_visible=0.2).reason == "the lower face is hidden"
    assert made(lower_visible=0.2, upper_visible=0.1).reason == "the face is hidden"
    assert made(brightness=0.02).reason == "the face is too dark"
    assert made(pose=HeadPose(50.0, 0.0, 0.0)).reason == "the head is turned too far"


def test_edges_are_those_of_numpy(crop):
    grey = crop[..., 0].astype(np.float32)
    expected = np.hypot(np.gradient(grey, axis=0), np.gradient(grey, axis=1))
    np.testing.assert_allclose(_edges(grey), expected, atol=1e-3)


def test_quality_is_that_of_the_weakest_part():
    assert made().quality == 1.0
    assert made(lower_visible=0.3).quality == pytest.approx(0.3)
    assert made(eye_distance_px=20.0).quality == pytest.approx(0.5)


def test_features_are_the_same_in_brighter_light(crop):
    dim = (crop * 0.6).astype(np.uint8)
    assert np.abs(grid_features(crop) - grid_features(dim)).mean() < 0.05


def test_damaged_weights_are_refused():
    with pytest.raises(ConfigError, match="lacks 'b0'"):
        Network({})
