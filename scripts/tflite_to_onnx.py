"""Translate the operators of Google's face networks from TFLite to ONNX, one by one.

There are two kinds of graphs: convolutions, which ONNX expects channels-first, and mixers of points, whose 1x1
convolutions are matrix products and which keep TFLite's order. Weights that TFLite stores in half precision stay in
half precision; a Cast widens them, which ONNX Runtime folds away on loading.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray
from onnx import helper, numpy_helper

__all__ = ["ConvolutionTranslator", "Graph", "MixerTranslator", "Translator"]

OPSET = 17
IR_VERSION = 8  # readable by ONNX Runtime 1.14 and later

Array = NDArray[Any]


@dataclass(frozen=True)
class Graph:
    """One TFLite file and its ONNX counterpart.

    Attributes:
        member: Name of the file in its archive.
        target: Name of the ONNX file.
        source: Name of the ONNX input.
        outputs: Name and shape (without the batch) of each output, by TFLite name.
    """

    member: str
    target: str
    source: str
    outputs: dict[str, tuple[str, tuple[int, ...]]]


DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
OPERATOR_NAMES = {number: name for name, number in vars(tflite.BuiltinOperator).items() if name.isupper()}
ACTIVATIONS = {tflite.ActivationFunctionType.NONE: None, tflite.ActivationFunctionType.RELU: "Relu"}


class Translator:
    """Translate one TFLite graph to ONNX, with a free batch dimension.

    Args:
        content: The TFLite file.
    """

    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(content, 0)
        self.graph = self.model.Subgraphs(0)
        self.constants = self._read_constants()
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self._pending: list[onnx.NodeProto] = []

    def translate(self, graph: Graph) -> onnx.ModelProto:
        """Return the ONNX model.

        Raises:
            NotImplementedError: The graph contains an operator without a translation.
        """
        (source,) = (int(index) for index in self.graph.InputsAsNumpy())
        self._take_input(graph.source, source)
        for position in range(self.graph.OperatorsLength()):
            self._translate_operator(self.graph.Operators(position))
        kept = {self._tensor_label(index): int(index) for index in self.graph.OutputsAsNumpy()}
        outputs = [self._name_output(kept[label], *named) for label, named in graph.outputs.items()]
        shape = [int(size) for size in self.graph.Tensors(source).ShapeAsNumpy()]
        model = helper.make_model(
            helper.make_graph(
                _needed(self.nodes, outputs),
                Path(graph.target).stem,
                [helper.make_tensor_value_info(graph.source, onnx.TensorProto.FLOAT, ["batch", *shape[1:]])],
                outputs,
                [],
            ),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="vlfau",
        )
        used = {name for node in model.graph.node for name in node.input}
        model.graph.initializer.extend(tensor for name, tensor in self.initializers.items() if name in used)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _take_input(self, name: str, index: int) -> None:
        """Convert the named input to the layout of tensors in this kind of graph."""
        raise NotImplementedError

    def _read_constants(self) -> dict[int, Array]:
        constants = {}
        for index in range(self.graph.TensorsLength()):
            tensor = self.graph.Tensors(index)
            buffer = self.model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                values = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()])
                constants[index] = values.reshape(tensor.ShapeAsNumpy() if tensor.ShapeLength() else ())
        return constants

    def _translate_operator(self, operator: Any) -> None:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise NotImplementedError(f"no translation of TFLite's {kind}; add one")
        method(operator, [int(i) for i in operator.InputsAsNumpy()], int(operator.Outputs(0)))
        self.nodes += self._pending
        self._pending = []

    def _dequantize(self, _operator: Any, inputs: list[int], output: int) -> None:
        self.constants[output] = self.constants[inputs[0]]

    def _add(self, operator: Any, inputs: list[int], output: int) -> None:
        result = self._before_activation(_options(operator, tflite.AddOptions), output)
        self._node("Add", [self._value(i) for i in inputs], result)

    def _concatenation(self, operator: Any, inputs: list[int], output: int) -> None:
        axis = _options(operator, tflite.ConcatenationOptions).Axis()
        self._node("Concat", [self._value(i) for i in inputs], self._name(output), axis=axis)

    def _before_activation(self, options: Any, output: int) -> str:
        """Name the result to which the operator's fused activation still applies, and add that activation."""
        activation = ACTIVATIONS[options.FusedActivationFunction()]
        if activation is None:
            return self._name(output)
        before = f"{self._name(output)}_before"
        self._pending.append(helper.make_node(activation, [before], [self._name(output)]))
        return before

    def _name_output(self, index: int, name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        target = self._weight(index, np.array([-1, *shape], np.int64))
        self._node("Reshape", [self._name(index), target], name)
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])

    def _value(self, index: int) -> str:
        """Return the name of a computed tensor or of a constant."""
        return self._weight(index, self.constants[index]) if index in self.constants else self._name(index)

    def _weight(self, index: int, values: Array) -> str:
        """Store a constant and return its name; half precision is widened behind a Cast."""
        name = f"constant_{index}"
        known = name in self.initializers
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)
        if values.dtype == np.float16:
            if not known:
                self._node("Cast", [name], f"{name}_wide", to=onnx.TensorProto.FLOAT)
            return f"{name}_wide"
        return name

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def _tensor_label(self, index: int) -> str:
        return str(self.graph.Tensors(int(index)).Name().decode())

    @staticmethod
    def _name(index: int) -> str:
        return f"tensor_{index}"


