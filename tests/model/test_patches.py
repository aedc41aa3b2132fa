import torch
import torch.nn.functional as F

from vlfau.model.patches import LandmarkPatches


def patches(**options):
    torch.manual_seed(0)
    return LandmarkPatches(**{"channels": 2, "num_landmarks": 3, "side": 3, "description_dim": 4, **options})


def test_a_description_has_its_documented_shape():
    assert patches()(torch.randn(5, 2, 8, 6), torch.rand(5, 3, 2)).shape == (5, 3, 4)


def test_a_patch_is_read_at_its_places_and_between_cells():
    part = patches(num_landmarks=1, spacing=0.5, description_dim=18)
    with torch.no_grad():
        part.describe.weight.copy_(torch.eye(18)[None])
        part.describe.bias.zero_()
    x = (torch.arange(8.0) + 0.5) / 8
    y = (torch.arange(6.0) + 0.5) / 6
    features = torch.stack([x.expand(6, -1), y[:, None].expand(-1, 8)])[None]  # every cell says where it is
    said = part(features, torch.tensor([[[0.4, 0.55]]])).view(2, 9)
    steps = 0.5 * torch.tensor([-1.0, 0.0, 1.0])
    across, down = 0.4 + steps / 8, 0.55 + steps / 6
    torch.testing.assert_close(said[0], F.gelu(across.repeat(3)))
    torch.testing.assert_close(said[1], F.gelu(down.repeat_interleave(3)))


def test_every_landmark_has_a_layer_of_its_own():
    same_place = torch.full((1, 3, 2), 0.5)
    first, second, third = patches()(torch.randn(1, 2, 8, 8), same_place)[0]
    assert not torch.allclose(first, second)
    assert not torch.allclose(second, third)


def test_nothing_is_seen_beyond_the_crop():
    part = patches()
    far_outside = torch.full((1, 3, 2), 3.0)
    torch.testing.assert_close(part(torch.randn(1, 2, 8, 8), far_outside), F.gelu(part.describe.bias)[None])
