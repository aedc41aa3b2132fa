import pytest
import torch

from vlfau.errors import ConfigError
from vlfau.model.stem import Backbone, Stem, create_backbone

SMALL_SWIN = {"embed_dim": 12, "depths": (1, 1, 1, 1), "num_heads": (1, 1, 2, 2)}


class FourFlatLevels(torch.nn.Module):
    """Levels of 4, 2, 2 and 1 pixels whose every pixel holds the level's number, 1 to 4."""

    def forward(self, crops):
        return [torch.full((len(crops), 1, side, side), float(n)) for n, side in enumerate((4, 2, 2, 1), 1)]


def flat_stem(**options):
    backbone = Backbone(FourFlatLevels(), (1, 1, 1, 1), False, (0.5,) * 3, (0.25,) * 3)
    return Stem(backbone=backbone, combined_dim=4, feature_dim=2, **options)


def test_eq_1_combines_the_four_scales_as_worked_out_by_hand():
    stem = flat_stem()
    for factor, conv in enumerate(stem.scale_convs, 1):
        torch.nn.init.zeros_(conv.weight)
        conv.weight.data[0, 0, 1, 1] = factor  # the middle of the 3x3 kernel
        torch.nn.init.zeros_(conv.bias)
    stem.combine.weight.data = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0]])
    torch.nn.init.zeros_(stem.combine.bias)
    features = stem(torch.zeros(1, 3, 8, 8))
    # The convolved scales are 1, 4, 9 and 16.
    assert features.flatten().tolist() == [1 + 4 + 9 + 16, 1 - 4 + 9 - 16]


def test_shallow_levels_are_averaged_before_they_are_convolved():
    stem = flat_stem()
    stem.backbone.forward = lambda crops: [
        torch.arange(16.0).view(1, 1, 4, 4),
        *(torch.zeros(1, 1, side, side) for side in (2, 2, 1)),
    ]
    torch.nn.init.zeros_(stem.scale_convs[0].weight)
    stem.scale_convs[0].weight.data[0, 0, 1, 1] = 1
    torch.nn.init.zeros_(stem.scale_convs[0].bias)
    stem.combine.weight.data = torch.tensor([[1.0, 0.0, 0.0, 0.0]] * 2)
    torch.nn.init.zeros_(stem.combine.bias)
    assert stem(torch.zeros(1, 3, 8, 8)).flatten().tolist() == [7.5, 7.5]


def test_without_multi_scale_only_the_deepest_level_counts():
    stem = flat_stem(multi_scale=False)
    assert len(stem.scale_convs) == 0
    stem.combine.weight.data = torch.tensor([[1.0], [2.0]])
    torch.nn.init.zeros_(stem.combine.bias)
    assert stem(torch.zeros(1, 3, 8, 8)).flatten().tolist() == [4, 8]


def test_batch_normalisation_gives_v_zero_mean_and_unit_variance():
    torch.manual_seed(0)  # weights near 0 would leave too little variance beside the normalisation's epsilon
    stem = flat_stem(normalise=True)
    stem.backbone.forward = lambda crops: [torch.randn(len(crops), 1, side, side) for side in (4, 2, 2, 1)]
    features = stem(torch.zeros(64, 3, 8, 8)).flatten(0, 2)
    torch.testing.assert_close(features.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(features.var(0, unbiased=False), torch.ones(2), atol=0.05, rtol=0)


def test_pixels_are_normalised_inside_the_network():
    stem = flat_stem()
    seen = []
    stem.backbone.forward = lambda crops: seen.append(crops) or FourFlatLevels()(crops)
    stem(torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 8, 8))
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([-2, 2, -1.2])


@pytest.mark.parametrize(
    ("name", "options", "crop_size", "grid"),
    [
        ("swin_tiny_patch4_window7_224", SMALL_SWIN, 112, 4),
        ("swin_tiny_patch4_window7_224", SMALL_SWIN, 224, 7),
        ("resnet10t", {}, 112, 4),
        ("convnext_atto", {}, 96, 3),
    ],
)
def test_any_timm_backbone_with_four_levels_can_be_the_stem(name, options, crop_size, grid):
    backbone = create_backbone(name, crop_size=crop_size, options=options)
    stem = Stem(backbone=backbone, combined_dim=16, feature_dim=8)
    crops = torch.zeros(2, 3, crop_size, crop_size, dtype=torch.uint8)
    assert stem(crops).shape == (2, grid, grid, 8)


@pytest.mark.parametrize("option", ["pretrained", "pretrained_cfg_overlay", "checkpoint_path"])
def test_no_option_of_a_backbone_loads_weights(option):
    with pytest.raises(ConfigError, match=f"the option '{option}' of the backbone loads weights, maybe from the web"):
        create_backbone("swin_tiny_patch4_window7_224", crop_size=112, options={**SMALL_SWIN, option: True})


def test_unknown_names_and_wrong_options_are_named():
    with pytest.raises(ConfigError, match="no backbone 'swine'"):
        create_backbone("swine", crop_size=64)
    with pytest.raises(ConfigError, match="snout"):
        create_backbone("resnet10t", crop_size=64, options={"snout": 1})
    with pytest.raises(ConfigError, match="hold a number above 4096"):
        create_backbone("resnet10t", crop_size=64, options={"layers": [1, 2**31, 1, 1]})
    with pytest.raises(ConfigError, match="not a multiple of 4"):
        Stem(backbone=create_backbone("resnet10t", crop_size=64), combined_dim=10, feature_dim=8)
