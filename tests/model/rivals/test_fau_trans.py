"""FAU-Trans: its losses on counted examples, and what they do to the network."""

from dataclasses import replace

import pytest
import torch

from tests.model.rivals.conftest import faces, fit, losses
from vlfau.model.rivals.fau_trans import center_contrastive_loss, tversky_loss

KNOWN = torch.ones(2, 1, dtype=torch.bool)
TRUTH = torch.tensor([[1.0], [0.0]])


def test_tversky_loss_weighs_false_aus_above_missed_ones_as_the_public_code_does():
    missed, false = torch.tensor([[-50.0], [-50.0]]), torch.tensor([[50.0], [50.0]])
    assert tversky_loss(missed, TRUTH, KNOWN, torch.ones(1)).item() == pytest.approx(1 - 1 / 1.25)
    assert tversky_loss(false, TRUTH, KNOWN, torch.ones(1)).item() == pytest.approx(1 - 2 / 2.75)
    assert tversky_loss(false, TRUTH, KNOWN, 3 * torch.ones(1)).item() == pytest.approx(3 - 6 / 2.75)


def test_center_contrastive_loss_is_the_spread_of_active_faces_over_their_distance_from_others():
    # Active faces at 1 and 3, so that their centre is 2; one without the AU at 6, and one of unknown state at 9.
    embedded = torch.tensor([1.0, 3.0, 6.0, 9.0])[:, None, None]
    occurrence = torch.tensor([1.0, 1.0, 0.0, 0.0])[:, None]
    known = torch.tensor([True, True, True, False])[:, None]
    assert center_contrastive_loss(embedded, occurrence, known, torch.ones(1)).item() == pytest.approx(2 / 16)


def test_center_contrastive_loss_weighs_aus():
    # AU 1: (1 + 1) / 16, as above; AU 2: (4 + 4) / 4, with the square of its weight 2.
    embedded = torch.tensor([[1.0, 0.0], [3.0, 4.0], [6.0, 4.0]])[..., None]
    occurrence = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    loss = center_contrastive_loss(embedded, occurrence, occurrence >= 0, torch.tensor([1.0, 2.0]))
    assert loss.item() == pytest.approx((2 + 4 * 8) / (16 + 4 * 4))


@pytest.mark.parametrize("state", [0.0, 1.0])
def test_center_contrastive_loss_is_zero_where_all_faces_have_the_same_state(state):
    embedded = torch.randn(3, 2, 4)
    states = torch.full((3, 2), state)
    assert center_contrastive_loss(embedded, states, states >= 0, torch.ones(2)).item() == 0


def test_center_contrastive_loss_separates_the_embeddings(make):
    def spread(weight):
        network = make("fau-trans", center_weight=weight)
        fit(network, 30)
        crops, targets = faces()
        embedded = network.eval()(crops).vision.rival.extras["embedded"]
        return center_contrastive_loss(embedded, targets.occurrence, targets.valid_mask, targets.weights).item()

    assert spread(1.0) < 0.5 * spread(0.0)


def test_the_attention_is_held_to_the_regions_and_scores_aus_itself(make):
    network = make("fau-trans", attention_weight=100.0)
    crops, targets = faces()
    before = losses(network.train(), crops, targets)
    fit(network, 30)
    after = losses(network.train(), crops, targets)
    assert after["attention"] < 0.5 * before["attention"]
    assert after["spotted"] < 0.9 * before["spotted"]


def test_wrong_attention_costs_no_more_than_its_distance(make):
    """The Huber loss: .1 (|e| - .05) beyond an error of .1."""
    network = make("fau-trans")
    crops, targets = faces(2)
    output = network(crops).vision.rival
    none = replace(targets, landmarks=targets.landmarks - 10)  # centres outside of the picture: no region at all
    ones, zeros = torch.ones_like(output.attention_maps), torch.zeros_like(output.attention_maps)
    rival = network.rival
    assert rival.losses(replace(output, attention_maps=ones), none)["attention"].item() == pytest.approx(0.095)
    assert rival.losses(replace(output, attention_maps=zeros), none)["attention"].item() == 0
