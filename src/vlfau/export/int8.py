"""A vision graph in 8 bits: large weights an output channel, what comes into them a tensor.

Quantisation is written between operators (QDQ), so that every runtime can fuse as much of it as it knows to. The
weights of few numbers stay as they are: they take no time, and the early and depthwise ones lose the most.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from vlfau.errors import ConfigError

__all__ = ["quantise"]

OPERATORS = ("Conv", "Gemm", "MatMul")
SMALLEST = 8192
"""Weights of fewer numbers stay at full precision."""


def quantise(graph: Path, output: Path, batches: Iterable[NDArray[np.uint8]]) -> None:
    """Write a graph whose large layers compute with 8-bit integers.

    Args:
        graph: `vision.onnx` of a bundle.
        output: Where to write.
        batches: Aligned faces, each (B, S, S, 3) uint8 RGB, whose values set the ranges.

    Raises:
        ConfigError: No layer is large.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Folds constants and fuses; the symbolic shapes are only for graphs of other makers.
        quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
        layers = _large_layers(onnx.load(prepared).graph)
        if not layers:
            raise ConfigError(f"no layer has {SMALLEST} weights, so 8 bits gain nothing; export without --quantize")
        quantize_static(
            str(prepared),
            str(output),
            _Faces(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_quantize=layers,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


class _Faces(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, batches: Iterable[NDArray[np.uint8]]) -> None:
        self._batches: Iterator[NDArray[np.uint8]] = iter(batches)

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"crops": batch}


def _large_layers(graph: onnx.GraphProto) -> list[str]:
    sizes = {weight.name: int(np.prod(weight.dims)) for weight in graph.initializer}
    return [
        node.name
        for node in graph.node
        if node.op_type in OPERATORS and sizes.get(node.input[1], 0) >= SMALLEST and node.name
    ]
