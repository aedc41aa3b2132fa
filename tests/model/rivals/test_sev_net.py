"""SEV-Net: descriptions choose where the network looks."""

import torch

from tests.model.rivals.conftest import faces


def test_sev_net_looks_where_the_description_sends_it(make):
    network = make("sev-net").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        maps = network.encode(crops).attention_maps
        words = network.rival.words.clone()
        network.rival.words[[0, 2]] = words[[2, 0]]
        network.rival.is_word[[0, 2]] = network.rival.is_word[[2, 0]].clone()
        swapped = network.encode(crops).attention_maps
    assert torch.allclose(swapped[:, 0], maps[:, 2], atol=1e-6)
    assert torch.allclose(swapped[:, 2], maps[:, 0], atol=1e-6)
    assert torch.allclose(swapped[:, 1], maps[:, 1], atol=1e-6)


def test_sev_nets_descriptions_say_where_to_look_and_nothing_else(make):
    network = make("sev-net").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        network.rival.key.weight.zero_()  # everywhere alike
        before = network.encode(crops).au_logits
        network.rival.embed.weight.normal_()
        assert torch.allclose(network.encode(crops).au_logits, before, atol=1e-6)
