import hashlib
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.export.test_bundle import bundle, checkpoint, metadata
from tests.inference.tiny_bundle import write_tiny_bundle
from tests.training.conftest import toy_file
from vlfau.cli import main
from vlfau.errors import BundleError, CheckpointError
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.scores import DataInfo
from vlfau.evaluation.tested import Scope
from vlfau.export import export_bundle
from vlfau.inference.bundle import Bundle, load_bundle, write_model_json

__all__ = ["bundle", "checkpoint", "toy_file"]

SILENT = Scope(describe=False)


@pytest.fixture
def manifest(toy_file):
    """16 drawn faces of four people in two folds."""
    return toy_file.with_name("manifest.csv")


@pytest.fixture
def retold(bundle, tmp_path):
    """Return a function that copies the bundle with other metadata of its training."""

    def tell(**training):
        folder = tmp_path / "retold"
        shutil.copytree(bundle.folder, folder)
        write_model_json(folder, replace(bundle.info, training={**bundle.info.training, **training}))
        return folder

    return tell


def test_a_bundle_has_the_scores_of_its_checkpoint(bundle, checkpoint, manifest, tmp_path):
    scope = Scope(described_frames=5)
    theirs = evaluate(checkpoint, manifest, tmp_path / "checkpoint", fold="all", scope=scope)
    ours = evaluate(bundle.folder, manifest, tmp_path / "bundle", scope=scope)
    for name in ("f1_macro", "accuracy_macro", "roc_auc_macro", "ece_macro", "f1_macro_zeros", "f1_micro"):
        assert ours.number(name) == pytest.approx(theirs.number(name), abs=1e-5), name
    for part in ("words", "truth"):
        mine, other = getattr(ours, part), getattr(theirs, part)
        assert mine.keys() == other.keys()
        for name, value in other.items():
            assert mine[name] == pytest.approx(value, abs=1e-5), name
    assert (ours.fold, ours.frames, ours.subjects, ours.words["frames"]) == (None, 16, 4, 5)
    predictions, known = Predictions.load(tmp_path / "bundle"), Predictions.load(tmp_path / "checkpoint")
    np.testing.assert_allclose(predictions.au_probs, known.au_probs, atol=1e-4)
    np.testing.assert_allclose(predictions.au_features, known.au_features, atol=1e-2)
    assert predictions.local_captions == known.local_captions
    assert predictions.global_captions == known.global_captions
    assert predictions.consistent_captions == known.consistent_captions


def test_a_bundle_can_be_tested_on_the_fold_that_its_checkpoint_left_out_alone(bundle, manifest, tmp_path):
    assert bundle.info.training["fold"] == 1
    scores = evaluate(bundle.folder, manifest, tmp_path / "out", fold=1, scope=SILENT)
    assert (scores.fold, scores.frames, scores.subjects) == (1, 8, 2)
    with pytest.raises(BundleError, match="left out fold 1, so it may have been trained on fold 2; .*--fold all"):
        evaluate(bundle.folder, manifest, tmp_path / "out2", fold=2, scope=SILENT)
    assert not (tmp_path / "out2").exists()


def test_the_folds_that_a_bundle_was_trained_on_are_refused(bundle, retold, manifest, tmp_path):
    with pytest.raises(BundleError, match=r"trained on folds .*'nothing' too\); give --fold 1, which it left out"):
        evaluate(bundle.folder, manifest, tmp_path / "out", description="Nothing", scope=SILENT)
    folder = retold(train_frames=8)
    with pytest.raises(BundleError, match=r"trained on folds .*\(as many frames train\); give --fold 1"):
        evaluate(folder, manifest, tmp_path / "out", scope=SILENT)
    assert not (tmp_path / "out").exists()


def test_what_lies_beside_the_manifest_says_what_the_data_are(bundle, manifest, tmp_path):
    def data():
        return evaluate(bundle.folder, manifest, tmp_path / "out", scope=SILENT).data

    assert data() == DataInfo(description="manifest.csv", synthetic=False)
    settings = manifest.with_name("settings.json")
    settings.write_text(json.dumps({"generator": 1, "preset": "wild"}))
    assert data() == DataInfo(description="synthetic FACS faces, preset wild", synthetic=True)
    settings.write_text(json.dumps({"data set": "disfa", "size": 256}))
    assert data() == DataInfo(description="DISFA", synthetic=False)


def test_a_bundle_names_nobody_and_is_known_by_the_pictures_it_was_calibrated_on(
    checkpoint, manifest, tmp_path, monkeypatch
):
    calibration = {"source": "other-manifest", "frames": 9, "subjects": ["Ann"], "pictures": ["0123456789abcdef"]}
    told = metadata(training={"synthetic": True, "calibration": calibration, "held_out_subjects": ["Bob"]})
    monkeypatch.setattr(
        "vlfau.export.bundle.load_checkpoint", lambda folder: (SimpleNamespace(part_weights=None), told)
    )
    monkeypatch.setattr("vlfau.export.bundle.export_graphs", lambda network, crop_size: {})
    monkeypatch.setattr("vlfau.export.bundle.write_model_json", lambda folder, info: Bundle(folder, info, {}))
    training = export_bundle(checkpoint, tmp_path / "bundle").info.training
    assert training == {"synthetic": True, "calibration": {**calibration, "subjects": []}, "fold": 1}


def test_a_bundle_calibrated_on_the_tested_faces_is_refused_or_marked(retold, manifest, tmp_path):
    digest = hashlib.sha256(manifest.with_name("3.png").read_bytes()).hexdigest()[:16]
    folder = retold(calibration={"source": "other-manifest", "frames": 9, "subjects": [], "pictures": [digest]})
    with pytest.raises(CheckpointError, match=r"bundle .* was calibrated on test subjects.* --allow-tuned"):
        evaluate(folder, manifest, tmp_path / "out", scope=SILENT)
    scores = evaluate(folder, manifest, tmp_path / "out", scope=SILENT, allow_tuned=True)
    assert scores.network.calibration.on_tested_people is True


def test_a_bundle_without_words_or_with_other_aus_is_scored_in_what_it_has(manifest, tmp_path):
    tiny = write_tiny_bundle(tmp_path / "tiny", local=False, global_=False)
    scores = evaluate(tiny.folder, manifest, tmp_path / "out")
    assert scores.au_ids == (1, 12)
    assert scores.threshold_source == "protocol"
    assert evaluate(tiny.folder, manifest, tmp_path / "own", scope=Scope(None)).threshold == (0.5, 0.25)
    assert scores.words == {}


def test_the_command_takes_checkpoints_bundles_and_names(checkpoint, bundle, manifest, tmp_path, capsys, monkeypatch):
    out = ["--out", str(tmp_path / "out"), "--fold", "all", "--no-describe"]
    for model in (checkpoint, bundle.folder):
        assert main(["evaluate", str(model), str(manifest), *out]) == 0
        assert "16 frames of 4 people" in capsys.readouterr().out
    monkeypatch.setenv("VLFAU_MODELS", str(bundle.folder.parent))
    assert main(["evaluate", "toy", str(manifest), *out]) == 0
    assert load_bundle("toy").info.name == bundle.info.name
    capsys.readouterr()
    assert main(["evaluate", "tyo", str(manifest), *out]) == 2
    assert "tyo is neither a bundle nor a checkpoint: there is no such folder" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path), str(manifest), *out]) == 2
    assert "it has neither model.json nor checkpoint.json" in capsys.readouterr().err
