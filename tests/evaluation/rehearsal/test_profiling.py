import pytest
import torch

from tests.evaluation.rehearsal.made_up import work
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal import estimate_cost, memory, profiling
from vlfau.evaluation.rehearsal.checks import Checklist, Status
from vlfau.evaluation.rehearsal.costs import DiskSizes
from vlfau.evaluation.rehearsal.profiling import Profiler
from vlfau.evaluation.rehearsal.resources import PeakMemory


class FakeTimer:
    """A network whose parts take known seconds of a clock of its own."""

    has_captions, num_parameters, optimiser_bytes = True, 1_000_000, 0
    now = 0.0

    def __init__(self, config, options, *, clock):
        self.device = torch.device("cpu")
        FakeTimer.now += 4

    def _take(self, seconds, calls=1):
        FakeTimer.now += seconds * calls
        return seconds

    def time_step(self, size, calls):
        return self._take(2 + 1.0 * size, calls)

    def time_validation(self, size, calls):
        return self._take(0.25 * size, calls)

    def time_prediction(self, size, calls):
        return self._take(0.125 * size, calls)

    def time_captioning(self, size, calls):
        return self._take(1.5 * size, calls)

    def time_caption_scoring(self):
        return 0.5

    def time_loading(self, size):
        return 0.01

    def disk_sizes(self):
        return DiskSizes(100, 300, 1.0)

    def time_saving(self, folder):
        return self._take(6.0)


@pytest.fixture
def measure(monkeypatch, toy_config, tmp_path):
    """Return a function that measures the fake, and the checks that it left."""

    def run(*changes, budget_s=1000.0, describes=True, scratch=lambda sizes: tmp_path):
        monkeypatch.setattr(profiling, "NetworkTimer", FakeTimer)
        monkeypatch.setattr(memory, "peak_memory", lambda device: PeakMemory(1000, None))
        checks = Checklist(lambda name: None, lambda check: None)
        config = toy_config("run.batch_size=64", *changes)
        each = Profiler(
            config,
            EvalOptions(32),
            checks,
            label="",
            budget_s=budget_s,
            describes=describes,
            clock=lambda: FakeTimer.now,
        )
        return each.run(read_s=3.0, picture_s=0.02, scratch=scratch), checks.checks

    return run


def test_a_night_is_foretold_from_the_clock(measure, monkeypatch):
    # All threads work all the time, however many this process has.
    monkeypatch.setattr(profiling.time, "process_time", lambda: FakeTimer.now * torch.get_num_threads())
    measured, checks = measure()
    assert [check for check in checks if check.status is not Status.OK] == []
    rates = measured.rates
    assert (rates.step.seconds, rates.step.is_measured) == (66.0, True)
    assert (rates.load, rates.save, rates.start, rates.score) == (0.02, 6.0, 2 * (3 + 4), 0.5)
    cost = estimate_cost(work(steps=1000, epochs=10, validated=400, tested=200, described=100), rates, num_workers=2)
    assert cost.training == pytest.approx(1000 * 66 + 10 * 6)
    assert (cost.validation, cost.evaluation) == (pytest.approx(100), pytest.approx(25 + 14))
    assert cost.describing == pytest.approx(100 * (1.5 + 0.5))


def test_with_little_time_the_same_is_extrapolated(measure):
    measured, checks = measure(budget_s=40.0)
    assert not measured.rates.step.is_measured
    assert measured.rates.step.seconds == 8 * 10.0
    assert not measured.rates.peak_is_measured
    says = {check.name: check.message for check in checks}
    assert says["training step"] == "80 s for 64 faces, extrapolated from 8 (10 s)"


def test_a_part_that_fails_is_named_and_the_others_are_measured(measure, monkeypatch):
    def broken(self, size, calls):
        raise RuntimeError("no kernel for this\nand a long trace")

    monkeypatch.setattr(FakeTimer, "time_validation", broken)
    measured, checks = measure()
    assert measured is None
    (problem,) = [check for check in checks if check.status is Status.PROBLEM]
    assert (problem.name, problem.message) == (
        "validation",
        "RuntimeError: no kernel for this; the real run would stop here",
    )
    assert {"training step", "evaluation", "captions", "saving"} <= {check.name for check in checks}


def test_a_lack_of_memory_says_what_to_do(measure, monkeypatch):
    def broken(self, size, calls):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(FakeTimer, "time_step", broken)
    _, checks = measure()
    (problem,) = [check for check in checks if check.status is Status.PROBLEM]
    assert "lower run.batch_size and raise run.accumulate_batches" in problem.message


def test_a_machine_that_is_busy_with_other_work_is_noted(measure, monkeypatch):
    monkeypatch.setattr(profiling.time, "process_time", lambda: FakeTimer.now / 4 * torch.get_num_threads())
    _, checks = measure()
    (note,) = [check for check in checks if check.status is Status.NOTE]
    assert note.name == "other work"
    assert "training got 25% of the processor time" in note.message


def test_words_that_nobody_wants_are_not_measured(measure):
    measured, checks = measure(describes=False)
    assert measured.rates.speak is None
    assert "captions" not in {check.name for check in checks}
