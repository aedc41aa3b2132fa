import dataclasses

import numpy as np
import pytest

from tests.inference.made_up import a_face
from vlfau.drawing.heatmap import draw_heatmap, draw_heatmap_on_picture, draw_heatmap_sheet
from vlfau.errors import ConfigError
from vlfau.faces import CropGeometry, align_face
from vlfau.faces.pose import MEAN_FACE
from vlfau.media.images import Picture

GEOMETRY = CropGeometry(aligned_size=64, crop_size=64)


def turned_landmarks(centre=(150, 120), scale=60.0, degrees=30.0):
    """The mean face, turned, in a picture."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = MEAN_FACE[:, :2] / np.abs(MEAN_FACE[:, :2]).max()
    return (scale * points @ turn + centre).astype(np.float32)


def face_with(attention, *, crop=None, landmarks_xy=None):
    """A face that looks at `attention` for AU12, and evenly for the others."""
    face = a_face()
    aus = tuple(
        dataclasses.replace(au, attention_map=np.asarray(attention, np.float32) if au.au_id == 12 else np.ones((2, 2)))
        for au in face.aus
    )
    crop = np.full((64, 64, 3), 120, np.uint8) if crop is None else crop
    return dataclasses.replace(
        face, aus=aus, crop=crop, landmarks_xy=turned_landmarks() if landmarks_xy is None else landmarks_xy
    )


def warmth(pixels):
    """Red over blue: what heat has and a grey face has not."""
    return pixels[..., 0].astype(int) - pixels[..., 2]


def test_the_hottest_place_is_where_the_map_is_highest():
    drawing = draw_heatmap(face_with([[0, 0, 0], [0, 0, 0], [0, 0, 1]]), 12, size=300, legend=False)
    assert drawing.shape == (300, 300, 3)
    rows, columns = np.nonzero(warmth(drawing) > 60)
    assert (rows.mean() > 200, columns.mean() > 200) == (True, True)
    assert abs(warmth(drawing)[:150, :150]).max() < 12


def test_the_colours_grow_lighter_with_the_attention():
    drawing = draw_heatmap(face_with([np.linspace(0, 1, 50)]), 12, size=200, legend=False)
    light = drawing[100].astype(float) @ [0.299, 0.587, 0.114]
    third = len(light) // 3
    assert light[2 * third :].mean() > light[third : 2 * third].mean()
    assert light[-1] > light[0] + 60


def test_a_map_without_differences_shows_no_heat():
    drawing = draw_heatmap(face_with(np.full((3, 3), 0.8)), 12, legend=False)
    assert (drawing == drawing[..., :1]).all()


def test_given_limits_keep_a_weak_map_cold():
    weak = face_with([[0.0, 0.1], [0.0, 0.1]])
    assert warmth(draw_heatmap(weak, 12, legend=False)).max() > 60
    assert warmth(draw_heatmap(weak, 12, limits=(0, 1), legend=False)).max() < 20


def test_the_scale_stands_below_with_cold_on_the_left_and_hot_on_the_right():
    face = face_with([[0, 1], [0, 1]])
    drawing = draw_heatmap(face, 12, size=200)
    bar = drawing[200 + 10]
    assert np.array_equal(drawing[:200], draw_heatmap(face, 12, size=200, legend=False))
    assert (np.diff(bar.astype(int).sum(1)) >= -8).all()
    assert bar[-1].sum() > bar[0].sum() + 150


@pytest.mark.parametrize("reduction", [1.0, 4.0])
def test_heat_lies_in_the_picture_where_alignment_finds_it_again(reduction):
    landmarks = turned_landmarks()
    face = face_with([[0, 0, 0], [0, 1, 0], [0, 0, 0]], landmarks_xy=landmarks * np.float32(reduction))
    picture = Picture(np.full((240, 300, 3), 120, np.uint8), reduction=reduction)
    drawing = draw_heatmap_on_picture(picture, face, 12, GEOMETRY, legend=False)
    heat = warmth(align_face(drawing, landmarks, GEOMETRY)).clip(0)
    places = np.arange(64)
    assert heat.max() > 60
    assert heat.sum(0) @ places / heat.sum() == pytest.approx(31.5, abs=1)
    assert heat.sum(1) @ places / heat.sum() == pytest.approx(31.5, abs=1)


def test_the_picture_outside_the_face_stays_as_it_was():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (240, 300, 3), np.uint8)
    before = pixels.copy()
    drawing = draw_heatmap_on_picture(pixels, face_with([[0, 1], [0, 1]]), 12, GEOMETRY)
    assert np.array_equal(pixels, before)
    assert np.array_equal(drawing[:20], pixels[:20])
    assert np.array_equal(drawing[:240, -40:], pixels[:, -40:])
    assert not np.array_equal(drawing[100:140, 130:170], pixels[100:140, 130:170])
    assert drawing.shape[0] > 240


def test_a_face_outside_the_picture_changes_nothing():
    pixels = np.full((50, 50, 3), 99, np.uint8)
    face = face_with([[0, 1]], landmarks_xy=turned_landmarks(centre=(900, 900)))
    assert np.array_equal(draw_heatmap_on_picture(pixels, face, 12, GEOMETRY, legend=False), pixels)


def test_a_sheet_holds_the_active_aus_or_those_asked_for():
    face = face_with([[0, 1], [0, 1]])
    one, three = draw_heatmap_sheet(face), draw_heatmap_sheet(face, au_ids=[1, 6, 12])
    assert three.shape[0] * three.shape[1] > 2 * one.shape[0] * one.shape[1]
    asleep = dataclasses.replace(face, aus=tuple(dataclasses.replace(au, state=False) for au in face.aus))
    assert draw_heatmap_sheet(asleep).shape == three.shape


@pytest.mark.parametrize("draw", [draw_heatmap, lambda face, au_id: draw_heatmap_sheet(face, au_ids=[au_id])])
def test_what_is_missing_is_named(draw):
    with pytest.raises(ConfigError, match="AU 4 is none that this model knows; choose among 1, 6, 12"):
        draw(face_with([[1]]), 4)
    with pytest.raises(ConfigError, match="no attention map of AU 12"):
        draw(face_with([[1]]).without_arrays(), 12)
    with pytest.raises(ConfigError, match="no crop"):
        draw(face_with([[1]], crop=np.zeros((0, 64, 3), np.uint8)), 12)
    with pytest.raises(ConfigError, match="no landmarks"):
        draw_heatmap_on_picture(np.zeros((9, 9, 3), np.uint8), face_with([[1]]).without_arrays(), 12, GEOMETRY)
