"""SMA-ViT: channels of attention that differ, and refine each other."""

import pytest
import torch

from tests.model.rivals.conftest import faces, fit


def test_sma_vits_channels_agree_less_under_the_constraint(make):
    def agreement(weight):
        network = make("sma-vit", disagreement_weight=weight)
        fit(network, 30)
        return network.eval()(faces()[0]).vision.rival.extras["agreement"].item()

    assert agreement(2.0) < agreement(0.0) - 0.1


def test_sma_vits_channels_agree_where_they_attend_alike_whatever_they_read(make):
    network = make("sma-vit").eval()
    with torch.no_grad():
        for block in network.rival.blocks:
            for layer in (block.query, block.key):
                first = layer.weight[:16].clone()
                layer.weight.copy_(first.repeat(4, 1))
            block.query.bias.zero_()
        agreement = network(faces(2)[0]).vision.rival.extras["agreement"].item()
    assert agreement == pytest.approx(1, abs=1e-5)


def test_sma_vits_inter_attention_refines_the_attention(make):
    network = make("sma-vit").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        before = network.encode(crops).attention_maps
        network.rival.blocks[1].ask.weight.mul_(50)
        after = network.encode(crops).attention_maps
    assert (after - before).abs().max() > 1e-4


def test_sma_vits_attention_stays_soft_however_large_its_weights_grow(make):
    network = make("sma-vit").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        before = network.encode(crops).attention_maps
        for block in network.rival.blocks:
            block.key.weight.mul_(100)
        assert torch.allclose(network.encode(crops).attention_maps, before, atol=1e-4)