class ConvolutionTranslator(Translator):
    """Translate channels-last convolutions to channels-first ones; the input is `images` (B, H, W, 3)."""

    def _take_input(self, name: str, index: int) -> None:
        self._node("Transpose", [name], self._name(index), perm=[0, 3, 1, 2])

    def _conv_2d(self, operator: Any, inputs: list[int], output: int) -> None:
        kernel = self.constants[inputs[1]].transpose(0, 3, 1, 2)  # (out, H, W, in) to (out, in, H, W)
        self._convolve(_options(operator, tflite.Conv2DOptions), inputs, output, kernel, groups=1)

    def _depthwise_conv_2d(self, operator: Any, inputs: list[int], output: int) -> None:
        kernel = self.constants[inputs[1]].transpose(3, 0, 1, 2)  # (1, H, W, out) to (out, 1, H, W)
        options = _options(operator, tflite.DepthwiseConv2DOptions)
        self._convolve(options, inputs, output, kernel, groups=len(kernel))

    def _convolve(self, options: Any, inputs: list[int], output: int, kernel: Array, groups: int) -> None:
        strides = (options.StrideH(), options.StrideW())
        pads = [0, 0, 0, 0]
        if options.Padding() == tflite.Padding.SAME:
            sides = self.graph.Tensors(inputs[0]).ShapeAsNumpy()[1:3]
            pads = _same_padding(sides, kernel.shape[2:], strides)
        names = [
            self._name(inputs[0]),
            self._weight(inputs[1], kernel),
            self._weight(inputs[2], self.constants[inputs[2]]),
        ]
        result = self._before_activation(options, output)
        self._node("Conv", names, result, group=groups, strides=strides, pads=pads)

    def _relu(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Relu", [self._name(inputs[0])], self._name(output))

    def _logistic(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Sigmoid", [self._name(inputs[0])], self._name(output))

    def _prelu(self, _operator: Any, inputs: list[int], output: int) -> None:
        slope = self.constants[inputs[1]].reshape(-1, 1, 1)
        self._node("PRelu", [self._name(inputs[0]), self._weight(inputs[1], slope)], self._name(output))

    def _max_pool_2d(self, operator: Any, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.Pool2DOptions)
        window = (options.FilterHeight(), options.FilterWidth())
        strides = (options.StrideH(), options.StrideW())
        self._node("MaxPool", [self._name(inputs[0])], self._name(output), kernel_shape=window, strides=strides)

    def _pad(self, _operator: Any, inputs: list[int], output: int) -> None:
        before, after = self.constants[inputs[1]][[0, 3, 1, 2]].T.astype(np.int64)
        pads = self._weight(inputs[1], np.concatenate([before, after]))
        self._node("Pad", [self._name(inputs[0]), pads], self._name(output))

    def _reshape(self, _operator: Any, inputs: list[int], output: int) -> None:
        channels_last = f"{self._name(inputs[0])}_channels_last"
        self._node("Transpose", [self._name(inputs[0])], channels_last, perm=[0, 2, 3, 1])
        shape = self.graph.Tensors(output).ShapeAsNumpy().astype(np.int64)
        shape[0] = 0  # ONNX: as the input's, the batch
        self._node("Reshape", [channels_last, self._weight(output, shape)], self._name(output))


class MixerTranslator(Translator):
    """Translate a mixer of points, whose tensors keep TFLite's order and whose convolutions are all 1x1."""

    def _take_input(self, name: str, index: int) -> None:
        self._node("Identity", [name], self._name(index))

    def _conv_2d(self, operator: Any, inputs: list[int], output: int) -> None:
        kernel = self.constants[inputs[1]]
        if kernel.shape[1:3] != (1, 1):
            raise NotImplementedError(f"no translation of a {kernel.shape[1]}x{kernel.shape[2]} convolution of points")
        product = f"{self._name(output)}_product"
        weight = self._weight(inputs[1], kernel[:, 0, 0].T)
        self._node("MatMul", [self._value(inputs[0]), weight], product)
        result = self._before_activation(_options(operator, tflite.Conv2DOptions), output)
        self._node("Add", [product, self._value(inputs[2])], result)

    def _concatenation(self, operator: Any, inputs: list[int], output: int) -> None:
        """Join tensors; a constant is repeated for every face of the batch."""
        (computed,) = (index for index in inputs if index not in self.constants)
        batch = f"{self._name(output)}_batch"
        self._node("Shape", [self._name(computed)], batch, start=0, end=1)
        names = []
        for index in inputs:
            if index in self.constants:
                constant = self.constants[index]
                shape, repeated = f"{self._name(index)}_shape", f"{self._name(index)}_repeated"
                rest = self._shape_constant(f"{self._name(index)}_rest", constant.shape[1:])
                self._node("Concat", [batch, rest], shape, axis=0)
                self._node("Expand", [self._value(index), shape], repeated)
                names.append(repeated)
            else:
                names.append(self._name(index))
        axis = _options(operator, tflite.ConcatenationOptions).Axis()
        self._node("Concat", names, self._name(output), axis=axis)

    def _transpose(self, _operator: Any, inputs: list[int], output: int) -> None:
        perm = self.constants[inputs[1]].tolist()
        self._node("Transpose", [self._value(inputs[0])], self._name(output), perm=perm)

    def _reshape(self, _operator: Any, inputs: list[int], output: int) -> None:
        shape = (-1, *(int(size) for size in self.graph.Tensors(output).ShapeAsNumpy()[1:]))
        target = self._shape_constant(f"{self._name(output)}_target", shape)
        self._node("Reshape", [self._value(inputs[0]), target], self._name(output))

    def _strided_slice(self, operator: Any, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.StridedSliceOptions)
        begins, ends, strides = (self.constants[index].astype(np.int64) for index in inputs[1:4])
        if self.graph.Tensors(output).ShapeLength() < len(begins):  # selects the only face of TFLite's batch
            self._node("Identity", [self._value(inputs[0])], self._name(output))
            return
        bounds = np.iinfo(np.int64)
        starts = [
            bounds.min if axis == 0 or options.BeginMask() >> axis & 1 else int(begin)
            for axis, begin in enumerate(begins)
        ]
        stops = [
            bounds.max if axis == 0 or options.EndMask() >> axis & 1 else int(end) for axis, end in enumerate(ends)
        ]
        if (strides != 1).any():
            raise NotImplementedError(f"no translation of a slice with strides {strides.tolist()}")
        name = self._name(output)
        parts = [
            self._shape_constant(f"{name}_{part}", sizes)
            for part, sizes in (("starts", starts), ("stops", stops), ("axes", range(len(begins))))
        ]
        self._node("Slice", [self._value(inputs[0]), *parts], name)

    def _mean(self, _operator: Any, inputs: list[int], output: int) -> None:
        axes = [int(axis) for axis in self.constants[inputs[1]].reshape(-1)]
        self._node("ReduceMean", [self._value(inputs[0])], self._name(output), axes=axes, keepdims=1)

    def _sum(self, _operator: Any, inputs: list[int], output: int) -> None:
        axes = self._shape_constant(f"{self._name(output)}_axes", self.constants[inputs[1]].reshape(-1))
        self._node("ReduceSum", [self._value(inputs[0]), axes], self._name(output), keepdims=1)

    def _sub(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Sub", [self._value(i) for i in inputs], self._name(output))

    def _mul(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Mul", [self._value(i) for i in inputs], self._name(output))

    def _div(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Div", [self._value(i) for i in inputs], self._name(output))

    def _squared_difference(self, _operator: Any, inputs: list[int], output: int) -> None:
        difference = f"{self._name(output)}_difference"
        self._node("Sub", [self._value(i) for i in inputs], difference)
        self._node("Mul", [difference, difference], self._name(output))

    def _sqrt(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Sqrt", [self._value(inputs[0])], self._name(output))

    def _rsqrt(self, _operator: Any, inputs: list[int], output: int) -> None:
        root = f"{self._name(output)}_root"
        self._node("Sqrt", [self._value(inputs[0])], root)
        self._node("Reciprocal", [root], self._name(output))

    def _neg(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Neg", [self._value(inputs[0])], self._name(output))

    def _logistic(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Sigmoid", [self._value(inputs[0])], self._name(output))

    def _shape_constant(self, name: str, sizes: Iterable[int]) -> str:
        self.initializers[name] = numpy_helper.from_array(np.array([int(size) for size in sizes], np.int64), name)
        return name


def _needed(nodes: list[onnx.NodeProto], outputs: list[onnx.ValueInfoProto]) -> list[onnx.NodeProto]:
    """Remove the nodes that no output depends on."""
    wanted = {output.name for output in outputs}
    kept = []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _options(operator: Any, kind: Any) -> Any:
    options, table = kind(), operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _same_padding(sides: Array, kernel: tuple[int, ...], strides: tuple[int, int]) -> list[int]:
    """Return TFLite's SAME padding in ONNX order: top, left, bottom, right."""
    totals = [
        max((-(-int(side) // stride) - 1) * stride + size - int(side), 0)
        for side, size, stride in zip(sides, kernel, strides, strict=True)
    ]
    return [total // 2 for total in totals] + [total - total // 2 for total in totals]
