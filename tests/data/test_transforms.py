import numpy as np
import pytest

from vlfau.data.transforms import Augmentation, AugmentationConfig, centre_crop
from vlfau.errors import ConfigError


def augment(face, *, seed=0, flip=False, crop_size=112, **options):
    config = AugmentationConfig(**{"flip": 0, "cutout": 0, **options})
    return Augmentation(config, crop_size=crop_size)(face, np.random.default_rng(seed), flip=flip)[0]


def ramp(size=128):
    """Every pixel of the three channels holds its row, its column and their mean."""
    rows, columns = np.mgrid[:size, :size]
    return np.stack([rows, columns, (rows + columns) // 2], axis=2).astype(np.uint8)


def test_the_centre_crop_leaves_out_the_same_on_every_side():
    crop, matrix = centre_crop(ramp(), 112)
    assert crop.shape == (112, 112, 3)
    assert crop[0, 0, :2].tolist() == [8, 8]
    assert matrix.tolist() == [[1, 0, -8], [0, 1, -8]]


def test_random_crops_are_parts_of_the_face_and_differ():
    corners = set()
    for seed in range(20):
        crop = augment(ramp(), seed=seed)
        top, left = crop[0, 0, :2].tolist()
        assert np.array_equal(crop, ramp()[top : top + 112, left : left + 112])
        corners.add((top, left))
    assert len(corners) > 15


def test_a_flip_mirrors_the_columns():
    plain, flipped = augment(ramp()), augment(ramp(), flip=True)
    assert np.array_equal(flipped, plain[:, ::-1])


def test_cutout_takes_one_square_of_a_quarter_of_the_side():
    face = np.full((112, 112, 3), 200, np.uint8)
    hole = augment(face, cutout=1)[..., 0] == 0
    assert hole.sum() == 28 * 28
    rows, columns = hole.any(1).nonzero()[0], hole.any(0).nonzero()[0]
    assert (len(rows), len(columns)) == (28, 28)


def test_grey_makes_the_channels_equal():
    grey = augment(ramp(), grey=1)
    assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize(
    "options",
    [
        {"light": 0.5},
        {"tone": 1.0},
        {"restyle": 1.0},
        {"blur": 1.0},
        {"compression": 1.0},
        {"noise": 20.0},
        {"tilt": 15.0},
        {"stretch": 0.2},
    ],
)
def test_every_other_variation_changes_the_face_and_keeps_its_form(options):
    face = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    varied = augment(face, seed=3, crop_size=128, **options)  # no room to crop elsewhere
    assert varied.shape == (128, 128, 3)
    assert varied.dtype == np.uint8
    assert not np.array_equal(varied, face)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("options", [{}, {"tilt": 15}, {"stretch": 0.2}, {"tilt": 15, "stretch": 0.2}])
@pytest.mark.parametrize("seed", range(4))
def test_the_matrix_leads_to_where_a_place_went(seed, options, flip):
    face = np.zeros((128, 128, 3), np.uint8)
    x, y = 49, 70
    face[y - 2 : y + 3, x - 2 : x + 3] = 255
    augmentation = Augmentation(AugmentationConfig(flip=0, cutout=0, **options), crop_size=112)
    crop, matrix = augmentation(face, np.random.default_rng(seed), flip=flip)
    light = crop[..., 0].astype(float)
    rows, columns = np.mgrid[:112, :112]
    found = [(light * place).sum() / light.sum() for place in (columns, rows)]
    assert matrix @ (x, y, 1) == pytest.approx(found, abs=0.25)


def widths_and_heights(**options):
    """Of a white square of 40 pixels, varied eight times."""
    face = np.zeros((128, 128, 3), np.uint8)
    face[44:84, 44:84] = 255
    squares = [augment(face, seed=seed, crop_size=128, **options)[..., 0] > 127 for seed in range(8)]
    return [[int(square.any(axis).sum()) for square in squares] for axis in (0, 1)]


def test_stretching_changes_the_width_alone():
    widths, heights = widths_and_heights(stretch=0.2)
    assert set(heights) == {40}
    assert 31 <= min(widths) < 38
    assert 42 < max(widths) <= 49


def test_tilting_turns():
    widths, heights = widths_and_heights(tilt=15)
    assert max(widths) > 46  # larger by 15 % it has 46; a square is wider from corner to corner
    assert max(heights) > 46


@pytest.mark.parametrize("options", [{"grey": 1.5}, {"stretch": 1}, {"tilt": -1}, {"noise": 300}])
def test_impossible_variations_are_refused(options):
    with pytest.raises(ConfigError, match=f"augmentation.{next(iter(options))} "):
        AugmentationConfig(**options)


def test_the_same_generator_gives_the_same_face():
    options = {"cutout": 0.5, "grey": 0.5, "light": 0.4, "blur": 0.5, "noise": 5, "tilt": 5}
    options |= {"tone": 0.5, "restyle": 0.5, "compression": 0.5, "stretch": 0.1}
    assert np.array_equal(augment(ramp(), seed=7, **options), augment(ramp(), seed=7, **options))


def test_half_of_all_faces_are_flipped_by_default():
    rng = np.random.default_rng(0)
    augmentation = Augmentation(AugmentationConfig(), crop_size=112)
    assert 450 < sum(augmentation.flips(rng) for _ in range(1000)) < 550


def test_a_tight_picture_ends_in_black_around_an_untouched_middle():
    face = np.full((128, 128, 3), 200, np.uint8)
    shares = []
    for seed in range(30):
        tight = augment(face, seed=seed, tight=1.0)
        assert set(np.unique(tight).tolist()) <= {0, 200}
        assert (tight[30:82, 36:76] == 200).all()
        shares.append((tight == 0).mean())
    assert min(shares) > 0.02
    assert max(shares) < 0.6
    assert max(shares) - min(shares) > 0.1
