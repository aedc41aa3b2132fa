import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import onnx
import pytest

from tests.export.test_bundle import bundle, checkpoint
from tests.training.conftest import toy_file
from vlfau.cli import main
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, ManifestError, MissingExtraError
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.tested import Scope
from vlfau.export import quantise_bundle, quantised
from vlfau.export.quantised import measure
from vlfau.inference.bundle import load_bundle
from vlfau.inference.runtimes import available_runtimes, open_backend

__all__ = ["bundle", "checkpoint", "toy_file"]


needs_nncf = pytest.mark.skipif(find_spec("nncf") is None, reason="nncf is not installed: pip install 'vlfau[int8]'")
"""Without importing it, which would report to its maker."""


@pytest.fixture
def manifest(toy_file):
    """16 drawn faces."""
    return toy_file.with_name("manifest.csv")


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch):
    monkeypatch.setattr(quantised, "MIN_WEIGHTS", 512)


def test_a_bundle_is_measured_as_its_checkpoint_is(checkpoint, manifest, bundle, tmp_path):
    scores = evaluate(checkpoint, manifest, tmp_path / "out", fold="all", scope=Scope(None))
    frames = read_manifest(manifest, bundle.info.au_ids)
    found = measure(bundle, frames, range(scores.frames), EvalOptions())
    assert found.f1_macro == pytest.approx(scores.f1_macro, abs=1e-5)
    assert found.roc_auc_macro == pytest.approx(scores.roc_auc_macro, abs=1e-5)
    assert found.local_agreement == pytest.approx(scores.truth["local_agrees_with_predicted"], abs=1e-5)
    assert found.global_agreement == pytest.approx(scores.truth["global_agrees_with_predicted"], abs=1e-5)
    assert found.local_bleu4 == pytest.approx(scores.words["local_bleu4"], abs=1e-5)
    assert found.global_bleu4 == pytest.approx(scores.words["global_bleu4"], abs=1e-5)


@needs_nncf
def test_the_bundle_in_8_bits_answers_nearly_alike_on_every_runtime(manifest, bundle, tmp_path):
    told = []
    small = quantise_bundle(
        bundle, tmp_path / "small", manifest, force=True, report=lambda *figures: told.append(figures)
    )
    operators = [node.op_type for node in onnx.load(small.path("vision.onnx")).graph.node]
    assert operators.count("QuantizeLinear") > 5
    assert {name: small.files[name] for name in small.files if name != "vision.onnx"} == {
        name: bundle.files[name] for name in bundle.files if name != "vision.onnx"
    }
    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    before = open_backend(bundle).encode(crops).au_logits
    for runtime in available_runtimes():
        after = open_backend(load_bundle(small.folder), runtime).encode(crops).au_logits
        assert not np.array_equal(after, before)
        np.testing.assert_allclose(after, before, atol=0.3 * np.abs(before).max())
    ((measured_before, measured_after),) = told
    kept = small.info.scores["quantised"]
    assert (kept["calibrated_on_frames"], kept["judged_frames"], kept["described_frames"]) == (8, 8, 8)
    assert kept["before"]["f1_macro"] == measured_before.f1_macro
    assert kept["after"]["roc_auc_macro"] == measured_after.roc_auc_macro


@needs_nncf
def test_too_great_a_loss_is_refused_unless_forced(manifest, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(quantised, "MAX_LOSS", -1.0)  # Nothing but a great gain is enough.
    told = []
    with pytest.raises(ConfigError, match=r"8 bits cost .* points of macro F1 .* give --force to keep the bundle"):
        quantise_bundle(bundle, tmp_path / "small", manifest, report=lambda *figures: told.append(figures))
    assert len(told) == 1
    assert [path.name for path in tmp_path.iterdir() if "small" in path.name] == []
    quantise_bundle(bundle, tmp_path / "small", manifest, force=True)
    assert load_bundle(tmp_path / "small").info.scores["quantised"]["to"] == "int8"


@needs_nncf
def test_a_network_without_large_layers_is_refused(manifest, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(quantised, "MIN_WEIGHTS", 10**9)
    with pytest.raises(ConfigError, match="8 bits gain nothing"):
        quantise_bundle(bundle, tmp_path / "small", manifest)


def test_without_nncf_its_extra_is_named(manifest, bundle, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingExtraError, match=r"the extra 'int8', which .* pip install '.*\[int8\]'"):
        quantise_bundle(bundle, tmp_path / "small", manifest)
    assert not (tmp_path / "small").exists()


@needs_nncf
def test_nncf_reports_nothing_to_its_maker():
    code = (
        "import sys; from vlfau.export.quantised import open_nncf; open_nncf();"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_nncf
def test_frames_that_cannot_measure_are_refused(manifest, bundle, tmp_path):
    head, *rows = manifest.read_text().splitlines()
    alone = manifest.with_name("alone.csv")
    alone.write_text(f"{head}\n{rows[0]}\n")
    with pytest.raises(ManifestError, match="has one frame; give some hundreds"):
        quantise_bundle(bundle, tmp_path / "small", alone)
    still = manifest.with_name("still.csv")  # The first picture shows no active AU.
    still.write_text("\n".join([head, *rows[:1] * 4]) + "\n")
    with pytest.raises(ManifestError, match="no frame in which an AU is active"):
        quantise_bundle(bundle, tmp_path / "small", still)


@needs_nncf
def test_the_command_reports_and_keeps(checkpoint, manifest, tmp_path, capsys):
    out, card = tmp_path / "small", tmp_path / "card.md"
    card.write_text("# For trying\n")
    options = ["--quantize", "int8", "--calibrate", str(manifest), "--force", "--card", str(card)]
    assert main(["export", str(checkpoint), str(out), *options]) == 0
    assert load_bundle(out).card.read_text() == "# For trying\n"
    printed = capsys.readouterr().out
    for measure_of in ("F1", "ROC-AUC", "local captions, BLEU-4", "global captions agree with states", "bundle:"):
        assert measure_of in printed
    assert load_bundle(out).info.name == "small"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quantize", "int8"], "name a manifest of some with --calibrate"),
        (["--calibrate", "manifest.csv"], "--calibrate belongs to --quantize int8"),
        (["--force"], "--force belongs to --quantize int8"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, capsys, options, message):
    assert main(["export", "best", str(tmp_path / "small"), *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
