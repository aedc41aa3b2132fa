"""What all methods have in common: they learn, are saved, exported and calibrated."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.model.rivals.conftest import AU_IDS, faces, fit, losses, rival_config, run_onnx
from vlfau.errors import ConfigError
from vlfau.model.checkpoint import Checkpoint, load_checkpoint
from vlfau.model.rivals.registry import RIVALS, build_rival
from vlfau.training import save_checkpoint

METHODS = sorted(RIVALS)
STEPS = {"described-states": 240}
"""Steps to learn the drawn faces: more without batch normalisation."""
FAST = {"me-graphau", "ugn-b"}
"""Methods whose export takes few seconds; all others are exported in the long suite."""


@pytest.mark.parametrize("method", METHODS)
def test_a_method_learns_and_is_saved(make, tmp_path, method):
    network = make(method)
    totals = fit(network, STEPS.get(method, 40))
    assert np.mean(totals[-5:]) < 0.85 * np.mean(totals[:5])
    crops, targets = faces()
    with torch.no_grad():
        learned = network.eval().encode(crops)
        probs = learned.au_logits.sigmoid()
    shown = targets.occurrence.bool()
    assert probs[shown].mean() > probs[~shown].mean() + 0.2

    metadata = Checkpoint(rival_config(method), AU_IDS, (), None, 40, {"synthetic": True}, {})
    save_checkpoint(tmp_path / "saved", network, metadata)
    loaded = load_checkpoint(tmp_path / "saved")
    with torch.no_grad():
        again = loaded.network.encode(crops)
    assert torch.equal(again.au_logits, learned.au_logits)
    assert not loaded.metadata.has_captions


@pytest.mark.parametrize(
    "method", [method if method in FAST else pytest.param(method, marks=pytest.mark.slow) for method in METHODS]
)
def test_an_exported_method_says_what_torch_says(make, method):
    network = make(method).eval()
    crops, _ = faces()
    with torch.no_grad():
        vision = network.encode(crops[:3])  # the exporter saw two faces
    logits, maps = run_onnx(network, crops[:3])
    np.testing.assert_allclose(logits, vision.au_logits, atol=2e-4)
    np.testing.assert_allclose(maps, vision.attention_maps, atol=2e-4)


@pytest.mark.parametrize("method", METHODS)
def test_every_weight_of_a_method_learns_in_some_stage(make, method):
    network = make(method).train()
    crops, targets = faces()
    learning = set()
    for progress in (0.0, 0.99):
        network.zero_grad()
        network.rival.progress = progress
        torch.stack(list(losses(network, crops, targets).values())).sum().backward()
        learning |= {
            name
            for name, weight in network.rival.named_parameters()
            if weight.grad is not None and weight.grad.abs().sum() > 0
        }
    assert {name for name, weight in network.rival.named_parameters() if weight.requires_grad} - learning == set()


@pytest.mark.parametrize("method", METHODS)
def test_unknown_labels_do_not_change_the_loss_of_the_aus(make, method):
    network = make(method).train()
    network.rival.progress = 0.99
    crops, targets = faces()
    mask = targets.valid_mask.clone()
    mask[:, 1] = False
    other = targets.occurrence.clone()
    other[:, 1] = 1 - other[:, 1]

    def total(occurrence):
        torch.manual_seed(5)
        # A copy, because a step of training may change the method's state.
        return losses(deepcopy(network), crops, replace(targets, occurrence=occurrence, valid_mask=mask))["fau"]

    assert torch.allclose(total(other), total(targets.occurrence))


def test_calibration_rescales_the_logits_of_one_au(make):
    network = make("me-graphau").eval()
    crops, _ = faces(2)
    with torch.no_grad():
        before = network.encode(crops).au_logits
        network.rescale_logits(1, 2.0, 0.5)
        after = network.encode(crops).au_logits
    assert torch.allclose(after[:, 1], 2 * before[:, 1] + 0.5, atol=1e-5)
    assert torch.allclose(after[:, 0], before[:, 0])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "wishful"}, "choose among vl-fau"),
        ({"local_language": True}, "has no local_language; set model.local_language to false"),
        ({"landmarks": 37}, "set model.landmarks to 0"),
        ({"method_options": {"colour": 1}}, r"me-graphau has no option 'colour' \(model.method_options\); it has \w+"),
    ],
)
def test_a_configuration_that_no_method_has_is_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        build_rival(replace(rival_config("me-graphau"), **changes), au_ids=AU_IDS)
