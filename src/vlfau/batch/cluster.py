"""Starts Ray on this machine or connects to a cluster, and processes units on it."""

import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from vlfau.batch import pipeline
from vlfau.batch.inputs import Unit
from vlfau.batch.journal import Outcome
from vlfau.batch.worker import Job
from vlfau.errors import ConfigError, InputError, MissingExtraError, VlfauError, first_line

__all__ = ["Process", "cluster"]

Process = Callable[[Job, Sequence[Unit]], Iterator[list[Outcome]]]
"""Processes units, and yields the outcomes of each one's files as soon as it is done."""

_OBJECT_STORE: Final = 80 * 2**20
"""Ray's minimum, in bytes; only units and outcomes are stored there."""
_PATIENCE_S: Final = 10.0
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_ALONE: Final = {
    # Keeps Ray on 127.0.0.1 on every system.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
}


@contextmanager
def cluster(address: str | None, workers: int | None) -> Iterator[Process]:
    """Start Ray or connect to it, and stop or disconnect at the end.

    Args:
        address: Address of a cluster, such as `ray://head:10001`, `head:6379` or `auto`; None starts a private Ray on
            this machine, or uses the one that this process is connected to.
        workers: Number of processes; None is one per core.

    Raises:
        ConfigError: The number of workers is out of range.
        InputError: There is no cluster at the address.
        MissingExtraError: Ray is not installed.
        VlfauError: Ray does not start.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f"workers is {workers}; give a number of 1 or more")
    _set(_QUIET)
    if address is not None:
        _check_answers(address)
    elif "ray" not in sys.modules:  # Later they would say one thing, and what Ray has read another.
        _set({**_ALONE, "RAY_AUTH_TOKEN": secrets.token_hex(32)})
    try:
        ray = import_module("ray")  # It reads the settings above, and takes a second.
        import_module("ray.data")
    except ModuleNotFoundError as error:
        raise MissingExtraError((error.name or "ray").partition(".")[0], "batch") from None
    _silence()
    if ray.is_initialized() and address is None:
        yield _process(ray, workers)
        return
    with _joined(ray, address) if address is not None else _alone(ray, workers or _cores()):
        yield _process(ray, workers)


@contextmanager
def _alone(ray: Any, workers: int) -> Iterator[None]:
    # In /tmp, because the paths of sockets must be short.
    logs = Path(tempfile.mkdtemp(prefix="vlfau-ray-", dir=None if sys.platform == "win32" else "/tmp"))
    try:
        _start(ray, workers, logs)
    except Exception:  # On a busy machine, Ray raises a bare one after 30 s.
        try:
            _start(ray, workers, logs)
        except Exception as error:
            raise VlfauError(
                f"Ray does not start on this machine ({first_line(error)}); its logs are in {logs}; if the machine is "
                "busy, try again later, or give fewer --workers"
            ) from None
    try:
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(logs, ignore_errors=True)


def _start(ray: Any, workers: int, logs: Path) -> None:
    """Start Ray's processes, or leave none of them behind."""
    try:
        with _muted():
            ray.init(
                "local",
                num_cpus=workers,
                num_gpus=0,
                object_store_memory=_OBJECT_STORE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(logs),
            )
    except BaseException:
        ray.shutdown()
        _end_processes_of(logs)
        raise


def _end_processes_of(logs: Path) -> None:
    """End what a failed start of Ray left, which Ray itself would do only when Python ends."""
    psutil = import_module("psutil")
    left = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(str(logs) in word for word in process.cmdline()):
                process.kill()
                left.append(process)
    psutil.wait_procs(left, timeout=_PATIENCE_S)


@contextmanager
def _joined(ray: Any, address: str) -> Iterator[None]:
    try:
        with _muted():
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:
        raise _no_cluster(address, first_line(error)) from None
    try:
        yield
    finally:
        ray.shutdown()


def _process(ray: Any, workers: int | None) -> Process:
    def process(job: Job, units: Sequence[Unit]) -> Iterator[list[Outcome]]:
        try:
            for text in pipeline.outcomes(job, [unit.to_json() for unit in units], workers):
                yield pipeline.read(text)
        except ray.exceptions.RayError as error:
            reason = first_line(error)
            raise VlfauError(f"Ray stopped ({reason}); run the same command again to resume") from None

    return process


def _check_answers(address: str) -> None:
    """Check that something listens at an address; Ray would wait for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:  # A keyword such as auto.
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from None


def _no_cluster(address: str, reason: str) -> InputError:
    return InputError(
        f"no Ray cluster answers at {address} ({reason}); check the address, and compare the versions of Ray"
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _set(variables: dict[str, str]) -> None:
    # Not restored: Ray reads some of them only once per process.
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def _silence() -> None:
    """Keep Ray's messages out of the terminal; they still go to its log files."""
    for name in ("ray", "ray.data"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setLevel(logging.CRITICAL)


@contextmanager
def _muted() -> Iterator[None]:
    """Discard what Ray's native libraries write to standard error at startup, which no log level controls."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
