"""A frozen network that the package ships as an ONNX graph, as a module inside another one.

It knows the few operators of the two graphs in `vlfau.faces` that the network uses. Weights are constants: they never
train, and checkpoints leave them out, since the package has them. On a CPU, ONNX Runtime computes the graph, in a
quarter of the time.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import resources
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from onnxruntime import InferenceSession, SessionOptions
from torch import Tensor, nn

from vlfau.errors import ConfigError
from vlfau.faces.session import batch_size

__all__ = ["OnnxModule"]

MAX_SIZE = 2**31
"""Larger indices stand for the end of an axis."""

Values = Sequence[Any]
Options = Mapping[str, Any]


class OnnxModule(nn.Module):
    """The part of a graph that computes chosen values.

    Args:
        file: The graph, a path inside the package such as "faces/weights/facemesh_v2.onnx".
        outputs: Names of the values wanted; they may lie inside of the graph.

    Raises:
        ConfigError: The graph has no such value, or needs an unknown operator.
    """

    def __init__(self, file: str, outputs: Sequence[str]) -> None:
        super().__init__()
        self.file = file
        graph = onnx.load_from_string(resources.files("vlfau").joinpath(file).read_bytes()).graph
        constants: dict[str, Tensor] = {
            weight.name: torch.from_numpy(numpy_helper.to_array(weight).copy()) for weight in graph.initializer
        }
        self.inputs, self.outputs = [value.name for value in graph.input], tuple(outputs)
        self.steps: list[tuple[str, list[str], str, dict[str, Any]]] = []
        for node in _needed(graph, outputs, file):
            options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
            if node.op_type == "Cast" and node.input[0] in constants:  # weights are stored at half precision
                constants[node.output[0]] = constants[node.input[0]].float()
            elif node.op_type in OPERATORS:
                self.steps.append((node.op_type, list(node.input), node.output[0], options))
            else:
                raise ConfigError(f"{file} has the operator {node.op_type}, which is not known; restore the file")
        used = {name for _, names, _, _ in self.steps for name in names}
        self.numbers = {name: value.tolist() for name, value in constants.items() if not value.is_floating_point()}
        self.weights: dict[str, str] = {}
        for place, name in enumerate(sorted(used & constants.keys() - self.numbers.keys())):
            self.weights[name] = f"constant_{place}"
            self.register_buffer(self.weights[name], constants[name], persistent=False)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs from the graph's inputs, in its order; no gradient reaches them on a CPU."""
        if all(value.device.type == "cpu" for value in inputs) and not torch.compiler.is_compiling():
            return self._run(inputs)
        values: dict[str, Any] = dict(zip(self.inputs, inputs, strict=True))
        values |= self.numbers
        values |= {name: getattr(self, buffer) for name, buffer in self.weights.items()}
        for operator, names, output, options in self.steps:
            values[output] = OPERATORS[operator]([values[name] for name in names], options)
        return tuple(values[name] for name in self.outputs)

    def _run(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Compute the outputs with ONNX Runtime."""
        arrays = [np.ascontiguousarray(value.detach().float().numpy()) for value in inputs]
        count = batch_size()
        parts = [
            self._session.run(
                self.outputs, {name: a[i : i + count] for name, a in zip(self.inputs, arrays, strict=True)}
            )
            for i in range(0, len(arrays[0]), count)
        ]
        return tuple(torch.from_numpy(np.concatenate(values)) for values in zip(*parts, strict=True))

    @cached_property
    def _session(self) -> InferenceSession:
        model = onnx.load_from_string(resources.files("vlfau").joinpath(self.file).read_bytes())
        given = {value.name for value in model.graph.output}
        model.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in self.outputs
            if name not in given
        )
        options = SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def __getstate__(self) -> dict[str, Any]:
        """Leave the session out of copies, which open their own."""
        return {name: value for name, value in self.__dict__.items() if name != "_session"}


def _needed(graph: onnx.GraphProto, outputs: Sequence[str], file: str) -> list[onnx.NodeProto]:
    """Return the nodes on which the outputs depend, in the graph's order."""
    missing = set(outputs) - {name for node in graph.node for name in node.output}
    if missing:
        raise ConfigError(f"{file} has no value {sorted(missing)[0]}; restore the file")
    wanted, nodes = set(outputs), []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    return nodes[::-1]


def _convolve(values: Values, options: Options) -> Tensor:
    image, weight, *bias = values
    top, left, bottom, right = options.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):  # as TensorFlow pads before a stride of 2
        image, top, left = F.pad(image, (left, right, top, bottom)), 0, 0
    return F.conv2d(
        image,
        weight,
        bias[0] if bias else None,
        stride=tuple(options.get("strides", (1, 1))),
        padding=(top, left),
        groups=options.get("group", 1),
    )


def _pool(values: Values, options: Options) -> Tensor:
    return F.max_pool2d(values[0], tuple(options["kernel_shape"]), tuple(options["strides"]))


def _slice(values: Values, _: Options) -> Tensor:
    result, starts, stops, axes = values
    for start, stop, axis in zip(starts, stops, axes, strict=True):
        cut = [slice(None)] * result.dim()
        cut[axis] = slice(*(None if abs(place) > MAX_SIZE else place for place in (start, stop)))
        result = result[tuple(cut)]
    return result  # type: ignore[no-any-return]


def _reshape(values: Values, _: Options) -> Tensor:
    tensor, sizes = values
    return tensor.reshape([tensor.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)])  # type: ignore[no-any-return]


def _concatenate(values: Values, options: Options) -> Any:
    if isinstance(values[0], Tensor):
        return torch.cat(list(values), dim=options["axis"])
    return [size for sizes in values for size in sizes]


def _mean(values: Values, options: Options) -> Tensor:
    return values[0].mean(tuple(options["axes"]), keepdim=bool(options.get("keepdims", 1)))  # type: ignore[no-any-return]


def _sum(values: Values, options: Options) -> Tensor:
    return values[0].sum(tuple(values[1]), keepdim=bool(options.get("keepdims", 1)))  # type: ignore[no-any-return]


OPERATORS: Mapping[str, Callable[[Values, Options], Any]] = {
    "Add": lambda values, _: values[0] + values[1],
    "Concat": _concatenate,
    "Conv": _convolve,
    "Div": lambda values, _: values[0] / values[1],
    "Expand": lambda values, _: values[0].expand(values[1]),
    "Identity": lambda values, _: values[0],
    "MatMul": lambda values, _: values[0] @ values[1],
    "MaxPool": _pool,
    "Mul": lambda values, _: values[0] * values[1],
    "Neg": lambda values, _: -values[0],
    "Reciprocal": lambda values, _: values[0].reciprocal(),
    "ReduceMean": _mean,
    "ReduceSum": _sum,
    "Relu": lambda values, _: values[0].relu(),
    "Reshape": _reshape,
    "Shape": lambda values, options: list(values[0].shape)[options.get("start", 0) : options.get("end")],
    "Sigmoid": lambda values, _: values[0].sigmoid(),
    "Slice": _slice,
    "Sqrt": lambda values, _: values[0].sqrt(),
    "Sub": lambda values, _: values[0] - values[1],
    "Transpose": lambda values, options: values[0].permute(options["perm"]),
}
"""What the operators compute from their inputs and attributes."""
