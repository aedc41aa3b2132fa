import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from vlfau.cli import main
from vlfau.cli.measuring import variant_table
from vlfau.data.manifest import read_manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.ablation import VARIANTS, VariantScores
from vlfau.evaluation.calibration import calibrate
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.tested import Scope

SILENT = Scope(describe=False)


@pytest.fixture
def manifest(toy_file):
    return toy_file.with_name("manifest.csv")


def relabel(manifest, au_id, label, *, fold):
    """Write one label of an AU over those of a fold."""
    head, *rows = [row.split(",") for row in manifest.read_text().splitlines()]
    column = head.index(f"AU{au_id}")
    for row in rows:
        if row[head.index("fold")] == str(fold):
            row[column] = label
    manifest.write_text("\n".join(",".join(row) for row in (head, *rows)) + "\n")


def test_scores_are_those_that_scikit_learn_counts(untrained, manifest, tmp_path):
    relabel(manifest, 4, "", fold=2)  # Nobody annotated it there but in the two frames that follow.
    manifest.write_text(manifest.read_text().replace("\n1.png,1,2,M,1,,", "\n1.png,1,2,M,1,1,"))
    manifest.write_text(manifest.read_text().replace("\n2.png,1,2,M,0,,", "\n2.png,1,2,M,0,0,"))
    evaluate(untrained(fold=2), manifest, tmp_path / "out", scope=Scope(0.45, describe=False))
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    with np.load(tmp_path / "out" / "answers.npz") as file:
        probs = dict(zip(file["au_ids"].tolist(), file["au_probs"].T, strict=True))
    frames = [frame for frame in read_manifest(manifest).frames if frame.fold == 2]
    figures = {"f1": [], "accuracy": [], "roc_auc": []}
    for column, au_id in enumerate((1, 4, 12, 25)):
        known = [row for row, frame in enumerate(frames) if frame.states[column] is not None]
        truth = [frames[row].states[column].active for row in known]
        predicted = [probs[au_id][row] >= 0.45 for row in known]
        own = f1_score(truth, predicted), accuracy_score(truth, predicted), roc_auc_score(truth, probs[au_id][known])
        assert len(known) == (2 if au_id == 4 else 8)
        for name, value in zip(figures, own, strict=True):
            figures[name].append(value)
            assert scores[f"{name}_per_au"][str(au_id)] == pytest.approx(value, abs=1e-6), (name, au_id)
    for name, values in figures.items():
        assert scores[f"{name}_macro"] == pytest.approx(np.mean(values), abs=1e-6)


def test_a_fold_without_a_positive_of_an_au_is_named_and_counted_both_ways(untrained, manifest, tmp_path, capsys):
    relabel(manifest, 25, "0", fold=2)
    folder = untrained(fold=2)
    scores = evaluate(folder, manifest, tmp_path / "out", scope=SILENT)
    assert scores.without_positives == (25,)
    assert scores.f1_per_au[25] is None
    others = [scores.f1_per_au[au_id] for au_id in (1, 4, 12)]
    assert scores.f1_macro == pytest.approx(sum(others) / 3, abs=1e-6)
    assert scores.f1_macro_zeros == pytest.approx(sum(others) / 4, abs=1e-6)
    assert main(["evaluate", str(folder), str(manifest), "--out", str(tmp_path / "again"), "--no-describe"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "AU25 is never active in the tested frames: it has no F1 and is left out of the mean" in said
    assert f"counted as 0, as the field's scripts do, the mean is {scores.f1_macro_zeros:.3f}" in said


def test_frames_that_were_lost_are_counted_with_the_score(untrained, manifest, tmp_path, capsys):
    rows = ["subject,clip,frame,reason,fold,AU1,AU4,AU12,AU25"]
    rows += ["1,T1,1,no face found,2,1,1,1,1"] * 4 + ["0,T1,1,no face found,1,1,1,1,1"]
    manifest.with_name("skipped.csv").write_text("\n".join(rows) + "\n")
    folder = untrained(fold=2)
    scores = evaluate(folder, manifest, tmp_path / "out", scope=SILENT)
    lost = scores.lost_frames
    assert (scores.frames, lost["frames"]) == (8, 4)
    predictions = Predictions.load(tmp_path / "out")
    truth = np.concatenate([predictions.occurrence, np.ones((4, 4), int)])
    predicted = np.concatenate([predictions.au_probs >= 0.5, np.zeros((4, 4), bool)])
    assert lost["f1_macro"] == pytest.approx(np.mean(f1_score(truth, predicted, average=None)), abs=1e-6)
    assert lost["f1_macro"] < scores.f1_macro
    assert main(["evaluate", str(folder), str(manifest), "--out", str(tmp_path / "again"), "--no-describe"]) == 0
    assert "4 frames without a face" in " ".join(capsys.readouterr().err.split())


def test_scores_say_how_the_epoch_was_chosen(untrained, manifest, tmp_path, capsys):
    for name, training, expected in (("a", {}, "test-fold"), ("b", {"epoch_choice": "last"}, "last")):
        folder = untrained(name, **training)
        scores = evaluate(folder, manifest, tmp_path / "out", scope=SILENT)
        assert scores.network.epoch_choice == expected
        main(["evaluate", str(folder), str(manifest), "--out", str(tmp_path / "out"), "--no-describe"])
        said = capsys.readouterr().err
        assert ("was chosen by the F1 on the test fold" in said) == (expected == "test-fold")
        (shown,) = variant_table([VariantScores(VARIANTS[0], (scores,))]).columns[0].cells
        assert shown == ("(1) baseline †" if expected == "test-fold" else "(1) baseline")


def test_frames_that_trained_the_model_are_named_where_all_folds_are_tested(untrained, manifest, tmp_path, capsys):
    arguments = [str(manifest), "--out", str(tmp_path / "out"), "--no-describe", "--fold"]
    for name, training, fold, trained in (
        ("a", {"train_frames": 8}, "all", True),
        ("b", {"train_frames": 4, "held_out_subjects": ["0"]}, "all", True),
        ("c", {"train_frames": 8}, "2", False),
        ("d", {"train_frames": 9}, "all", False),
    ):
        assert main(["evaluate", str(untrained(name, fold=2, **training)), *arguments, fold]) == 0
        said = capsys.readouterr().err
        assert ("those that the model was trained on" in " ".join(said.split())) == trained
        assert json.loads((tmp_path / "out" / "scores.json").read_text())["network"]["trained_on_tested"] is trained


def test_several_folds_are_refused_for_a_model_has_one(untrained, manifest, tmp_path, capsys):
    arguments = ["evaluate", str(untrained(fold=2)), str(manifest), "--out", str(tmp_path / "out"), "--fold"]
    for fold in ("2,1", "two", "", "9" * 5000):
        assert main([*arguments, fold]) == 2
        assert "--fold takes one number, or all" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_folds_that_share_a_subject_are_refused(untrained, manifest, tmp_path):
    manifest.write_text(manifest.read_text().replace("3.png,0,1", "3.png,0,2"))
    for run in (evaluate, calibrate):
        with pytest.raises(ManifestError, match="has subject '0' in the folds 1 and 2; folds exclude each other"):
            run(untrained(fold=2), manifest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
