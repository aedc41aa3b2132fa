"""What this machine has: memory of the process and of a GPU, and room on a disk. Sizes are bytes."""

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
    "Peak",
    "available_memory",
    "device_memory",
    "device_name",
    "free_disk",
    "machine_name",
    "peak_memory",
    "reset_peak",
    "size_of",
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
    """Where a version of control groups keeps its numbers."""

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
class Peak:
    """The most memory that was in use.

    Attributes:
        process: Of this process; None where the system doesn't tell.
        device: Of the GPU that torch used; None without one.
    """

    process: int | None
    device: int | None


def reset_peak(device: torch.device) -> None:
    """Begin to look for the most memory anew, where the system can."""
    with suppress(OSError):  # Elsewhere than on Linux, the peak is that since the process began.
        CLEAR.write_text(RESET_PEAK)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> Peak:
    """Return the most memory since `reset_peak`."""
    return Peak(
        process=_process_peak(),
        device=torch.cuda.max_memory_reserved(device) if device.type == "cuda" else None,
    )


def available_memory() -> int | None:
    """Return how much this process may use in all, with what it has already; None where the system doesn't tell.

    Limits of a container or a batch system count.
    """
    machine, status = _kibibytes(MEMINFO), _kibibytes(STATUS)
    if "MemAvailable" not in machine or "VmRSS" not in status:
        return None
    free = [machine["MemAvailable"], *_cgroup_room()]
    return min(free) + status["VmRSS"]


def device_memory(device: torch.device) -> int | None:
    """Return the memory that a GPU has in all; None without one."""
    return int(torch.cuda.get_device_properties(device).total_memory) if device.type == "cuda" else None


def device_name(device: torch.device) -> str:
    """Return what computes, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"the CPU, {torch.get_num_threads()} thread(s)" if device.type == "cpu" else device.type


def machine_name() -> str:
    """Return what tells this kind of machine from another."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {gpu}"


def free_disk(folder: Path) -> int:
    """Return the room on the disk on which a folder lies, or is to lie."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def size_of(folder: Path) -> int:
    """Return the size of all files in a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _process_peak() -> int | None:
    on_linux = _kibibytes(STATUS).get("VmHWM")
    if on_linux is not None:
        return on_linux
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Windows has none.

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * KIBI


def _kibibytes(path: Path) -> Mapping[str, int]:
    """Read lines such as `VmHWM:   123 kB` of a file of the system; sizes become bytes."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    return {match[1]: int(match[2]) * KIBI for match in re.finditer(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


def _cgroup_room() -> Iterator[int]:
    """Yield how much more each limit of this process's control groups allows, of version 1 or 2."""
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
            with suppress(OSError, ValueError):  # "max" is no number: there is no limit.
                limit, used = (int((group / name).read_text(encoding="utf-8")) for name in (layout.limit, layout.used))
                yield max(0, limit - used + _reclaimable(group / "memory.stat", layout.cache))


def _reclaimable(path: Path, name: str) -> int:
    """Return how much of a group's memory holds files that were read, which the system gives up when it must."""
    try:
        match = re.search(rf"^{name} (\d+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match is not None else 0
