"""A stem of four small convolutions, and faces whose AUs are blobs at the landmarks."""

from itertools import pairwise

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from vlfau.export.graphs import export_graphs
from vlfau.model import ModelConfig, build_network
from vlfau.model.rivals.base import RivalTargets
from vlfau.model.rivals.centres import LANDMARKS
from vlfau.model.stem import Backbone

AU_IDS = (1, 4, 12, 25)
SIZE = 32
CHANNELS = (8, 8, 8, 8)
TINY = {"jaa-net": {"unit": 1}, "aar": {"clip_length": 4}, "ks": {"clip_length": 4}}


class TinyBackbone(nn.Module):
    def __init__(self):
        super().__init__()
        widths = (3, *CHANNELS)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, stride=stride, padding=1), nn.ReLU())
            for (before, after), stride in zip(pairwise(widths), (4, 2, 1, 1), strict=True)
        )

    def forward(self, crops):
        found = []
        for level in self.levels:
            crops = level(crops)
            found.append(crops)
        return found


@pytest.fixture(autouse=True)
def tiny_stem(monkeypatch):
    def create(name, **_):
        return Backbone(TinyBackbone(), CHANNELS, channels_last=False, mean=(0.5,) * 3, std=(0.25,) * 3)

    monkeypatch.setattr("vlfau.model.rivals.registry.create_backbone", create)


def rival_config(method, **options):
    return ModelConfig(
        method=method,
        method_options=TINY.get(method, {}) | options,
        crop_size=SIZE,
        feature_dim=16,
        multi_scale=False,
        dair=False,
        local_language=False,
        global_language=False,
    )


@pytest.fixture
def make():
    """Return a function that builds a method's network, with a seed, and tells its progress."""

    def build(method, *, seed=0, **options):
        torch.manual_seed(seed)
        return build_network(rival_config(method, **options), au_ids=AU_IDS, vocabulary_size=4)

    return build


def faces(count=16, seed=0, *, clip_length=1):
    """Return crops in which each active AU is a bright square of its own, and their labels; clips are of one face."""
    rng = np.random.default_rng(seed)
    crops = rng.integers(80, 120, (count, 3, SIZE, SIZE)).astype(np.uint8)
    occurrence = np.array([[index >> bit & 1 for bit in range(len(AU_IDS))] for index in rng.permutation(count)])
    for crop, states in zip(crops, occurrence, strict=True):
        for place, active in enumerate(states):
            if active:
                top, left = 16 * (place // 2) + 4, 16 * (place % 2) + 4
                crop[place % 3, top : top + 8, left : left + 8] = 250
    landmarks = rng.normal(0, 0.01, (count, len(LANDMARKS), 2)) + rng.random((1, len(LANDMARKS), 2)) * 0.6 + 0.2
    crops, occurrence, landmarks = (np.repeat(each, clip_length, axis=0) for each in (crops, occurrence, landmarks))
    return torch.from_numpy(crops), RivalTargets(
        occurrence=torch.from_numpy(occurrence).float(),
        valid_mask=torch.ones(occurrence.shape, dtype=torch.bool),
        intensity=torch.from_numpy(3 * occurrence).float(),
        landmarks=torch.from_numpy(landmarks).float(),
        weights=torch.ones(len(AU_IDS)),
    )


def losses(network, crops, targets):
    """Return the terms of a training step's loss."""
    return network.rival.losses(network(crops).vision.rival, targets)


def fit(network, steps=40, rate=5e-3, *, progress=True, count=16):
    """Train on those faces, and return the total loss of every step."""
    crops, targets = faces(count, clip_length=network.rival.clip_length)
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 0.4  # so that its statistics follow within few steps
    optimiser = torch.optim.AdamW([each for each in network.parameters() if each.requires_grad], lr=rate)
    totals = []
    for step in range(steps):
        network.rival.progress = step / steps if progress else 1.0
        total = torch.stack(list(losses(network, crops, targets).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    return totals


def run_onnx(network, crops):
    """Return the logits and the maps of the exported network for crops (B, 3, S, S)."""
    graph = export_graphs(network.eval(), crop_size=SIZE)["vision.onnx"].SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = ["au_logits", "attention_maps"]
    return session.run(names, {"crops": crops.permute(0, 2, 3, 1).contiguous().numpy()})
