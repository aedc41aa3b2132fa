import pytest
import torch

from vlfau.model.geometry import FaceGeometry
from vlfau.model.losses import landmark_loss

CHANNELS = (8, 12, 16, 20)
GRIDS = (40, 20, 10, 5)


def part(**options):
    torch.manual_seed(0)
    return FaceGeometry(**{"channels": CHANNELS, "num_landmarks": 5, "num_aus": 3, "intensity": True, **options})


def levels(batch=4):
    torch.manual_seed(1)
    return [torch.randn(batch, width, grid, grid) for width, grid in zip(CHANNELS, GRIDS, strict=True)]


@pytest.mark.parametrize("intensity", [True, False])
def test_every_output_has_its_documented_shape_and_range(intensity):
    said = part(intensity=intensity)(levels())
    assert said.landmarks.shape == (4, 5, 2)
    assert ((said.landmarks > 0) & (said.landmarks < 1)).all()
    assert said.scores.logits.shape == (4, 3)
    if intensity:
        assert said.scores.intensities.shape == (4, 3)
        assert ((said.scores.intensities >= 0) & (said.scores.intensities <= 5)).all()
    else:
        assert said.scores.intensities is None


def test_landmarks_lie_where_their_maps_are_high():
    geometry = part(num_landmarks=1)
    maps = torch.full((1, 1, 20, 20), -50.0)
    maps[0, 0, 4, 13] = 50.0
    geometry.maps.forward = lambda features: maps
    found = geometry.eval()(levels(batch=1)).landmarks
    torch.testing.assert_close(found, torch.tensor([[[13.5 / 20, 4.5 / 20]]]))


def test_labels_of_aus_do_not_move_landmarks():
    geometry, inputs = part(), [level.requires_grad_() for level in levels()]
    geometry(inputs).scores.logits.square().sum().backward()
    assert all(level.grad is None for level in inputs)
    assert all(parameter.grad is None for parameter in geometry.maps.parameters())
    assert all(parameter.grad is not None for parameter in geometry.judge.parameters())


def test_neither_place_nor_size_of_a_face_says_anything_of_its_aus():
    geometry = part().eval()
    landmarks = torch.rand(4, 5, 2)
    said = []
    for places in (landmarks, 0.5 * landmarks + torch.tensor([0.3, -0.1])):
        geometry._find = lambda levels, places=places: places
        said.append(geometry(levels()).scores.logits)
    torch.testing.assert_close(*said, atol=1e-5, rtol=1e-4)


def test_it_learns_to_find_a_spot_and_what_its_place_means():
    torch.manual_seed(0)
    geometry = part(num_landmarks=3, num_aus=1, intensity=False)
    optimiser = torch.optim.AdamW(geometry.parameters(), 3e-3)
    for _ in range(150):
        spots = torch.randint(2, 18, (16, 3, 2))
        features = [torch.zeros(16, width, grid, grid) for width, grid in zip(CHANNELS, GRIDS, strict=True)]
        for face, places in enumerate(spots):
            for channel, (x, y) in enumerate(places):
                features[1][face, channel, y, x] = 5
        said = geometry(features)
        places = (spots + 0.5) / 20
        higher = (spots[:, :1, 1] < spots[:, 1:, 1].float().mean(1, keepdim=True)).float()
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(said.scores.logits, higher)
        optimiser.zero_grad()
        (landmark_loss(said.landmarks, places) + wrong).backward()
        optimiser.step()
    assert (said.landmarks - places).abs().mean() < 0.02
    assert wrong < 0.35
