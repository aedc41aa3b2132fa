import math

import pytest
import torch

from tests.model.reference import classify_one_by_one, refine_one_by_one
from vlfau.model.classifier import AUClassifier
from vlfau.model.refinement import DAIR


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_eq_2_and_3_give_the_numbers_worked_out_by_hand():
    module = DAIR(num_aus=1, feature_dim=2, reduction=2)  # a bottleneck of one unit
    module.squeeze.weight.data = torch.tensor([[[1.0], [1.0]]])
    module.squeeze.bias.data.zero_()
    module.excite.weight.data = torch.tensor([[[0.5, -0.5]]])
    module.excite.bias.data.zero_()
    module.spatial.weight.data.zero_()
    module.spatial.weight.data[0, :, 1, 1] = torch.tensor([1.0, 2.0])  # max counts once, mean twice
    module.spatial.bias.data.zero_()
    features = torch.tensor([[[[1.0, 2.0], [3.0, 0.0]]]])  # one row of two locations, two channels
    # Max-pooled (3, 2) and average-pooled (2, 1): the hidden unit is 5 and 3, summed 8, halved to +-4.
    first, second = sigmoid(4), sigmoid(-4)
    places = [(1 * first, 2 * second), (3 * first, 0 * second)]
    looks = [sigmoid(max(place) + 2 * sum(place) / 2) for place in places]
    output = module(features)
    assert output.attention_maps.flatten().tolist() == pytest.approx(looks, abs=1e-6)
    expected = [channel * look for place, look in zip(places, looks, strict=True) for channel in place]
    assert output.refine(features).flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("num_aus", [1, 5, 8, 12, 18])
def test_all_branches_at_once_equal_one_branch_after_the_other(num_aus):
    torch.manual_seed(0)
    module, classifier = DAIR(num_aus=num_aus, feature_dim=32), AUClassifier(num_aus=num_aus, feature_dim=32)
    grid = torch.randn(3, 4, 5, 32)
    output, stem_features = module(grid), grid.flatten(1, 2)
    features, maps = refine_one_by_one(module, grid)
    torch.testing.assert_close(output.attention_maps, maps, atol=1e-5, rtol=0)
    torch.testing.assert_close(output.refine(grid), features, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        classifier(output.refine_and_pool(stem_features)),
        classify_one_by_one(classifier, features),
        atol=1e-5,
        rtol=0,
    )


def test_the_batched_gradients_equal_the_loops_gradients():
    torch.manual_seed(0)
    module = DAIR(num_aus=3, feature_dim=16)
    grid = torch.randn(2, 3, 3, 16)
    module(grid).refine(grid).square().sum().backward()
    batched = [parameter.grad.clone() for parameter in module.parameters()]
    module.zero_grad()
    refine_one_by_one(module, grid)[0].square().sum().backward()
    for ours, theirs in zip(batched, (parameter.grad for parameter in module.parameters()), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_captions_see_the_mean_of_every_two_by_two_cells():
    torch.manual_seed(0)
    module, grid = DAIR(num_aus=3, feature_dim=16), torch.randn(2, 4, 6, 16)
    output = module(grid)
    whole = output.refine(grid).unflatten(2, (2, 2, 3, 2))  # (B, N, H / 2, 2, W / 2, 2, d)
    torch.testing.assert_close(output.refine(grid, pooling=2), whole.mean((3, 5)).flatten(2, 3))
