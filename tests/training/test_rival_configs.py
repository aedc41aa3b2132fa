"""The files of `configs/rivals/`, as shipped: alike but for the method, and each takes a step on the real stem."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vlfau.facs import AU_SETS
from vlfau.model import build_network
from vlfau.model.rivals.base import RivalTargets
from vlfau.model.rivals.centres import LANDMARKS
from vlfau.model.rivals.network import RivalNetwork
from vlfau.training import read_config

FOLDER = Path(__file__).parents[2] / "configs" / "rivals"
FILES = {path.stem: path for path in FOLDER.glob("*.yaml")}
FACES = 8


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_differs_from_the_baselines_by_the_method_alone(name):
    config, plain = read_config(FILES[name]), read_config(FILES["baseline"])
    assert config.model.method == ("vl-fau" if name == "baseline" else name)
    assert config.run.output == Path(f"runs/{name}-fold1")
    alike = replace(config, model=replace(config.model, method="vl-fau"), run=plain.run)
    assert alike == plain
    assert replace(config.run, output=plain.run.output) == plain.run


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"baseline"}))
def test_a_method_takes_a_step_on_the_real_stem(name):
    config = read_config(FILES[name])
    torch.manual_seed(0)
    au_ids = AU_SETS["bp4d"]
    network = build_network(config.model, au_ids=au_ids, vocabulary_size=4)
    assert isinstance(network, RivalNetwork)
    network = network.to(memory_format=torch.channels_last).train()
    size = config.model.crop_size
    crops = torch.randint(0, 255, (FACES, 3, size, size), dtype=torch.uint8)
    targets = RivalTargets(
        occurrence=(torch.rand(FACES, len(au_ids)) < 0.5).float(),
        valid_mask=torch.rand(FACES, len(au_ids)) < 0.9,
        intensity=torch.full((FACES, len(au_ids)), torch.nan),
        landmarks=torch.rand(FACES, len(LANDMARKS), 2),
        weights=torch.ones(len(au_ids)),
    )
    targets.landmarks[0, 3] = torch.nan
    total = torch.stack(list(network.rival.losses(network(crops).vision.rival, targets).values())).sum()
    total.backward()
    gradients = [weight.grad for weight in network.rival.parameters() if weight.grad is not None]
    assert total.isfinite()
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)
