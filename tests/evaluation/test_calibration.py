import hashlib
import re

import numpy as np
import pytest
import torch

from tests.training.conftest import add_landmark
from vlfau.cli.calibrate import calibrate as command
from vlfau.data.manifest import read_manifest
from vlfau.errors import CheckpointError, ConfigError, ManifestError
from vlfau.evaluation.calibration import best_threshold, calibrate, platt_scaling
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner
from vlfau.evaluation.scores import CalibrationInfo
from vlfau.evaluation.tested import Scope
from vlfau.training import load_checkpoint, read_metadata, train


def test_platt_scaling_finds_the_odds_that_made_the_states():
    rng = np.random.default_rng(0)
    au_logits = rng.normal(0, 2, 40_000)
    active = rng.random(40_000) < 1 / (1 + np.exp(-(0.5 * au_logits - 1)))
    slope, shift = platt_scaling(au_logits, active)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert shift == pytest.approx(-1, abs=0.05)


def test_platt_scaling_never_turns_a_network_around():
    au_logits = np.linspace(-2, 2, 100)
    slope, shift = platt_scaling(au_logits, au_logits < -1)
    assert slope > 0
    assert 1 / (1 + np.exp(-shift)) == pytest.approx((au_logits < -1).mean(), abs=0.01)


def test_the_best_threshold_beats_every_other():
    rng = np.random.default_rng(1)
    active = rng.random(400) < 0.2
    probs = np.clip(0.3 * active + rng.random(400) * 0.6, 0, 1)

    def f1(threshold):
        predicted = probs >= threshold
        return 2 * (predicted & active).sum() / (predicted.sum() + active.sum())

    best = f1(best_threshold(probs, active))
    assert best >= max(f1(threshold) for threshold in np.linspace(0.01, 0.99, 99)) - 1e-9


@pytest.fixture
def trained(toy_config):
    return train(toy_config("run.max_epochs=1"))


def with_many_frames(manifest, folder):
    """Repeat the rows of a toy manifest, so that every AU has frames enough."""
    rows = manifest.read_text().splitlines()
    many = folder / "many.csv"
    many.write_text("\n".join([rows[0], *rows[1:] * 12]) + "\n")
    return many


