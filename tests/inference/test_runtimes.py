import subprocess
import sys
import threading

import numpy as np
import pytest

from vlfau.cli import main
from vlfau.errors import BundleError, ConfigError, MissingExtraError
from vlfau.inference import openvino_backend, runtimes
from vlfau.inference.backend import OrtBackend
from vlfau.inference.bundle import load_bundle
from vlfau.inference.openvino_backend import OpenVinoBackend
from vlfau.inference.predictor import Predictor
from vlfau.inference.runtimes import available_runtimes, chosen_runtime, open_backend
from vlfau.media.images import read_image


@pytest.fixture
def openvino():
    return pytest.importorskip("openvino")


@pytest.fixture
def without_openvino(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    openvino_backend._core.cache_clear()


def default_crops(astronaut, count=1):
    predictor = Predictor()
    picture = read_image(astronaut)
    return np.repeat(predictor.align(picture, predictor.finder.find(picture)), count, axis=0)


def test_a_runtime_is_opened_by_its_name(tiny_bundle, openvino):
    assert isinstance(Predictor(tiny_bundle).backend, OrtBackend)
    assert isinstance(Predictor(tiny_bundle, runtime="openvino").backend, OpenVinoBackend)


def test_an_unknown_runtime_is_refused(tiny_bundle):
    with pytest.raises(ConfigError, match="runtime is 'rocm'; give one of onnxruntime, cpu, cuda, .*, torch, auto"):
        Predictor(tiny_bundle, runtime="rocm")


@pytest.mark.parametrize("runtime", ["openvino", "openvino-bf16"])
def test_a_missing_runtime_names_its_extra(tiny_bundle, without_openvino, runtime):
    with pytest.raises(MissingExtraError, match=r"the extra 'openvino', which .* pip install '.*\[openvino\]'"):
        open_backend(tiny_bundle, runtime)


def test_the_command_names_the_extra_too(tiny_bundle, without_openvino, astronaut, capsys):
    code = main(["predict", str(astronaut), "--model", str(tiny_bundle.folder), "--runtime", "openvino"])
    assert code == 1
    assert "[openvino]'" in " ".join(capsys.readouterr().err.split())


def test_a_processor_without_bf16_is_named(tiny_bundle, openvino, monkeypatch):
    monkeypatch.setattr(openvino_backend, "computes_with_bf16", lambda: False)
    with pytest.raises(ConfigError, match="does not support bf16; choose the runtime openvino or onnxruntime"):
        open_backend(tiny_bundle, "openvino-bf16")


def test_auto_is_onnx_runtime_where_nothing_else_is_installed(tiny_bundle, monkeypatch):
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    assert available_runtimes() == ("onnxruntime",)
    assert chosen_runtime(tiny_bundle, "auto") == "onnxruntime"


class Slow:
    """A runtime that takes its time, by a clock of its own."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def encode(self, crops):
        self.clock.now += self.seconds


class Clock:
    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ((1.0, 0.5, 0.3), "openvino-bf16"),
        ((1.0, 0.5, 0.6), "openvino"),
        ((1.0, 0.9, 0.85), "onnxruntime"),  # Too little to be sure.
        ((0.5, 1.0, 1.0), "onnxruntime"),
    ],
)
def test_auto_takes_the_fastest_unless_it_hardly_is(tiny_bundle, monkeypatch, seconds, chosen):
    clock, names = Clock(), ("onnxruntime", "openvino", "openvino-bf16")
    monkeypatch.setattr(runtimes, "available_runtimes", lambda: names)
    monkeypatch.setattr(runtimes, "time", clock)
    openers = {
        name: lambda bundle, threads, each=each: Slow(clock, each) for name, each in zip(names, seconds, strict=True)
    }
    monkeypatch.setattr(runtimes, "_OPENERS", openers)
    assert chosen_runtime(tiny_bundle, "auto") == chosen


def test_auto_is_a_runtime_that_can_be_opened(tiny_bundle, openvino):
    chosen = chosen_runtime(tiny_bundle, "auto")
    assert chosen in available_runtimes()
    open_backend(tiny_bundle, chosen)


def test_openvino_says_what_onnx_runtime_says(astronaut, openvino):
    crops = default_crops(astronaut)
    (ours,) = Predictor(describe="every").predict_crops(crops)
    (theirs,) = Predictor(describe="every", runtime="openvino").predict_crops(crops)
    np.testing.assert_allclose([au.prob for au in theirs.aus], [au.prob for au in ours.aus], atol=1e-4)
    np.testing.assert_allclose([au.intensity for au in theirs.aus], [au.intensity for au in ours.aus], atol=1e-3)
    assert [au.local_caption for au in theirs.aus] == [au.local_caption for au in ours.aus]
    assert theirs.global_caption == ours.global_caption


def test_bf16_stays_near(astronaut, openvino):
    if "openvino-bf16" not in available_runtimes():
        pytest.skip("this CPU does not support bf16")
    crops = default_crops(astronaut)
    (ours,) = Predictor(describe="never").predict_crops(crops)
    (theirs,) = Predictor(describe="never", runtime="openvino-bf16").predict_crops(crops)
    np.testing.assert_allclose([au.prob for au in theirs.aus], [au.prob for au in ours.aus], atol=0.05)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_results_of_several_threads_are_their_own(runtime):
    if runtime == "openvino":
        pytest.importorskip("openvino")
    backend, size = open_backend(load_bundle(), runtime), load_bundle().info.crop.crop_size
    crops = np.random.default_rng(0).integers(0, 256, (4, 1, size, size, 3), dtype=np.uint8)
    alone = [backend.encode(each) for each in crops]
    together = [[] for _ in crops]

    def run(place):
        together[place] += [backend.encode(crops[place]) for _ in range(5)]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(crops))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for wanted, found in zip(alone, together, strict=True):
        assert len(found) == 5
        for each in found:
            np.testing.assert_allclose(each.au_logits, wanted.au_logits, atol=1e-5)
            np.testing.assert_allclose(each.stem_features, wanted.stem_features, atol=1e-4)


def test_a_result_outlives_the_next_face(tiny_bundle, openvino):
    backend = open_backend(tiny_bundle, "openvino")
    black, white = np.zeros((1, 16, 16, 3), np.uint8), np.full((1, 16, 16, 3), 255, np.uint8)
    first = backend.encode(black).au_logits
    backend.encode(white)
    np.testing.assert_allclose(first, [[-5, -5, -5]], atol=1e-5)


def test_one_face_and_several_are_seen_alike_in_any_order(openvino, astronaut):
    crops = np.concatenate([default_crops(astronaut), default_crops(astronaut)[:, ::-1]])
    together = open_backend(load_bundle(), "openvino").encode(crops).au_logits
    backend = open_backend(load_bundle(), "openvino")
    for places in ([0], [0, 1], [1], [1, 0]):
        np.testing.assert_allclose(backend.encode(crops[places]).au_logits, together[places], atol=1e-3)


def test_what_openvino_cannot_run_is_named(tiny_bundle, openvino, tmp_path):
    backend = open_backend(tiny_bundle, "openvino")
    with pytest.raises(BundleError, match=r"vision\.onnx failed on its inputs"):
        backend.encode(np.zeros((1, 8, 8, 3), np.uint8))
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(b"no graph")
    for path, message in (
        (torn, "is not an ONNX graph that OpenVINO can run"),
        (tmp_path / "none.onnx", "does not exist"),
    ):
        with pytest.raises(BundleError, match=message):
            backend._open(path)


def test_openvino_reports_nothing_to_its_maker(openvino):
    code = (
        "import sys; from vlfau.inference.runtimes import available_runtimes; available_runtimes();"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_knows_the_runtimes_without_loading_one():
    code = (
        "import sys, vlfau.runs.options\n"
        "print({'onnxruntime', 'openvino', 'numpy', 'statistics', 'importlib.metadata'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_telemetry_that_was_loaded_stays(openvino, monkeypatch):
    marker = object()
    monkeypatch.setitem(sys.modules, "openvino_telemetry", marker)
    openvino_backend._core.cache_clear()
    openvino_backend._core()
    assert sys.modules["openvino_telemetry"] is marker


def test_openvinos_first_tensor_is_made_before_threads_make_more(openvino, monkeypatch):
    made, tensor = [], openvino.Tensor

    def recorded(*arguments, **options):
        made.append(arguments)
        return tensor(*arguments, **options)

    monkeypatch.setattr(openvino, "Tensor", recorded)
    openvino_backend._core.__wrapped__()
    assert len(made) == 1
