import numpy as np
import pytest
import torch

from vlfau.errors import ConfigError
from vlfau.facs import all_au_ids
from vlfau.model.au_regions import AURegions
from vlfau.model.losses import attention_loss

GRID = 20


def mean_face(regions):
    return regions.mean[None].clone()


@pytest.fixture(scope="module")
def landmark_ids():
    with np.load("src/vlfau/model/au_regions.npz") as stored:
        return stored["landmark_ids"].tolist()


def centre_of(region):
    """The (x, y) of a region (H, W), in shares of the crop."""
    rows, columns = (torch.arange(GRID) + 0.5) / GRID, (torch.arange(GRID) + 0.5) / GRID
    total = region.sum()
    return (region.sum(0) @ columns / total, region.sum(1) @ rows / total)


def test_every_au_has_a_region_where_its_muscle_acts(landmark_ids):
    regions = AURegions(all_au_ids(), landmark_ids)
    found, known = regions(mean_face(regions), GRID, GRID)
    assert found.shape == (1, len(all_au_ids()), GRID, GRID)
    assert known.all()
    heights = {au_id: float(centre_of(region)[1]) for au_id, region in zip(all_au_ids(), found[0], strict=True)}
    assert max(heights[1], heights[2], heights[4]) < heights[43] < heights[6] < heights[12] < heights[17]
    assert all(region.max() > 0.3 for region in found[0])


def test_a_region_follows_the_face(landmark_ids):
    regions = AURegions([12], landmark_ids)
    landmarks = mean_face(regions)
    (still,), _ = regions(landmarks, GRID, GRID)
    (moved,), _ = regions(landmarks + torch.tensor([0.1, -0.05]), GRID, GRID)
    before, after = centre_of(still[0]), centre_of(moved[0])
    assert float(after[0] - before[0]) == pytest.approx(0.1, abs=0.01)
    assert float(after[1] - before[1]) == pytest.approx(-0.05, abs=0.01)


def test_unknown_landmarks_are_left_out_and_too_few_are_said(landmark_ids):
    regions = AURegions([4], landmark_ids)
    landmarks = mean_face(regions)
    whole, _ = regions(landmarks, GRID, GRID)
    landmarks[:, 8:] = torch.nan
    partial, known = regions(landmarks, GRID, GRID)
    torch.testing.assert_close(partial, whole, atol=0.02, rtol=0.05)
    assert known.all()
    landmarks[:, 3:] = torch.nan
    _, known = regions(landmarks, GRID, GRID)
    assert not known.any()


def test_a_manifest_without_landmarks_is_refused():
    with pytest.raises(ConfigError, match=r"run\.attention_loss needs 6 or more of the landmarks .* has 1 of them"):
        AURegions([12], [33, 40])


def test_attention_in_the_region_costs_less_than_elsewhere():
    region = torch.zeros(1, 1, 4, 4)
    region[..., 1, 1] = 1
    yes, no = torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, dtype=torch.bool)
    right, wrong = 0.9 * region + 0.05, 0.9 * region.flip(3) + 0.05
    flat = torch.full_like(region, 0.5)
    for located in (no, yes):
        losses = [attention_loss(maps, region, yes, located) for maps in (right, flat, wrong)]
        assert losses == sorted(losses)
    assert attention_loss(wrong, region, no, no) == 0


def test_where_the_moved_skin_is_known_the_peak_counts():
    region = torch.zeros(1, 1, 4, 4)
    region[..., 1, :2] = 1
    yes, no = torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1, dtype=torch.bool)
    peaked, broad = 0.4 * region + 0.05, 0.4 * region + 0.05
    broad[..., 3, 3] = 0.95  # the strongest cell lies outside
    extra = [attention_loss(maps, region, yes, yes) - attention_loss(maps, region, yes, no) for maps in (peaked, broad)]
    assert extra[0] < extra[1]
