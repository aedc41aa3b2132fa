"""A vision graph in 8 bits, by NNCF (extra `int8`): weights an output channel, what comes into them a tensor.

Quantisation is written between operators (QDQ), so that every runtime can fuse as much of it as it knows to. The
layers of few weights stay as they are: they take no time, and the early and depthwise ones lose the most.
"""

import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization.shape_inference import quant_pre_process

from vlfau.errors import ConfigError
from vlfau.inference.without_telemetry import without_telemetry

__all__ = ["open_nncf", "quantise"]

OPERATORS = frozenset({"Conv", "Gemm", "MatMul"})
SMALLEST = 8192
"""Weights of fewer numbers stay at full precision."""


def quantise(graph: Path, output: Path, batches: Iterable[NDArray[np.uint8]]) -> None:
    """Write a graph whose large layers, and products of what they give, compute with 8-bit integers.

    Args:
        graph: `vision.onnx` of a bundle.
        output: Where to write.
        batches: Aligned faces, each (B, S, S, 3) uint8 RGB, whose values set the ranges.

    Raises:
        ConfigError: No layer is large.
        MissingExtraError: NNCF is not installed.
    """
    nncf = open_nncf()
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Folds constants and fuses; the symbolic shapes are only for graphs of other makers.
        quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(prepared)
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    sizes = _layer_sizes(model.graph)
    small = [name for name, size in sizes.items() if size < SMALLEST]
    if len(small) == len(sizes):
        raise ConfigError(f"no layer has {SMALLEST} weights, so 8 bits gain nothing; export without --quantize")
    faces = list(batches)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(faces, lambda crops: {"crops": crops}),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(faces),
        ignored_scope=nncf.IgnoredScope(names=small),
    )
    onnx.save(quantised, output)


def _layer_sizes(graph: onnx.GraphProto) -> dict[str, int]:
    """Return how many weights each layer has, by the name of its node; products of two results have none."""
    sizes = {weight.name: int(np.prod(weight.dims)) for weight in graph.initializer}
    return {
        node.name: sizes[node.input[1]] for node in graph.node if node.op_type in OPERATORS and node.input[1] in sizes
    }


def open_nncf() -> Any:
    """Return NNCF.

    Raises:
        MissingExtraError: It is not installed.
    """
    nncf: Any = without_telemetry("nncf", "int8")
    nncf.set_log_level(logging.ERROR)
    return nncf
