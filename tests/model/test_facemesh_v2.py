import pytest
import torch

from tests.model.test_vlfau import small_network
from vlfau.errors import ConfigError
from vlfau.model.facemesh_v2 import (
    CELL,
    CROP_SIDE,
    FACEMESH_V2_CHANNELS,
    GRID,
    LEFT,
    TOP,
    WINDOW_LEFT,
    WINDOW_TOP,
    FaceMeshV2,
)
from vlfau.model.stem import create_backbone


@pytest.fixture(scope="module")
def backbone():
    return FaceMeshV2().eval()


def crops(count=1):
    return torch.randint(0, 256, (count, 3, 160, 160), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def test_the_levels_cover_the_window_of_the_crop(backbone):
    levels = backbone(crops(2))
    assert [tuple(level.shape) for level in levels] == [
        (2, channels, side, side) for channels, side in zip(FACEMESH_V2_CHANNELS, (56, 28, 14, 14), strict=True)
    ]


def test_levels_may_be_averaged_before_they_are_standardised(backbone):
    seen = backbone.reader(crops(2))
    whole, pooled = backbone.standardise(seen), backbone.standardise(seen, pooled=True)
    for level, small in zip(whole, pooled, strict=True):
        assert small.shape[2:] == (GRID, GRID)
        torch.testing.assert_close(small, torch.nn.functional.adaptive_avg_pool2d(level, GRID), atol=1e-4, rtol=1e-4)


def test_a_change_in_the_picture_changes_the_cells_that_cover_it(backbone):
    picture = torch.full((1, 3, 160, 160), 128, dtype=torch.uint8)
    changed = picture.clone()
    changed[..., 100:110, 30:40] = 255
    difference = (backbone(changed)[0] - backbone(picture)[0]).abs().sum((0, 1))
    row, column = divmod(int(difference.argmax()), difference.shape[1])
    scale, cell = CROP_SIDE / 160, CELL / 4
    assert row * cell + WINDOW_TOP == pytest.approx(105 * scale + TOP, abs=3 * cell)
    assert column * cell + WINDOW_LEFT == pytest.approx(35 * scale + LEFT, abs=3 * cell)


def test_maps_of_the_window_are_laid_on_the_crop(backbone):
    places = (torch.arange(GRID) + 0.5) * CELL + WINDOW_LEFT  # x of the window's cells, in pixels of the square
    on_crop = backbone.on_crop(places.expand(GRID, -1))
    expected = (torch.arange(GRID) + 0.5) / GRID * CROP_SIDE + LEFT
    torch.testing.assert_close(on_crop, expected.expand(GRID, -1))


def test_nothing_of_the_mesh_trains_or_is_saved(backbone):
    assert not list(backbone.parameters())
    assert all(name.startswith("standards.") for name in backbone.state_dict())


def test_a_network_reads_the_mesh_once_for_its_stem_and_its_movements():
    network = small_network(
        backbone="facemesh-v2", backbone_options={}, crop_size=160, movements=True, sides=True, caption_pooling=2
    ).eval()
    branch, calls = network.movement_branch, []
    branch.mesh.register_forward_hook(lambda *_: calls.append(1))
    vision = network.encode(crops(2))
    assert calls == [1]
    assert branch.mesh is network.stem.backbone.reader
    assert vision.attention_maps.shape[2:] == (GRID, GRID)
    assert vision.face_features.shape[1] == vision.au_features().shape[2] == (GRID // 2) ** 2


def test_it_has_no_options():
    with pytest.raises(ConfigError, match=r"'facemesh-v2' has no options"):
        create_backbone("facemesh-v2", crop_size=160, options={"frozen_stages": 1})
