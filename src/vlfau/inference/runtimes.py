"""The inference runtimes: their names, the packages they need, and loading a model on one.

`onnxruntime` runs on the CPU; `cpu` is an alias. The names below it in `RUNTIMES` are execution providers of ONNX
Runtime, `openvino` is a separate library, and `torch` runs checkpoints, which no other runtime can. The command line
imports this module, so runtimes are imported only when a model is loaded.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, get_args

from vlfau.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from vlfau.inference.backend import Backend
    from vlfau.inference.bundle import Bundle

__all__ = [
    "RUNTIMES",
    "Runtime",
    "RuntimeInfo",
    "available_runtimes",
    "chosen_runtime",
    "face_providers",
    "open_backend",
]

Runtime = Literal[
    "onnxruntime", "cpu", "cuda", "tensorrt", "directml", "coreml", "openvino", "openvino-bf16", "torch", "auto"
]
"""The name of a runtime; `auto` selects the fastest installed one for the CPU."""

CPU_PROVIDER: Final = "CPUExecutionProvider"
_CPU: Final = (CPU_PROVIDER,)
_TURNS: Final = 5
_MARGIN: Final = 0.8
"""Another runtime must take at most this share of ONNX Runtime's time; smaller savings may be noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """An inference runtime.

    Attributes:
        engine: The library that runs a bundle; torch runs checkpoints only.
        providers: Execution providers of ONNX Runtime, in order of preference; the face networks use them too.
        package: The package to install.
        extra: The extra that installs it; None if vlfau itself does.
        needs: Hardware requirements, for messages.
        platforms: Platforms that have the package, named as by `sys.platform`; empty for all.
        torch_device: Torch device for a checkpoint; None if it cannot run one, "" for a GPU if available.
    """

    engine: Literal["onnxruntime", "openvino", "torch"] = "onnxruntime"
    providers: tuple[str, ...] = _CPU
    package: str = "onnxruntime"
    extra: str | None = None
    needs: str = ""
    platforms: tuple[str, ...] = ()
    torch_device: str | None = None

    @property
    def provider(self) -> str:
        """The preferred provider."""
        return self.providers[0]


_ON_CPU: Final = RuntimeInfo(torch_device="cpu")
RUNTIMES: Final[Mapping[Runtime, RuntimeInfo]] = MappingProxyType(
    {
        "onnxruntime": _ON_CPU,
        "cpu": _ON_CPU,
        "cuda": RuntimeInfo(
            providers=("CUDAExecutionProvider", CPU_PROVIDER),
            package="onnxruntime-gpu",
            extra="cuda",
            needs="an NVIDIA GPU with CUDA and cuDNN",
            platforms=("linux", "win32"),
            torch_device="cuda",
        ),
        "tensorrt": RuntimeInfo(
            providers=("TensorrtExecutionProvider", "CUDAExecutionProvider", CPU_PROVIDER),
            package="onnxruntime-gpu",
            extra="cuda",
            needs="an NVIDIA GPU with TensorRT",
            platforms=("linux", "win32"),
        ),
        "directml": RuntimeInfo(
            providers=("DmlExecutionProvider", CPU_PROVIDER),
            package="onnxruntime-directml",
            extra="directml",
            needs="Windows with a GPU that supports DirectX 12",
            platforms=("win32",),
        ),
        "coreml": RuntimeInfo(providers=("CoreMLExecutionProvider", CPU_PROVIDER), needs="macOS"),
        "openvino": RuntimeInfo(engine="openvino", package="openvino", extra="openvino"),
        "openvino-bf16": RuntimeInfo(engine="openvino", package="openvino", extra="openvino"),
        "torch": RuntimeInfo(engine="torch", package="torch", extra="train", torch_device=""),
        "auto": RuntimeInfo(torch_device=""),
    }
)


def open_backend(
    bundle: "Bundle", runtime: Runtime = "onnxruntime", *, threads: int = 1, device: str | None = None
) -> "Backend":
    """Load a model on a runtime.

    Args:
        bundle: A checked bundle or checkpoint. A checkpoint always runs on torch, and the runtime selects the device.
        runtime: Name of the runtime.
        threads: Number of threads per graph, or of torch in this process.
        device: Torch device, such as "cuda:1"; None derives it from the runtime.

    Raises:
        ConfigError: There is no such runtime, it cannot run this kind of model, or this machine does not support it.
        MissingExtraError: The runtime is not installed.
        CheckpointError: The checkpoint's weights are damaged.
    """
    name = chosen_runtime(bundle, runtime, threads=threads)
    if bundle.is_checkpoint:
        return _open_checkpoint(bundle, name, threads, device)
    if name == "torch" or device is not None:
        raise ConfigError(
            f"torch computes checkpoints, and {bundle.folder} is a bundle; choose another runtime, such as cuda, "
            "and give no device"
        )
    return _OPENERS[name](bundle, threads)


def chosen_runtime(bundle: "Bundle", runtime: Runtime, *, threads: int = 1) -> Runtime:
    """Return the runtime that a name stands for; it need not be installed or supported.

    `auto` is the runtime that analyses a face fastest; ONNX Runtime unless another saves a fifth of its time. For a
    checkpoint it is torch.

    Args:
        bundle: A checked bundle or checkpoint.
        runtime: Name of the runtime.
        threads: Number of threads per graph.

    Raises:
        ConfigError: There is no such runtime.
    """
    if runtime not in get_args(Runtime):
        raise ConfigError(f"runtime is {runtime!r}; give one of {', '.join(get_args(Runtime))}")
    if runtime != "auto":
        return runtime
    return "torch" if bundle.is_checkpoint else _fastest(bundle, threads)


def available_runtimes() -> tuple[Runtime, ...]:
    """Return the CPU runtimes that are installed and supported; ONNX Runtime is the first."""
    if find_spec("openvino") is None:
        return ("onnxruntime",)
    from vlfau.inference.openvino_backend import computes_with_bf16  # noqa: PLC0415 - loads OpenVINO

    return ("onnxruntime", "openvino", "openvino-bf16") if computes_with_bf16() else ("onnxruntime", "openvino")


def face_providers(runtime: Runtime) -> tuple[str, ...]:
    """Return the providers of ONNX Runtime for the face networks, for a model on some runtime.

    Raises:
        ConfigError: There is no such runtime, or the installed ONNX Runtime lacks its provider.
        MissingExtraError: It is not installed.
    """
    if runtime not in RUNTIMES:
        raise ConfigError(f"runtime is {runtime!r}; give one of {', '.join(get_args(Runtime))}")
    _check_provider(runtime)
    return RUNTIMES[runtime].providers


def _open_graphs(runtime: Runtime) -> Callable[["Bundle", int], "Backend"]:
    def opened(bundle: "Bundle", threads: int) -> "Backend":
        from vlfau.inference.backend import OrtBackend  # noqa: PLC0415 - loads ONNX Runtime

        _check_provider(runtime)
        providers = RUNTIMES[runtime].providers
        backend = OrtBackend(bundle, threads=threads, providers=providers)
        if providers != _CPU:
            backend.open()
        return backend

    return opened


def _open_openvino(precision: Literal["f32", "bf16"]) -> Callable[["Bundle", int], "Backend"]:
    def opened(bundle: "Bundle", threads: int) -> "Backend":
        from vlfau.inference.openvino_backend import OpenVinoBackend  # noqa: PLC0415 - loads OpenVINO

        return OpenVinoBackend(bundle, threads=threads, precision=precision)

    return opened


_OPENERS: Final[Mapping[Runtime, Callable[["Bundle", int], "Backend"]]] = {
    **{name: _open_graphs(name) for name, info in RUNTIMES.items() if info.engine == "onnxruntime"},
    "openvino": _open_openvino("f32"),
    "openvino-bf16": _open_openvino("bf16"),
}


def _open_checkpoint(bundle: "Bundle", runtime: Runtime, threads: int, device: str | None) -> "Backend":
    from vlfau.inference.checkpoint import open_checkpoint  # noqa: PLC0415 - loads torch

    place = RUNTIMES[runtime].torch_device
    if place is None:
        raise ConfigError(
            f"{bundle.folder} is a checkpoint, which runs on torch; choose the runtime torch, cpu or cuda, or use "
            f"`vlfau export` to make a bundle for {runtime}"
        )
    return open_checkpoint(bundle, device=device or place or None, threads=threads)


def _check_provider(runtime: Runtime) -> None:
    """Check that the installed ONNX Runtime has the provider of a runtime.

    Raises:
        ConfigError: No ONNX Runtime for this machine has it, or another installation overwrote the one that has.
        MissingExtraError: The package that has it is not installed.
    """
    from vlfau.faces.session import available_providers  # noqa: PLC0415 - loads ONNX Runtime

    info = RUNTIMES[runtime]
    if info.provider in available_providers():
        return
    if info.extra is None or (info.platforms and sys.platform not in info.platforms):
        raise ConfigError(f"the runtime {runtime} needs {info.needs}; choose another one, such as onnxruntime")
    if not _is_installed(info.package):
        raise MissingExtraError(info.package, info.extra)
    raise ConfigError(
        f"'{info.package}' is installed, but another ONNX Runtime overwrote it; run: pip install --force-reinstall "
        f"--no-deps {info.package}"
    )


def _is_installed(package: str) -> bool:
    from importlib import metadata  # noqa: PLC0415 - its imports take longer than all of this file's

    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _fastest(bundle: "Bundle", threads: int) -> Runtime:
    names = available_runtimes()
    if len(names) == 1:
        return names[0]
    import statistics  # noqa: PLC0415 - not needed to know the names

    import numpy as np  # noqa: PLC0415

    size = bundle.info.crop.crop_size
    crop = np.zeros((1, size, size, 3), np.uint8)
    backends = {name: _OPENERS[name](bundle, threads) for name in names}
    seconds: dict[Runtime, list[float]] = {name: [] for name in names}
    for turn in range(1 + _TURNS):
        for name, backend in backends.items():
            start = time.perf_counter()
            backend.encode(crop)
            if turn:  # The first run opens the graph.
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    fastest = min(medians, key=medians.__getitem__)
    return fastest if medians[fastest] < _MARGIN * medians["onnxruntime"] else "onnxruntime"
