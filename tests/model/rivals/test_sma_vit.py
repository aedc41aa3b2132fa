"""SMA-ViT: channels of attention that differ, and attend to each other."""

import pytest
import torch

from tests.model.rivals.conftest import faces, fit


def test_sma_vits_channels_agree_less_under_the_constraint(make):
    def agreement(weight):
        network = make("sma-vit", disagreement_weight=weight)
        fit(network, 30)
        return network.eval()(faces()[0]).vision.rival.extras["agreement"].item()

    assert agreement(2.0) < agreement(0.0) - 0.1


def test_sma_vits_channels_agree_where_they_read_alike(make):
    network = make("sma-vit").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        assert network(crops).vision.rival.extras["agreement"].item() < 0.9
        for block in network.rival.blocks:
            for layer in (block.query, block.key, block.value):
                layer.weight.copy_(layer.weight[: layer.in_features].repeat(4, 1))
                if layer.bias is not None:
                    layer.bias.zero_()
        assert network(crops).vision.rival.extras["agreement"].item() == pytest.approx(1, abs=1e-5)


def test_sma_vits_channels_are_mixed_by_what_each_of_them_read(make):
    network = make("sma-vit").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        before = network.encode(crops).au_logits
        network.rival.blocks[1].ask.weight.mul_(50)
        assert (network.encode(crops).au_logits - before).abs().max() > 1e-4
