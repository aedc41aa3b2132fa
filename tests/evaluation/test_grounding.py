import numpy as np
import pytest
from PIL import Image

from tests.evaluation.made_up import made_up
from vlfau.data.regions import read_region
from vlfau.errors import ImageError
from vlfau.evaluation.grounding import grounding, grounding_score

SIZES = {"crop_size": 40, "aligned_size": 48}


def peaked(row, column):
    """A map of 4 x 4 cells, each 10 x 10 pixels of the crop, with all attention in one."""
    cells = np.zeros((4, 4))
    cells[row, column] = 1
    return cells


@pytest.fixture
def write_mask(tmp_path):
    """Return a function that writes a mask of which a box of the crop moves."""

    def write(name, top, left, bottom, right, *, level=255, size=48):
        mask = np.zeros((48, 48), np.uint8)
        mask[4 + top : 4 + bottom, 4 + left : 4 + right] = level
        path = tmp_path / "regions" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).resize((size, size), Image.Resampling.NEAREST).save(path)
        return path

    return write


def test_a_map_that_peaks_in_the_region_scores_and_one_that_peaks_elsewhere_does_not(tmp_path, write_mask):
    write_mask("S1/0-au12", 0, 0, 10, 10)
    write_mask("S1/1-au12", 0, 0, 10, 10)
    write_mask("S1/0-au25", 10, 10, 30, 30)
    maps = [[peaked(0, 0), peaked(0, 0)], [peaked(3, 3), peaked(2, 2)]]
    result = grounding(made_up((12, 25), np.zeros((2, 2)), maps=maps), tmp_path / "regions", **SIZES)
    assert result["regions"] == 3
    assert result["pointing_game_per_au"] == {"12": 0.5, "25": 0.0}
    assert result["pointing_game"] == 0.25
    assert result["pointing_game_centre_per_au"] == {"12": 0, "25": 1}
    assert result["pointing_game_other_per_au"] == {"12": 0.5, "25": 0}
    assert result["pointing_game_near"] == 0.25
    assert result["energy_expected_per_au"] == pytest.approx({"12": 100 / 1600, "25": 400 / 1600})


def test_frames_without_masks_are_left_out(tmp_path, write_mask):
    write_mask("S1/1-au12", 0, 0, 10, 10)
    predictions = made_up((12, 25), np.zeros((2, 2)), maps=[[peaked(3, 3)] * 2, [peaked(0, 0)] * 2])
    result = grounding(predictions, tmp_path / "regions", **SIZES)
    assert result["pointing_game"] == result["pointing_game_per_au"]["12"] == 1
    assert result["pointing_game_per_au"]["25"] is None


def test_without_any_mask_there_is_no_score(tmp_path):
    result = grounding(made_up((12,), [[0.9]]), tmp_path / "regions", **SIZES)
    assert result["regions"] == 0
    assert result["pointing_game"] is result["energy_in_region"] is result["energy_expected"] is None


def test_a_region_outside_the_crop_is_left_out(tmp_path, write_mask):
    write_mask("S1/0-au12", -4, -4, 0, 40)
    assert grounding(made_up((12,), [[0.9]]), tmp_path / "regions", **SIZES)["regions"] == 0


def test_a_flat_map_scores_what_chance_would():
    region = np.zeros((40, 40), bool)
    region[:20, :10] = True
    flat = grounding_score(np.ones((1, 4, 4)), 0, region)
    assert flat.pointing_game == 2 / 16
    assert flat.energy_in_region == pytest.approx(flat.energy_expected) == pytest.approx(1 / 8)
    assert flat.pointing_game_other is None
    assert grounding_score(np.zeros((1, 4, 4)), 0, region).energy_in_region == 1 / 8


def test_energy_is_that_of_the_enlarged_map():
    left = np.zeros((40, 40), bool)
    left[:, :20] = True
    one_half = grounding_score(np.tile([1.0, 0.0], (1, 2, 1)), 0, left)
    # Enlarged and blurred, a row falls smoothly from 1 to 0 around its middle.
    assert 0.75 < one_half.energy_in_region < 0.9
    assert one_half.pointing_game == one_half.pointing_game_near == 1


def test_a_peak_lies_between_cells_that_are_equally_strong():
    region = np.zeros((40, 40), bool)
    region[18:22, 18:22] = True  # where four cells meet
    maps = np.zeros((1, 4, 4))
    maps[0, 1:3, 1:3] = 1
    assert grounding_score(maps, 0, region).pointing_game == 1


def test_a_peak_beside_the_region_counts_as_near_up_to_the_tolerance():
    maps, region = peaked(1, 1)[None], np.zeros((100, 100), bool)
    region[:, 39:] = True  # the peak lies at 37, and 3 pixels are near
    beside = grounding_score(maps, 0, region)
    assert (beside.pointing_game, beside.pointing_game_near) == (0, 1)
    assert grounding_score(maps, 0, region & (np.arange(100) >= 45)).pointing_game_near == 0


def test_the_region_is_where_the_skin_moves_half_as_far_as_where_it_moves_most(tmp_path, write_mask):
    path = write_mask("weak", 0, 0, 10, 10, level=100)
    pixels = np.array(Image.open(path))
    pixels[30, 30:32] = 50, 49
    Image.fromarray(pixels).save(path)
    region = read_region(path, **SIZES)
    assert (region.shape, region.sum(), region[26, 26], region[26, 27]) == ((40, 40), 101, True, False)


def test_a_mask_is_shrunk_as_its_frame_is(write_mask):
    region = read_region(write_mask("large", 0, 0, 10, 20, size=96), **SIZES)
    assert region.sum() == 200
    assert region[:10, :20].all()


@pytest.mark.parametrize(("content", "message"), [(b"no picture", "not a readable picture"), (None, "24 x 24 pixels")])
def test_a_mask_that_does_not_fit_is_named(write_mask, content, message):
    path = write_mask("wrong", 0, 0, 10, 10, size=24)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        read_region(path, **SIZES)
    assert str(path) in str(caught.value)


def test_progress_counts_frames(tmp_path):
    seen = []
    predictions = made_up((12,), np.zeros((3, 1)))
    grounding(predictions, tmp_path, **SIZES, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
