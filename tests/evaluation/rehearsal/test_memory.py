from types import SimpleNamespace

import pytest
import torch

from vlfau.errors import ConfigError
from vlfau.evaluation.rehearsal import memory
from vlfau.evaluation.rehearsal.memory import MemoryProfile, check_memory
from vlfau.evaluation.rehearsal.resources import PeakMemory
from vlfau.evaluation.rehearsal.workload import DataCount, FoldCount

GIB = 2**30
LOOSE = ("data.keep_in_memory=false",)
COUNTS = DataCount((1, 4), (FoldCount(1, 2, 1000, (5, 5)), FoldCount(2, 2, 1000, (5, 5))))


@pytest.fixture
def profile_of(monkeypatch):
    """Return a function that makes steps of 2 and 4 faces with 2 GiB and so much a face, on a machine of 8 GiB."""
    peaks = []
    monkeypatch.setattr(memory, "reset_peak", lambda device: None)
    monkeypatch.setattr(memory, "peak_memory", lambda device: peaks[-1])
    monkeypatch.setattr(memory, "available_memory", lambda: 8 * GIB)
    monkeypatch.setattr(memory, "device_memory", lambda device: 8 * GIB if device.type == "cuda" else None)

    def make(each, *, device="cpu", calls=2):
        def step(size, calls):
            used = round((2 + each * size) * GIB)
            peaks.append(PeakMemory(used, None) if device == "cpu" else PeakMemory(GIB, used))
            return 1.0

        profile = MemoryProfile(SimpleNamespace(device=torch.device(device), time_step=step, optimiser_bytes=GIB))
        for size in (2, 4):
            profile.step(size, calls)
        return profile

    return make


def test_memory_is_extrapolated_to_the_batch(profile_of, toy_config):
    profile = profile_of(0.25)
    assert profile.at(16).process == 6 * GIB
    assert (profile.is_measured(4), profile.is_measured(16)) == (True, False)
    says = check_memory(toy_config("run.batch_size=16", *LOOSE), [profile], COUNTS).message
    assert says == "this process needs 6.0 GiB with 16 faces (extrapolated); 8.0 GiB available"
    assert [profile.fits(size) for size in (16, 20)] == [True, True]
    assert not profile.fits(22)  # 7.5 GiB would be too close to the limit


def test_a_single_step_counts_with_the_moments_that_come_after_it(profile_of):
    assert profile_of(0.25, calls=1).at(4).process == 4 * GIB


def test_too_large_a_batch_is_a_problem_with_a_batch_that_fits(profile_of, toy_config):
    with pytest.raises(ConfigError, match=r"this process needs 18\.0 GiB .* set run\.batch_size=16 and .*_batches=4"):
        check_memory(toy_config("run.batch_size=64", *LOOSE), [profile_of(0.25)], COUNTS)
    with pytest.raises(ConfigError, match=r"the GPU needs 18\.0 GiB .* set run\.batch_size=16 and .*_batches=12"):
        check_memory(
            toy_config("run.batch_size=64", "run.accumulate_batches=3", *LOOSE),
            [profile_of(0.25, device="cuda")],
            COUNTS,
        )
    with pytest.raises(ConfigError, match=r"use a machine with more memory, or a smaller network"):
        check_memory(toy_config("run.batch_size=64", *LOOSE), [profile_of(20)], COUNTS)


def test_pictures_that_are_kept_in_memory_count(profile_of, toy_config):
    kept = ("data.keep_in_memory=true", "run.batch_size=4")
    says = check_memory(toy_config(*kept, "data.aligned_size=512"), [profile_of(0.25)], COUNTS).message
    assert says.startswith("this process needs 4.5 GiB")  # 3 of the step, and 2000 pictures of 768 KiB
    with pytest.raises(ConfigError, match="set data.keep_in_memory to false"):
        check_memory(toy_config(*kept, "data.aligned_size=1300"), [profile_of(0.25)], COUNTS)


def test_a_system_that_tells_nothing_is_believed(profile_of, toy_config, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    profile = profile_of(20)
    assert profile.fits(1000)
    assert (
        "an unknown amount available"
        in check_memory(toy_config("run.batch_size=64", *LOOSE), [profile], COUNTS).message
    )
