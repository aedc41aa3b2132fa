import pytest
import torch

from vlfau.model.landmarks import LandmarkBranch
from vlfau.model.losses import landmark_loss

CHANNELS = (8, 12, 16, 20)
GRIDS = (40, 20, 10, 5)
ESTIMATES = 3


def branch(**options):
    torch.manual_seed(0)
    return LandmarkBranch(**{"channels": CHANNELS, "num_landmarks": 5, "num_aus": 3, "intensity": True, **options})


def levels(batch=4):
    torch.manual_seed(1)
    return [torch.randn(batch, width, grid, grid) for width, grid in zip(CHANNELS, GRIDS, strict=True)]


@pytest.mark.parametrize("intensity", [True, False])
def test_every_output_has_its_documented_shape_and_range(intensity):
    said = branch(intensity=intensity)(levels())
    assert said.estimates.shape == (4, ESTIMATES, 5, 2)
    assert torch.equal(said.landmarks, said.estimates[:, -1])
    assert ((said.estimates[:, 0] > 0) & (said.estimates[:, 0] < 1)).all()
    assert said.scores.logits.shape == (4, 3)
    if intensity:
        assert said.scores.intensities.shape == (4, 3)
        assert ((said.scores.intensities >= 0) & (said.scores.intensities <= 5)).all()
    else:
        assert said.scores.intensities is None


def test_landmarks_are_first_found_where_their_maps_are_high():
    network = branch(num_landmarks=1)
    maps = torch.full((1, 1, 20, 20), -50.0)
    maps[0, 0, 4, 13] = 50.0
    network.maps.head.forward = lambda features: maps
    found = network.eval()(levels(batch=1)).estimates[0, 0]
    torch.testing.assert_close(found, torch.tensor([[13.5 / 20, 4.5 / 20]]))


def test_steps_move_landmarks_by_little_before_they_have_learned():
    estimates = branch().eval()(levels()).estimates
    moves = (estimates[:, 1:] - estimates[:, :-1]).abs()
    assert (moves.amax(dim=(0, 2, 3)) > 0).all()
    assert moves.max() < 0.05


def test_no_gradient_of_aus_passes_through_the_places():
    network = branch()
    network(levels()).scores.logits.square().sum().backward()
    finders = [*network.maps.parameters(), *network.steps.parameters()]
    judges = [*network.patches.parameters(), *network.judge.parameters(), *network.narrow.parameters()]
    assert all(parameter.grad is None for parameter in finders)
    assert all(parameter.grad is not None for parameter in judges)


def test_a_step_does_not_answer_for_the_one_before():
    network = branch()
    network(levels()).landmarks.square().sum().backward()
    earlier = [*network.maps.parameters(), *network.steps[0].parameters()]
    assert not any(parameter.grad.any() for parameter in earlier)
    assert all(parameter.grad.any() for parameter in network.steps[1].parameters())


def test_neither_place_nor_size_of_the_landmarks_says_anything_of_the_aus():
    network = branch().eval()
    blank = [torch.zeros_like(level) for level in levels()]  # whose patches look alike everywhere
    for narrow in network.narrow:
        torch.nn.init.zeros_(narrow[0].bias)
    for step in network.steps:
        step.forward = lambda features, landmarks: landmarks
    landmarks = 0.2 + 0.6 * torch.rand(4, 5, 2)
    said = []
    for places in (landmarks, 0.5 * landmarks + torch.tensor([0.3, 0.1])):
        network.maps.forward = lambda levels, places=places: places
        said.append(network(blank).scores.logits)
    torch.testing.assert_close(*said, atol=1e-5, rtol=1e-4)
    network.maps.forward = lambda levels: landmarks * torch.tensor([1.0, 0.5])  # its shape does
    assert not torch.allclose(network(blank).scores.logits, said[0], atol=1e-3)


def test_it_learns_to_find_spots_and_what_their_places_and_looks_mean():
    torch.manual_seed(0)
    network = branch(num_landmarks=3, num_aus=2, intensity=False)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)

    def losses(count):
        spots = torch.randint(4, 36, (count, 3, 2))
        bright = torch.randint(0, 2, (count,)).float()  # how the first spot looks
        features = [torch.zeros(count, width, grid, grid) for width, grid in zip(CHANNELS, GRIDS, strict=True)]
        for face, places in enumerate(spots):
            for channel, (x, y) in enumerate(places):
                features[0][face, channel, y, x] = 5
                features[1][face, channel, y // 2, x // 2] = 5
            x, y = spots[face, 0]
            features[0][face, 5, y, x] = 5 * bright[face]
        said = network(features)
        higher = (spots[:, 0, 1] < spots[:, 1:, 1].float().mean(1)).float()
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(
            said.scores.logits, torch.stack([higher, bright], dim=1), reduction="none"
        ).mean(0)
        found = [landmark_loss(estimate, (spots + 0.5) / 40) for estimate in said.estimates.unbind(1)]
        return torch.stack(found), wrong

    for _ in range(200):
        optimiser.zero_grad()
        torch.cat(losses(16)).sum().backward()
        optimiser.step()
    network.eval()
    found, wrong = losses(256)
    assert found[-1] < found[0]
    assert found[-1] < 0.4  # twentieths of the crop's side: 2 %
    assert (wrong < torch.tensor([0.45, 0.2])).all()
