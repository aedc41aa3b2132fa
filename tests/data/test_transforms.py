import numpy as np
import pytest
import torch

from vlfau.data.transforms import Augmentation, AugmentationConfig, centre_crop

NOTHING = AugmentationConfig(flip=0, cutout=0)


def augment(face, *, seed=0, flip=False, crop_size=112, **options):
    config = AugmentationConfig(**{"flip": 0, "cutout": 0, **options})
    return Augmentation(config, crop_size=crop_size)(face, np.random.default_rng(seed), flip=flip)[0]


def ramp(size=128):
    """Every pixel of the three channels holds its row, its column and their mean."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.stack([rows, columns, (rows + columns) // 2]).to(torch.uint8)


def test_the_centre_crop_leaves_out_the_same_on_every_side():
    crop, matrix = centre_crop(ramp(), 112)
    assert crop.shape == (3, 112, 112)
    assert crop[:2, 0, 0].tolist() == [8, 8]
    assert matrix.tolist() == [[1, 0, -8], [0, 1, -8]]


def test_random_crops_are_parts_of_the_face_and_differ():
    corners = set()
    for seed in range(20):
        crop = augment(ramp(), seed=seed)
        top, left = crop[:2, 0, 0].tolist()
        assert torch.equal(crop, ramp()[:, top : top + 112, left : left + 112])
        corners.add((top, left))
    assert len(corners) > 15


def test_a_flip_mirrors_the_columns():
    plain, flipped = augment(ramp()), augment(ramp(), flip=True)
    assert torch.equal(flipped, plain.flip(-1))


def test_cutout_takes_one_square_of_a_quarter_of_the_side():
    face = torch.full((3, 112, 112), 200, dtype=torch.uint8)
    hole = augment(face, cutout=1)[0] == 0
    assert hole.sum() == 28 * 28
    rows, columns = hole.any(1).nonzero(), hole.any(0).nonzero()
    assert (len(rows), len(columns)) == (28, 28)


def test_grey_makes_the_channels_equal():
    grey = augment(ramp(), grey=1)
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0], grey[2])


@pytest.mark.parametrize("options", [{"light": 0.5}, {"blur": 1.0}, {"noise": 20.0}, {"tilt": 15.0}])
def test_every_other_variation_changes_the_face_and_keeps_its_form(options):
    face = torch.randint(0, 256, (3, 128, 128), dtype=torch.uint8)
    varied = augment(face, seed=3, **options)
    assert varied.shape == (3, 112, 112)
    assert varied.dtype == torch.uint8
    assert not torch.equal(varied, augment(face, seed=3))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_matrix_leads_to_where_a_place_went(seed, flip):
    face = torch.zeros(3, 128, 128, dtype=torch.uint8)
    x, y = 49, 70
    face[:, y - 2 : y + 3, x - 2 : x + 3] = 255
    augmentation = Augmentation(AugmentationConfig(flip=0, cutout=0, tilt=15), crop_size=112)
    crop, matrix = augmentation(face, np.random.default_rng(seed), flip=flip)
    light = crop[0].double()
    rows, columns = torch.meshgrid(torch.arange(112.0), torch.arange(112.0), indexing="ij")
    found = [float((light * place).sum() / light.sum()) for place in (columns, rows)]
    assert (matrix @ torch.tensor([float(x), float(y), 1.0])).tolist() == pytest.approx(found, abs=0.25)


def test_the_same_generator_gives_the_same_face():
    options = {"cutout": 0.5, "grey": 0.5, "light": 0.4, "blur": 0.5, "noise": 5, "tilt": 5}
    assert torch.equal(augment(ramp(), seed=7, **options), augment(ramp(), seed=7, **options))


def test_half_of_all_faces_are_flipped_by_default():
    rng = np.random.default_rng(0)
    augmentation = Augmentation(AugmentationConfig(), crop_size=112)
    assert 450 < sum(augmentation.flips(rng) for _ in range(1000)) < 550


def test_a_tight_picture_ends_in_black_around_an_untouched_middle():
    face = torch.full((3, 128, 128), 200, dtype=torch.uint8)
    shares = []
    for seed in range(30):
        tight = augment(face, seed=seed, tight=1.0)
        assert set(tight.unique().tolist()) <= {0, 200}
        assert (tight[:, 30:82, 36:76] == 200).all()
        shares.append(float((tight == 0).float().mean()))
    assert min(shares) > 0.02
    assert max(shares) < 0.6
    assert max(shares) - min(shares) > 0.1
