import dataclasses

import numpy as np
import pytest

from tests.inference.made_up import a_face
from vlfau.drawing.heatmap import draw_heatmap, draw_heatmap_sheet
from vlfau.errors import ConfigError


def face_with(attention, *, crop=None):
    """A face that looks at `attention` for AU12, and evenly for the others."""
    face = a_face()
    aus = tuple(
        dataclasses.replace(au, attention_map=np.asarray(attention, np.float32) if au.au_id == 12 else np.ones((2, 2)))
        for au in face.aus
    )
    crop = np.full((64, 64, 3), 120, np.uint8) if crop is None else crop
    return dataclasses.replace(face, aus=aus, crop=crop)


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


def test_a_sheet_holds_the_active_aus_or_those_asked_for():
    face = face_with([[0, 1], [0, 1]])
    one, three = draw_heatmap_sheet(face), draw_heatmap_sheet(face, au_ids=[1, 6, 12])
    assert three.shape[0] * three.shape[1] > 2 * one.shape[0] * one.shape[1]
    asleep = dataclasses.replace(face, aus=tuple(dataclasses.replace(au, state=False) for au in face.aus))
    assert draw_heatmap_sheet(asleep).shape == three.shape


@pytest.mark.parametrize("draw", [draw_heatmap, lambda face, au_id: draw_heatmap_sheet(face, au_ids=[au_id])])
def test_what_is_missing_is_named(draw):
    with pytest.raises(ConfigError, match="this model does not know AU 4; choose among 1, 6, 12"):
        draw(face_with([[1]]), 4)
    with pytest.raises(ConfigError, match="no attention map of AU 12"):
        draw(face_with([[1]]).without_arrays(), 12)
    with pytest.raises(ConfigError, match="no crop"):
        draw(face_with([[1]], crop=np.zeros((0, 64, 3), np.uint8)), 12)
