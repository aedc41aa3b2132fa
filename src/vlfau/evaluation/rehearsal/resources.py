"""Resources of this machine: memory of the process and of a GPU, and disk space. Sizes are in bytes."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

__all__ = [
    "PeakMemory",
    "available_memory",
    "device_memory",
    "device_name",
    "folder_size",
    "free_disk",
    "machine_name",
    "peak_memory",
    "reset_peak",
]

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/proc/self/cgroup")
CGROUP_ROOT = Path("/sys/fs/cgroup")
RESET_PEAK = "5"
KIBI = 1024


@dataclass(frozen=True)
class _Layout:
    """Files and folders of one version of control groups."""

    line: str
    folder: str
    limit: str
    used: str
    cache: str


LAYOUTS = (
    _Layout(r"^0::(/.*)$", "", "memory.max", "memory.current", "inactive_file"),
    _Layout(
        r"^\d+:[\w,]*\bmemory\b[\w,]*:(/.*)$",
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


@dataclass(frozen=True)
class PeakMemory:
    """The largest amount of memory that was in use.

    Attributes:
        process: Memory of this process; None where the system does not report it.
        device: Memory that torch used on the GPU; None without a GPU.
    """

    process: int | None
    device: int | None


def reset_peak(device: torch.device) -> None:
    """Reset the peak memory, where the system allows it."""
    with suppress(OSError):  # Other systems than Linux report the peak since the process started.
        CLEAR.write_text(RESET_PEAK)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> PeakMemory:
    """Return the peak memory since `reset_peak`."""
    return PeakMemory(
        process=_process_peak(),
        device=torch.cuda.max_memory_reserved(device) if device.type == "cuda" else None,
    )


def available_memory() -> int | None:
    """Return the memory that this process may use, including what it uses now; None if the system does not report it.

    The limits of a container or a batch system are taken into account.
    """
    machine, status = _kibibytes(MEMINFO), _kibibytes(STATUS)
    if "MemAvailable" not in machine or "VmRSS" not in status:
        return None
    free = [machine["MemAvailable"], *_cgroup_headroom()]
    return min(free) + status["VmRSS"]


def device_memory(device: torch.device) -> int | None:
    """Return the total memory of a GPU; None without one."""
    return int(torch.cuda.get_device_properties(device).total_memory) if device.type == "cuda" else None


def device_name(device: torch.device) -> str:
    """Return the name of a device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"the CPU, {torch.get_num_threads()} thread(s)" if device.type == "cpu" else device.type


def machine_name() -> str:
    """Return a description that tells this kind of machine from others."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {gpu}"


def free_disk(folder: Path) -> int:
    """Return the free space of the disk of a folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def folder_size(folder: Path) -> int:
    """Return the size of all files in a folder; 0 if there are none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _process_peak() -> int | None:
    on_linux = _kibibytes(STATUS).get("VmHWM")
    if on_linux is not None:
        return on_linux
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIBI


def _kibibytes(path: Path) -> Mapping[str, int]:
    """Read lines such as `VmHWM:   123 kB` of a system file, in bytes."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    return {match[1]: int(match[2]) * KIBI for match in re.finditer(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


def _cgroup_headroom() -> Iterator[int]:
    """Yield how much more memory each limit of this process's control groups (version 1 or 2) allows."""
    try:
        groups = CGROUP.read_text(encoding="utf-8")
    except OSError:
        return
    for layout in LAYOUTS:
        match = re.search(layout.line, groups, re.MULTILINE)
        if match is None:
            continue
        root = CGROUP_ROOT / layout.folder
        folder = root / match[1].lstrip("/")
        for group in (folder, *folder.parents):
            if not group.is_relative_to(root):
                break
            with suppress(OSError, ValueError):  # "max" is not a number: there is no limit.
                limit, used = (int((group / name).read_text(encoding="utf-8")) for name in (layout.limit, layout.used))
                yield max(0, limit - used + _reclaimable(group / "memory.stat", layout.cache))


def _reclaimable(path: Path, name: str) -> int:
    """Return how much of a group's memory is file cache, which the system frees when needed."""
    try:
        match = re.search(rf"^{name} (\d+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match is not None else 0
