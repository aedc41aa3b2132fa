import functools
import math

import lightning
import pytest

from vlfau.training import train
from vlfau.training.module import VLFAUModule

SILENT = ("model.local_language=false", "model.global_language=false", "run.max_epochs=3", "run.batch_size=4")
PEAK = 5e-3


@pytest.fixture
def rates(monkeypatch):
    """The learning rates of all steps that the optimiser takes."""
    taken = []

    def before_step(self, optimizer):
        taken.append(optimizer.param_groups[-1]["lr"] / PEAK)

    monkeypatch.setattr(VLFAUModule, "on_before_optimizer_step", before_step)
    return taken


def cosine(steps, warmup):
    """The schedule by its definition: a line from 0 to the peak, then half a cosine to 0."""
    rising = [(step + 1) / warmup for step in range(warmup)]
    return rising + [(1 + math.cos(math.pi * step / (steps - warmup))) / 2 for step in range(steps - warmup)]


@pytest.mark.parametrize("warmup", [0, 1, 5])
@pytest.mark.parametrize(("accumulated", "steps"), [(1, 12), (3, 6)])  # 4 batches an epoch
def test_the_rate_falls_as_a_cosine_after_every_warm_up(toy_config, rates, warmup, accumulated, steps):
    changes = (f"optimiser.warmup_steps={warmup}", f"run.accumulate_batches={accumulated}")
    train(toy_config(*SILENT, *changes))
    assert rates == pytest.approx(cosine(steps, warmup))


@pytest.mark.parametrize("warmup", [0, 5])
def test_a_resumed_run_has_the_rates_of_an_undisturbed_one(toy_config, rates, warmup):
    changes = (*SILENT, f"optimiser.warmup_steps={warmup}")
    train(toy_config(*changes, "run.stop_after_epochs=1"))
    train(toy_config(*changes), resume=True)
    assert rates == pytest.approx(cosine(12, warmup))


def test_the_schedule_ends_with_the_batches_that_are_taken(toy_config, rates, monkeypatch):
    monkeypatch.setattr(lightning, "Trainer", functools.partial(lightning.Trainer, limit_train_batches=2))
    train(toy_config(*SILENT, "optimiser.warmup_steps=0"))
    assert rates == pytest.approx(cosine(6, 0))


def test_the_schedule_may_be_longer_than_the_run(toy_config, rates):
    train(toy_config(*SILENT, "optimiser.warmup_steps=0", "optimiser.schedule_epochs=5"))
    assert rates == pytest.approx(cosine(20, 0)[:12])
