from types import SimpleNamespace

import pytest
import torch

from vlfau.errors import ConfigError
from vlfau.evaluation.rehearsal import memory
from vlfau.evaluation.rehearsal.machine import Peak
from vlfau.evaluation.rehearsal.memory import MemoryLine, memory_found
from vlfau.evaluation.rehearsal.work import DataCount, FoldCount

GIB = 2**30
LOOSE = ("data.keep_in_memory=false",)
COUNTS = DataCount((1, 4), (FoldCount(1, 2, 1000, (5, 5)), FoldCount(2, 2, 1000, (5, 5))))


@pytest.fixture
def line_of(monkeypatch):
    """Return a function that makes steps of 2 and 4 faces with 2 GiB and so much a face, on a machine of 8 GiB."""
    peaks = []
    monkeypatch.setattr(memory, "reset_peak", lambda device: None)
    monkeypatch.setattr(memory, "peak_memory", lambda device: peaks[-1])
    monkeypatch.setattr(memory, "available_memory", lambda: 8 * GIB)
    monkeypatch.setattr(memory, "device_memory", lambda device: 8 * GIB if device.type == "cuda" else None)

    def make(each, *, device="cpu", calls=2):
        def step(size, calls):
            used = round((2 + each * size) * GIB)
            peaks.append(Peak(used, None) if device == "cpu" else Peak(GIB, used))
            return 1.0

        line = MemoryLine(SimpleNamespace(device=torch.device(device), step=step, moments=GIB))
        for size in (2, 4):
            line.step(size, calls)
        return line

    return make


def test_memory_is_extrapolated_to_the_batch(line_of, toy_config):
    line = line_of(0.25)
    assert line.at(16).process == 6 * GIB
    assert (line.is_measured(4), line.is_measured(16)) == (True, False)
    says = memory_found(toy_config("run.batch_size=16", *LOOSE), [line], COUNTS).says
    assert says == "6.0 GiB of this process with 16 faces, extrapolated; 8.0 GiB are there"
    assert [line.fits(size) for size in (16, 20)] == [True, True]
    assert not line.fits(22)  # 7.5 GiB would be too close to the limit


def test_a_single_step_counts_with_the_moments_that_come_after_it(line_of):
    assert line_of(0.25, calls=1).at(4).process == 4 * GIB


def test_too_large_a_batch_is_a_problem_with_a_batch_that_fits(line_of, toy_config):
    with pytest.raises(ConfigError, match=r"18\.0 GiB of this process .* set run\.batch_size=16 and .*_batches=4"):
        memory_found(toy_config("run.batch_size=64", *LOOSE), [line_of(0.25)], COUNTS)
    with pytest.raises(ConfigError, match=r"18\.0 GiB of the GPU .* set run\.batch_size=16 and .*_batches=12"):
        memory_found(
            toy_config("run.batch_size=64", "run.accumulate_batches=3", *LOOSE), [line_of(0.25, device="cuda")], COUNTS
        )
    with pytest.raises(ConfigError, match=r"use a machine with more memory, or a smaller network"):
        memory_found(toy_config("run.batch_size=64", *LOOSE), [line_of(20)], COUNTS)


def test_pictures_that_are_kept_in_memory_count(line_of, toy_config):
    kept = ("data.keep_in_memory=true", "run.batch_size=4")
    says = memory_found(toy_config(*kept, "data.aligned_size=512"), [line_of(0.25)], COUNTS).says
    assert says.startswith("4.5 GiB")  # 3 of the step, and 2000 pictures of 768 KiB
    with pytest.raises(ConfigError, match="set data.keep_in_memory to false"):
        memory_found(toy_config(*kept, "data.aligned_size=1300"), [line_of(0.25)], COUNTS)


def test_a_system_that_tells_nothing_is_believed(line_of, toy_config, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    line = line_of(20)
    assert line.fits(1000)
    assert "what there is, is unknown" in memory_found(toy_config("run.batch_size=64", *LOOSE), [line], COUNTS).says
