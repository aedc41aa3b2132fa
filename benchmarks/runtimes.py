"""Vision half for one face on every runtime, of the default model and of the paper's configuration (untrained).

With one thread. int8 models are calibrated on noise, so only their speed is meaningful, not their accuracy.
"""

import copy
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.rows import Row
from benchmarks.timing import Timing, time_in_turns
from vlfau.errors import VlfauError, first_line
from vlfau.export.graphs import export_graphs
from vlfau.export.quantised import quantise
from vlfau.faces import CropGeometry
from vlfau.facs import AU_SETS
from vlfau.inference.bundle import Bundle, BundleInfo, load_bundle, write_model_json
from vlfau.inference.runtimes import Runtime, open_backend
from vlfau.inference.schema import VISION_FILE
from vlfau.model import VLFAU, ModelConfig, build_vlfau
from vlfau.model.vlfau import VisionOutput

__all__ = ["measure"]

Call = Callable[[], object]

AU_IDS = AU_SETS["bp4d"]
BASE = "ONNX Runtime"
RUNTIMES: Mapping[str, Runtime] = {BASE: "onnxruntime", "OpenVINO": "openvino", "OpenVINO bf16": "openvino-bf16"}
GOALS_MS = {"OpenVINO bf16": 180, "OpenVINO int8": 112, "OpenVINO bf16 int8": 112}
DEFAULT_GOAL_MS = 5
REPEATS = {"default": 60, "Swin-B": 11}
NUM_CALIBRATION = 4


def measure() -> Iterator[Row]:
    """Yield one row per measurement; a runtime that does not work here gives the reason."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        times = yield from _measure("default", load_bundle(), Path(folder), None)
        fastest = min(times, key=lambda name: times[name].median)
        figure = f"{1e3 * times[fastest].median:.1f} ms ({fastest})"
        yield Row(f"default, fastest (goal: at most {DEFAULT_GOAL_MS} ms)", figure)
        torch.manual_seed(0)
        config = ModelConfig(local_language=False, global_language=False)
        network = build_vlfau(config, num_aus=len(AU_IDS), vocabulary_size=4).eval()
        yield from _measure("Swin-B", _bundle(network, config, Path(folder) / "swin"), Path(folder), network)


def _measure(
    model: str, bundle: Bundle, folder: Path, network: VLFAU | None
) -> Generator[Row, None, dict[str, Timing]]:
    size = bundle.info.crop.crop_size
    crop = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    small = _in_8_bits(bundle, folder / f"{model}-int8", size)
    candidates: dict[str, Callable[[], Call]] = {}
    for name, runtime in RUNTIMES.items():
        for kind, each in (("", bundle), (" int8", small)):
            candidates[name + kind] = partial(_opened, each, runtime, crop)
    if network is not None:
        candidates |= _torch_calls(network, crop)
    calls: dict[str, Call] = {}
    for name, open_call in candidates.items():
        try:
            calls[name] = open_call()
            calls[name]()
        except Exception as error:
            calls.pop(name, None)
            yield Row(f"{model}, {name}", f"does not work here: {first_line(error)}")
    times = time_in_turns(calls, repeats=REPEATS[model])
    for name, timing in times.items():
        goal = f" (goal: at most {GOALS_MS[name]} ms)" if network is not None and name in GOALS_MS else ""
        yield Row(f"{model}, {name}{goal}", str(timing))
    for name in [name for name in times if name != BASE]:
        ratio = times[BASE].median / times[name].median
        yield Row(f"{model}, {BASE} over {name}", f"{ratio:.2f}", ratio)
    return times


def _opened(bundle: Bundle, runtime: Runtime, crop: NDArray[np.uint8]) -> Call:
    return partial(open_backend(bundle, runtime).encode, crop)


def _torch_calls(network: VLFAU, crop: NDArray[np.uint8]) -> Mapping[str, Callable[[], Call]]:
    """Return functions that open the network in torch: as it is, compiled, and on a GPU."""

    def call(encode: Callable[[torch.Tensor], VisionOutput], device: str) -> Call:
        crops = torch.from_numpy(crop).permute(0, 3, 1, 2)

        def run() -> object:
            with torch.inference_mode():
                vision = encode(crops.to(device))
                return vision.au_logits.cpu(), vision.au_features().cpu()

        return run

    def on_gpu() -> Call:
        if not torch.cuda.is_available():
            raise VlfauError("no GPU")
        return call(copy.deepcopy(network).cuda().encode, "cuda")

    return {
        "torch": lambda: call(network.encode, "cpu"),
        "torch.compile": lambda: call(torch.compile(network.encode), "cpu"),
        "torch on a GPU": on_gpu,
    }


def _bundle(network: VLFAU, config: ModelConfig, folder: Path) -> Bundle:
    folder.mkdir()
    graph = export_graphs(network, crop_size=config.crop_size)[VISION_FILE]
    (folder / VISION_FILE).write_bytes(graph.SerializeToString())
    info = BundleInfo(
        name="untrained",
        version="0",
        licence="Apache-2.0",
        created="2026-01-01",
        au_ids=AU_IDS,
        thresholds=(0.5,) * len(AU_IDS),
        crop=CropGeometry(aligned_size=config.crop_size, crop_size=config.crop_size),
        training={"synthetic": False},
    )
    return write_model_json(folder, info)


def _in_8_bits(bundle: Bundle, folder: Path, size: int) -> Bundle:
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (1, size, size, 3), dtype=np.uint8) for _ in range(NUM_CALIBRATION)]
    folder.mkdir()
    quantise(bundle.path(VISION_FILE), folder / VISION_FILE, noise)
    silent = replace(bundle.info, vocabulary=(), max_local_length=0, max_global_length=0)
    return write_model_json(folder, silent)
