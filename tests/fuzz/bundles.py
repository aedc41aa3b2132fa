"""Bundles: `model.json`, and the graphs that are run after their sums were checked."""

import hashlib
import json
import shutil

import numpy as np
import onnx
from onnx import TensorProto

from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import NUMBERS, damaged_bytes, damaged_values, pick, times
from tests.inference.tiny_bundle import CROP_SIZE, write_tiny_bundle
from vlfau.inference.bundle import load_bundle
from vlfau.inference.predictor import Predictor

OPERATIONS = (
    *("Add", "Mul", "MatMul", "Gather", "Reshape", "Expand", "Tile", "Identity", "ReduceMean", "ArgMax", "Cast", "Pad"),
    *("Loop", "If", "Scan", "NonZero", "Range", "ConstantOfShape", "Resize", "Conv", "TopK", "NoSuchOperation", ""),
)


class _Bundles(TextKind):
    def prepare(self):
        write_tiny_bundle(self.seeds / "tiny")

    def read(self, path):
        predictor = Predictor(load_bundle(path), describe="every", beam_size=2)
        size = predictor.bundle.info.crop.crop_size
        if size > 2 * CROP_SIZE:  # Its graph takes no other faces; absurd ones would only fill the memory here.
            return
        crops = np.random.default_rng(0).integers(0, 255, (2, size, size, 3), dtype=np.uint8)
        results = predictor.predict_crops(crops)
        assert len(results) == 2
        for result in results:
            assert len(result.aus) == len(predictor.au_ids)
            assert all(0 <= au.prob <= 1 for au in result.aus)


class ModelJson(_Bundles):
    def write(self, folder, rng):
        path = shutil.copytree(self.seeds / "tiny", folder / "tiny")
        content = (path / "model.json").read_bytes()
        if rng is None:
            return path
        if rng.random() < 0.6:
            text = json.dumps(damaged_values(json.loads(content), rng))
            (path / "model.json").write_text(text, "utf-8", "surrogatepass")
        else:
            (path / "model.json").write_bytes(self.damage("model.json", content, rng))
        return path


class Graph(_Bundles):
    """Graphs that were damaged before their sums were taken, and some after."""

    def write(self, folder, rng):
        path = shutil.copytree(self.seeds / "tiny", folder / "tiny")
        if rng is None:
            return path
        file = path / pick(rng, sorted(graph.name for graph in path.glob("*.onnx")))
        if rng.random() < 0.5:
            file.write_bytes(damaged_bytes(file.read_bytes(), rng, 3))
        else:
            model = onnx.load(file)
            for _ in range(times(rng, 3)):
                pick(rng, (_constant, _constant, _operation, _names, _attribute, _outside, _drop))(model, rng)
            file.write_bytes(model.SerializeToString())
        if rng.random() < 0.9:
            table = json.loads((path / "model.json").read_bytes())
            table["files"][file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
            (path / "model.json").write_text(json.dumps(table), "utf-8")
        return path


def _constant(model, rng):
    """Change numbers or the shape of a constant."""
    tensor = pick(rng, model.graph.initializer)
    if rng.random() < 0.5 and tensor.raw_data:
        tensor.raw_data = damaged_bytes(tensor.raw_data, rng, 2)
    elif tensor.dims:
        tensor.dims[int(rng.integers(len(tensor.dims)))] = pick(rng, (0, -1, 1, 1000, *NUMBERS))
    else:
        tensor.dims.append(pick(rng, (0, -1, 2, *NUMBERS)))


def _operation(model, rng):
    pick(rng, model.graph.node).op_type = pick(rng, OPERATIONS)


def _names(model, rng):
    node = pick(rng, model.graph.node)
    names = pick(rng, (node.input, node.output))
    if names:
        others = [name for other in model.graph.node for name in (*other.input, *other.output)]
        names[int(rng.integers(len(names)))] = pick(rng, [*others, "", "absent"])


def _attribute(model, rng):
    nodes = [node for node in model.graph.node if node.attribute]
    if nodes:
        pick(rng, pick(rng, nodes).attribute).i = pick(rng, (-1, 0, 2, 7, 11, 99, 2**31, -(2**63)))


def _outside(model, rng):
    """Ask for a constant from another file."""
    tensor = pick(rng, model.graph.initializer)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    place = pick(rng, ("/etc/passwd", "../../../../../../etc/passwd", "model.json", "/dev/zero", "absent.bin"))
    for key, value in (("location", place), ("offset", "0"), ("length", str(pick(rng, (16, 2**40))))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def _drop(model, rng):
    del model.graph.node[int(rng.integers(len(model.graph.node)))]
