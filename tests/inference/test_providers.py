import sys
import threading
import time
from pathlib import Path
from typing import get_args

import numpy as np
import onnxruntime
import pytest

from tests.inference.test_predictor import crops
from vlfau.cli import main
from vlfau.errors import ConfigError, MissingExtraError
from vlfau.inference import runtimes
from vlfau.inference.backend import OrtBackend
from vlfau.inference.predictor import Predictor
from vlfau.inference.runtimes import RUNTIMES, Runtime, face_providers, open_backend

CPU = "CPUExecutionProvider"
RealSession = onnxruntime.InferenceSession


@pytest.fixture
def stand_in(monkeypatch):
    """Return a function that installs an ONNX Runtime of given providers, which computes on the CPU all the same.

    It returns the list that gets the file and the providers of every session that is opened.
    """

    def install(*providers, starts=True, installed=()):
        opened = []

        class Session(RealSession):
            def __init__(self, path, options, providers, provider_options):
                super().__init__(path, options, providers=[CPU])
                assert len(provider_options) == len(providers)
                self.asked = providers if starts else [CPU]
                opened.append((Path(path).name, providers))

            def get_providers(self):
                return self.asked

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*providers, CPU])
        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: sys.stdout.write("no library found"), raising=False)
        monkeypatch.setattr(runtimes, "_is_installed", lambda package: package in installed)
        return opened

    return install


def test_every_name_is_in_the_table_and_every_extra_has_a_package():
    assert tuple(RUNTIMES) == get_args(Runtime)
    extras = {info.extra: info.package for info in RUNTIMES.values() if info.extra is not None}
    assert extras == {
        "cuda": "onnxruntime-gpu",
        "directml": "onnxruntime-directml",
        "openvino": "openvino",
        "train": "torch",
    }


@pytest.mark.parametrize(
    ("runtime", "providers"),
    [
        ("onnxruntime", [CPU]),
        ("cpu", [CPU]),
        ("cuda", ["CUDAExecutionProvider", CPU]),
        ("tensorrt", ["TensorrtExecutionProvider", "CUDAExecutionProvider", CPU]),
        ("directml", ["DmlExecutionProvider", CPU]),
        ("coreml", ["CoreMLExecutionProvider", CPU]),
    ],
)
def test_model_and_face_networks_ask_for_the_providers_of_the_runtime(
    tiny_bundle, stand_in, astronaut, capsys, runtime, providers
):
    opened = stand_in(*providers[:-1])
    predictor = Predictor(tiny_bundle, runtime=runtime)
    (face,) = predictor.predict(astronaut)
    assert [au.au_id for au in face.aus] == [1, 6, 12]
    assert {"vision.onnx", "blazeface_back.onnx", "facemesh.onnx"} <= {name for name, _ in opened}
    assert all(asked == providers for _, asked in opened)
    assert capsys.readouterr().out == ""


def test_a_runtime_says_what_the_cpu_says(tiny_bundle, stand_in):
    stand_in("CUDAExecutionProvider", "DmlExecutionProvider")
    colours = crops((200, 100, 50), (0, 0, 0))
    alone = Predictor(tiny_bundle).predict_crops(colours)
    for runtime in ("cpu", "cuda", "directml"):
        assert Predictor(tiny_bundle, runtime=runtime).predict_crops(colours) == alone


@pytest.mark.parametrize(
    ("runtime", "package", "extra"),
    [
        ("cuda", "onnxruntime-gpu", "cuda"),
        ("tensorrt", "onnxruntime-gpu", "cuda"),
        ("directml", "onnxruntime-directml", "directml"),
    ],
)
def test_a_missing_provider_names_its_extra(tiny_bundle, stand_in, monkeypatch, runtime, package, extra):
    stand_in()
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(MissingExtraError, match=rf"the extra '{extra}', .*\[{extra}\]'") as caught:
        open_backend(tiny_bundle, runtime)
    assert caught.value.package == package
    with pytest.raises(MissingExtraError, match=extra):
        face_providers(runtime)


@pytest.mark.parametrize(
    ("runtime", "platform", "needs"),
    [
        ("directml", "linux", "Windows with a GPU that supports DirectX 12"),
        ("cuda", "darwin", "an NVIDIA GPU with CUDA"),
    ],
)
def test_where_no_package_brings_a_provider_none_is_named(tiny_bundle, stand_in, monkeypatch, runtime, platform, needs):
    stand_in()
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(ConfigError, match=f"the runtime {runtime} needs {needs}.*; choose another one"):
        open_backend(tiny_bundle, runtime)


def test_two_onnx_runtimes_in_one_place_are_noticed(tiny_bundle, stand_in):
    stand_in(installed=["onnxruntime-gpu"])
    with pytest.raises(ConfigError, match="pip install --force-reinstall --no-deps onnxruntime-gpu"):
        open_backend(tiny_bundle, "cuda")


def test_coreml_needs_macos(tiny_bundle, stand_in):
    stand_in()
    with pytest.raises(ConfigError, match="the runtime coreml needs macOS; choose another one, such as onnxruntime"):
        open_backend(tiny_bundle, "coreml")


def test_a_provider_that_does_not_start_is_named(tiny_bundle, stand_in):
    stand_in("CUDAExecutionProvider", starts=False)
    with pytest.raises(ConfigError, match="CUDAExecutionProvider does not start on this machine; check its driver"):
        Predictor(tiny_bundle, runtime="cuda")


def test_torch_and_devices_are_for_checkpoints(tiny_bundle):
    for options in ({"runtime": "torch"}, {"device": "cuda"}):
        with pytest.raises(ConfigError, match="torch computes checkpoints, and .* is a bundle"):
            Predictor(tiny_bundle, **options)


def test_face_networks_stay_on_the_cpu_beside_other_libraries():
    for runtime in ("openvino", "torch", "auto"):
        assert face_providers(runtime) == (CPU,)
    with pytest.raises(ConfigError, match="runtime is 'gpu'; give one of onnxruntime, cpu, cuda, "):
        face_providers("gpu")


def test_the_command_names_the_extra(tiny_bundle, stand_in, astronaut, capsys):
    stand_in()
    assert main(["predict", str(astronaut), "--model", str(tiny_bundle.folder), "--runtime", "cuda"]) == 1
    assert "[cuda]'" in " ".join(capsys.readouterr().err.split())


def test_directml_runs_one_call_at_a_time(tiny_bundle, stand_in, monkeypatch):
    stand_in("DmlExecutionProvider")
    backend = open_backend(tiny_bundle, "directml")
    backend.encode(crops((0, 0, 0)))  # opens the graph
    session, running, most = backend._vision._graph._session, [], []

    def run(outputs, inputs):
        running.append(True)
        time.sleep(0.02)
        most.append(len(running))
        running.pop()
        return RealSession.run(session._session, outputs, inputs)

    monkeypatch.setattr(session._session, "run", run)
    threads = [threading.Thread(target=backend.encode, args=(crops((0, 0, 0)),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4


def test_the_vision_graph_is_opened_once_in_another_thread(tiny_bundle):
    backend, threads = OrtBackend(tiny_bundle), []
    opened = backend._open
    backend._open = lambda path: threads.append((path.name, threading.current_thread())) or opened(path)
    backend.open_ahead()
    backend.open_ahead()
    crops = np.zeros((2, 16, 16, 3), np.uint8)
    assert backend.encode(crops).au_logits.shape[0] == 2
    assert [name for name, _ in threads] == ["vision.onnx"]
    assert threads[0][1] is not threading.main_thread()