def test_a_calibrated_checkpoint_keeps_its_order_and_means_its_probabilities(trained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    metadata = calibrate(trained, manifest, tmp_path / "calibrated")
    assert read_metadata(tmp_path / "calibrated") == metadata
    assert len(metadata.thresholds) == len(metadata.au_ids)
    frames = read_manifest(manifest, metadata.au_ids)
    before, after = (
        PredictionRunner.of_network(*load_checkpoint(folder), metadata.au_ids, EvalOptions()).run(frames)
        for folder in (trained, tmp_path / "calibrated")
    )
    for column in range(len(metadata.au_ids)):
        old, new = before.au_probs[:, column], after.au_probs[:, column]
        assert (np.diff(new[np.argsort(old, kind="stable")]) >= -1e-6).all()
        assert new.mean() == pytest.approx((after.occurrence[:, column] == 1).mean(), abs=0.02)


@pytest.mark.parametrize("landmarks", [0, 1])
def test_calibration_moves_the_logits_by_one_slope_and_one_shift(toy_config, tmp_path, landmarks):
    manifest = toy_config().data.manifest
    if landmarks:
        add_landmark(manifest)
    mirrored = "model.mirrored=true"
    trained = train(toy_config("run.max_epochs=1", f"model.landmarks={landmarks}", mirrored))
    many = with_many_frames(manifest, manifest.parent)
    calibrate(trained, many, tmp_path / "calibrated")
    crops = torch.randint(0, 256, (8, 3, 112, 112), dtype=torch.uint8)
    with torch.no_grad():
        before, after = (
            load_checkpoint(folder)[0].eval().encode(crops).au_logits for folder in (trained, tmp_path / "calibrated")
        )
    for old, new in zip(before.T, after.T, strict=True):
        slope, shift = np.polyfit(old.double(), new.double(), 1)
        torch.testing.assert_close(slope * old + shift, new, atol=1e-4, rtol=1e-4, check_dtype=False)
    assert not torch.allclose(before, after, atol=1e-2)


def test_evaluation_takes_the_checkpoints_own_thresholds_and_says_where_they_come_from(untrained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    metadata = calibrate(untrained(fold=2), manifest, tmp_path / "calibrated")
    own = evaluate(tmp_path / "calibrated", manifest, tmp_path / "own", scope=Scope(None, False))
    assert own.threshold == pytest.approx(metadata.thresholds)
    assert own.threshold_source == "model"
    assert own.network.calibration == CalibrationInfo(
        source="training-folds", frames=96, subjects=2, folds=(1,), on_tested_people=False
    )
    protocol = evaluate(tmp_path / "calibrated", manifest, tmp_path / "half", scope=Scope(describe=False))
    assert (protocol.threshold, protocol.threshold_source) == (0.5, "protocol")
    chosen = evaluate(tmp_path / "calibrated", manifest, tmp_path / "chosen", scope=Scope(0.4, False))
    assert chosen.threshold_source == "given"


def test_the_fold_that_is_tested_is_never_calibrated_on(untrained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    calibration = calibrate(untrained(fold=2), manifest, tmp_path / "calibrated").training["calibration"]
    assert (calibration["source"], calibration["folds"], calibration["frames"]) == ("training-folds", [1], 96)
    tested = {frame.subject_id for frame in read_manifest(manifest).frames if frame.fold == 2}
    assert set(calibration["subjects"]) == {"0", "2"}
    assert not tested & set(calibration["subjects"])
    assert calibration["manifest_sha256"] == hashlib.sha256(manifest.read_bytes()).hexdigest()


def test_people_held_out_of_training_are_preferred(untrained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    text = manifest.read_text()
    for index in (0, 3, 12, 15):  # of these and of the others of fold 1, every AU is active in half
        text = re.sub(rf"^{index}.png,\d", f"{index}.png,kept", text, flags=re.MULTILINE)
    manifest.write_text(text)
    checkpoint = untrained(fold=2, held_out_subjects=["kept"])
    calibration = calibrate(checkpoint, manifest, tmp_path / "calibrated").training["calibration"]
    assert (calibration["source"], calibration["subjects"], calibration["frames"]) == ("held-out", ["kept"], 48)


def test_a_checkpoint_without_a_fold_is_calibrated_on_every_frame_of_another_manifest(untrained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    calibration = calibrate(untrained(fold=None), manifest, tmp_path / "calibrated").training["calibration"]
    assert (calibration["source"], calibration["frames"], len(calibration["subjects"])) == ("other-manifest", 192, 4)


def test_frames_of_the_tested_fold_alone_are_refused(untrained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    rows = manifest.read_text().splitlines()
    manifest.write_text("\n".join([rows[0], *(row for row in rows[1:] if row.split(",")[2] == "2")]) + "\n")
    with pytest.raises(ManifestError, match="has frames of fold 2 alone, which the checkpoint left out to be tested"):
        calibrate(untrained(fold=2), manifest, tmp_path / "calibrated")
    assert not (tmp_path / "calibrated").exists()


def test_a_checkpoint_calibrated_on_people_who_are_tested_is_refused_or_marked(untrained, toy_config, tmp_path):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    hidden = manifest.with_name("hidden.csv")  # the tested people without their fold
    hidden.write_text(manifest.read_text().replace(",fold", ",note"))
    checkpoint = untrained(fold=2)
    calibrate(checkpoint, hidden, tmp_path / "calibrated")
    silent = Scope(None, False)
    for fold in (None, "all"):
        with pytest.raises(CheckpointError, match="was calibrated on test subjects, so its scores would be"):
            evaluate(tmp_path / "calibrated", manifest, tmp_path / "out", fold=fold, scope=silent)
    assert not (tmp_path / "out").exists()
    scores = evaluate(tmp_path / "calibrated", manifest, tmp_path / "out", scope=silent, allow_tuned=True)
    assert scores.network.calibration.on_tested_people is True


def test_a_checkpoint_that_does_not_say_on_whom_it_was_calibrated_is_refused_on_its_own_data(
    untrained, toy_config, tmp_path
):
    manifest, silent = toy_config().data.manifest, Scope(describe=False)
    checkpoint = untrained(fold=2, thresholds=(0.3,) * 4, calibrated_on_frames=8)
    with pytest.raises(CheckpointError, match="does not record on whom it was calibrated"):
        evaluate(checkpoint, manifest, tmp_path / "out", scope=silent)
    scores = evaluate(checkpoint, manifest, tmp_path / "out", fold="all", scope=silent)
    assert scores.network.calibration.source == "unknown"


def test_the_command_says_on_whom_it_calibrated(untrained, toy_config, tmp_path, capsys):
    manifest = with_many_frames(toy_config().data.manifest, toy_config().data.manifest.parent)
    command(untrained(fold=2), manifest, tmp_path / "calibrated")
    said = " ".join(capsys.readouterr().out.split())
    assert "calibrated on 96 frames of 2 people of the training folds, which the network has seen" in said


def test_too_few_frames_and_an_existing_folder_are_refused(trained, toy_config, tmp_path):
    manifest = toy_config().data.manifest
    with pytest.raises(ManifestError, match="calibration needs 10 frames of either kind"):
        calibrate(trained, manifest, tmp_path / "calibrated")
    with pytest.raises(ConfigError, match="exists already"):
        calibrate(trained, manifest, trained)
