"""What the network that sees how much of a face is visible is taught with."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'vlfau[train]'")
from scripts.teach_visibility import bare, cut, examples, filmed, halves, hand, mask, moved, sunglasses, varied

from vlfau.faces import CropGeometry, align_face
from vlfau.measures.measuring import crop_mesh
from vlfau.measures.quality import GRID
from vlfau.media.images import read_image


@pytest.fixture(scope="module")
def face(finder, astronaut):
    image = read_image(astronaut)
    (found,) = finder.find(image)
    crop = align_face(image, found.landmarks_xy, CropGeometry(aligned_size=192, crop_size=160))
    return crop, crop_mesh(crop).landmarks_xy.astype(np.float64)


@pytest.mark.parametrize("kind", [bare, hand, mask, sunglasses, cut])
def test_the_face_changes_only_where_something_covers_it(face, kind):
    crop, points = face
    image, opacity = kind(crop, points, np.random.default_rng(3))
    assert (image[opacity == 0] == crop[opacity == 0]).all()
    assert (opacity.max() > 0.9) == (kind is not bare)


def test_sunglasses_hide_a_part_of_the_upper_half_and_a_mask_of_the_lower(face):
    crop, points = face
    upper, lower = halves(len(crop), points)
    for kind, hidden, seen in ((sunglasses, upper, lower), (mask, lower, upper)):
        opacity = kind(crop, points, np.random.default_rng(1))[1]
        assert opacity[hidden].mean() > 0.3 > 3 * opacity[seen].mean()


@pytest.mark.parametrize("change", [varied, moved, filmed])
def test_changes_of_the_picture_keep_its_form_and_differ_each_time(face, change):
    rng = np.random.default_rng(0)
    one, other = (change(face[0], rng) for _ in range(2))
    assert (one.shape, one.dtype) == (face[0].shape, np.uint8)
    assert (one != other).any()


def test_examples_are_features_and_the_visible_shares_of_both_halves(face):
    features, shares = examples([("S1", *face)] * 8, seed=0)
    assert features.shape == (len(shares), GRID * GRID * 5)
    assert np.isfinite(features).all()
    assert (shares.min() >= 0, shares.max() <= 1, (shares == 1).all(1).mean() > 0.2, (shares < 0.7).any()) == (
        True,
    ) * 4
