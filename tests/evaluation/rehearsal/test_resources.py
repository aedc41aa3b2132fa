from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vlfau.evaluation.rehearsal import resources

CPU = torch.device("cpu")


@pytest.mark.skipif(not resources.STATUS.exists(), reason="only Linux reports it")
def test_memory_that_was_taken_shows_and_is_forgotten():
    resources.reset_peak(CPU)
    before = resources.peak_memory(CPU).process
    np.ones(30_000_000)  # 240 MB
    after = resources.peak_memory(CPU).process
    assert after - before > 200_000_000
    resources.reset_peak(CPU)
    assert resources.peak_memory(CPU).process < after - 200_000_000
    assert resources.available_memory() > before


def test_the_limit_of_a_container_counts(tmp_path, monkeypatch):
    group = tmp_path / "cgroup" / "batch" / "job"
    group.mkdir(parents=True)
    (tmp_path / "own").write_text("0::/batch/job\n")
    (group / "memory.max").write_text("max\n")
    (group.parent / "memory.max").write_text("5000000\n")
    (group.parent / "memory.current").write_text("3000000\n")
    (tmp_path / "meminfo").write_text("MemTotal:  90000 kB\nMemAvailable:   80000 kB\n")
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t  900 kB\nVmRSS:\t  700 kB\n")
    for name, file in {"CGROUP": "own", "CGROUP_ROOT": "cgroup", "MEMINFO": "meminfo", "STATUS": "status"}.items():
        monkeypatch.setattr(resources, name, tmp_path / file)
    assert resources.available_memory() == 2_000_000 + 700 * 1024
    (group.parent / "memory.stat").write_text("anon 1\nactive_file 9\ninactive_file 500000\n")
    assert resources.available_memory() == 2_500_000 + 700 * 1024  # files that were read give way
    assert resources.peak_memory(CPU).process == 900 * 1024
    (group.parent / "memory.max").unlink()
    assert resources.available_memory() == 80_700 * 1024
    (tmp_path / "meminfo").unlink()
    assert resources.available_memory() is None


def test_the_limit_of_a_container_of_the_first_version_counts_too(tmp_path, monkeypatch):
    group = tmp_path / "cgroup" / "memory" / "slurm" / "job_7"
    group.mkdir(parents=True)
    (tmp_path / "own").write_text("5:cpu,cpuacct:/slurm/job_9\n4:memory:/slurm/job_7\n0::/\n")
    (group / "memory.limit_in_bytes").write_text("6000000\n")
    (group / "memory.usage_in_bytes").write_text("5000000\n")
    (group / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 2000000\n")
    (group.parent / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (group.parent / "memory.usage_in_bytes").write_text("5000000\n")
    (tmp_path / "meminfo").write_text("MemAvailable:   80000 kB\n")
    (tmp_path / "status").write_text("VmRSS:\t  700 kB\n")
    for name, file in {"CGROUP": "own", "CGROUP_ROOT": "cgroup", "MEMINFO": "meminfo", "STATUS": "status"}.items():
        monkeypatch.setattr(resources, name, tmp_path / file)
    assert resources.available_memory() == 3_000_000 + 700 * 1024


def test_a_gpu_is_asked_for_its_own_memory(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", calls.append)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 17)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=80))
    device = torch.device("cuda", 0)
    resources.reset_peak(device)
    assert calls == [device]
    assert (resources.peak_memory(device).device, resources.device_memory(device)) == (17, 80)
    assert (resources.peak_memory(CPU).device, resources.device_memory(CPU)) == (None, None)


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_its_parent(tmp_path):
    assert resources.free_disk(tmp_path / "a" / "b") == resources.free_disk(tmp_path) > 0
    (tmp_path / "file").write_bytes(b"123")
    assert (resources.folder_size(tmp_path), resources.folder_size(tmp_path / "absent")) == (3, 0)
