"""A lab's way from its disks to the paper's tables, on two miniature releases with drawn faces."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.road.releases import PEOPLE, make_ckplus
from tests.road.walking import (
    CHECKPOINT,
    answers_of,
    config,
    independent_scores,
    json_of,
    rows_of,
    same_weights,
    settings,
    vlfau,
    weights_of,
)
from vlfau.facs import AU_SETS

pytestmark = pytest.mark.slow

FOLDS = (1, 2, 3)


def test_manifest_and_skipped_hold_every_frame_of_the_release_with_its_labels(name, release, manifest):
    rows, skipped = rows_of(manifest), rows_of(manifest.parent / "skipped.csv")
    keys = [(row["subject"], row["clip"], int(row["frame"])) for row in (*rows, *skipped)]
    assert sorted(keys) == sorted(release.intensities)
    assert keys[len(rows) :] == [frame for frame in (release.faceless,) if frame is not None]
    folds = {person: str(fold) for fold, people in PEOPLE[name].items() for person in people}
    for key, row in zip(keys, (*rows, *skipped), strict=True):
        assert row["fold"] == folds[key[0]]
        for au_id in AU_SETS[name]:
            expected = "" if (key, au_id) == release.unknown else str(int(release.present(key, au_id)))
            assert row[f"AU{au_id}"] == expected, (key, au_id)
    if name == "disfa":
        assert all(
            int(row[f"AU{au}_intensity"]) == release.intensities[key][au]
            for key, row in zip(keys, rows, strict=True)
            for au in AU_SETS[name]
        )


@pytest.mark.parametrize("name", ["disfa"], indirect=True)
def test_one_command_leads_from_the_raw_folder_to_the_same_tables(name, release, manifest, runs, place, capsys):
    data, out = place / "at-once" / "data" / "manifest.csv", place / "at-once" / "runs"
    raw = ("--out", out, "--name", "ours", "--frames", 2, "--prepare", release.folder)
    vlfau("crossval", config(name), *raw, "--rehearse", "--minutes", 1, *settings(data))
    assert "The real run should succeed." in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["rehearsal.json"]
    assert not data.exists()
    vlfau("crossval", config(name), *raw, "--report", place / "at-once" / "report", *settings(data))
    assert data.read_bytes() == manifest.read_bytes()
    assert json_of(out / "scores.json") == json_of(runs / "scores.json")
    assert (place / "at-once" / "report" / "report.html").is_file()


def test_scores_are_those_of_an_independent_calculation(name, release, manifest, runs):
    labels = {row["image"]: row for row in rows_of(manifest)}
    whole = json_of(runs / "scores.json")
    parts = []
    for fold in FOLDS:
        predictions, scores = answers_of(runs / f"fold{fold}"), json_of(runs / f"fold{fold}" / "scores.json")
        assert set(predictions["subject_ids"].tolist()) == set(PEOPLE[name][fold])
        assert predictions["au_ids"].tolist() == list(AU_SETS[name])
        for image, occurrence in zip(predictions["images"].tolist(), predictions["occurrence"], strict=True):
            cells = [labels[image][f"AU{au_id}"] for au_id in AU_SETS[name]]
            assert occurrence.tolist() == [int(cell or -1) for cell in cells]
        assert len(predictions["images"]) == sum(row["fold"] == str(fold) for row in labels.values())
        expected = independent_scores(predictions["au_ids"], predictions["au_probs"], predictions["occurrence"])
        for measure, per_au in expected.items():
            assert scores[f"{measure}_per_au"] == pytest.approx(per_au, abs=1e-5)
            assert scores[f"{measure}_macro"] == pytest.approx(np.mean(list(per_au.values())), abs=1e-5)
        assert any(0 < value < 1 for value in expected["f1"].values())  # else a fault could hide
        parts.append((predictions, expected))
    for measure in ("f1", "accuracy", "roc_auc"):
        means = {str(au_id): np.mean([part[measure][str(au_id)] for _, part in parts]) for au_id in AU_SETS[name]}
        assert whole[f"{measure}_per_au"] == pytest.approx(means, abs=1e-5)
        assert whole[f"{measure}_macro"] == pytest.approx(np.mean(list(means.values())), abs=1e-5)
    together = [np.concatenate([predictions[key] for predictions, _ in parts]) for key in ("au_probs", "occurrence")]
    pooled = independent_scores(parts[0][0]["au_ids"], *together)
    for measure, per_au in pooled.items():
        assert whole["pooled"][f"{measure}_per_au"] == pytest.approx(per_au, abs=1e-5)


@pytest.mark.parametrize("name", ["bp4d"], indirect=True)
def test_a_face_that_was_not_found_counts_as_inactive_beside_the_scores(release, runs):
    fold = next(fold for fold, people in PEOPLE["bp4d"].items() if release.faceless[0] in people)
    predictions, scores = answers_of(runs / f"fold{fold}"), json_of(runs / f"fold{fold}" / "scores.json")
    truth = [int(release.present(release.faceless, au_id)) for au_id in AU_SETS["bp4d"]]
    assert any(truth)
    probs = np.vstack([predictions["au_probs"], np.zeros(len(truth))])
    occurrence = np.vstack([predictions["occurrence"], truth])
    expected = independent_scores(predictions["au_ids"], probs, occurrence)
    lost = scores["lost_frames"]
    assert lost["frames"] == 1
    assert lost["f1_per_au"] == pytest.approx(expected["f1"], abs=1e-5)
    assert lost["accuracy_per_au"] == pytest.approx(expected["accuracy"], abs=1e-5)
    assert lost["accuracy_per_au"] != scores["accuracy_per_au"]
    others = [
        json_of(runs / f"fold{other}" / "scores.json")["lost_frames"]["frames"] for other in FOLDS if other != fold
    ]
    assert others == [0, 0]


def test_nothing_of_the_test_fold_reaches_the_network(name, manifest, runs, place):
    """Spoil pictures and labels of the test fold, train again: the network must be the same, bit for bit."""
    spoilt = _spoilt(manifest, place / "spoilt" / name, PEOPLE[name][2])
    out = place / "other" / name
    vlfau("train", config(name), *settings(spoilt, data__fold=2, run__output=out / "spoilt"))
    assert same_weights(runs / "fold2" / CHECKPOINT, out / "spoilt" / CHECKPOINT)
    # The same damage to one person who trains is felt, so the comparison can fail.
    spoilt = _spoilt(manifest, place / "spoilt-training" / name, PEOPLE[name][1][:1])
    vlfau("train", config(name), *settings(spoilt, data__fold=2, run__output=out / "spoilt-training"))
    assert not same_weights(runs / "fold2" / CHECKPOINT, out / "spoilt-training" / CHECKPOINT)


@pytest.mark.parametrize("name", ["disfa"], indirect=True)
def test_only_the_choice_that_says_so_lets_the_test_fold_choose_the_epoch(name, manifest, runs, place):
    spoilt = _spoilt(manifest, place / "spoilt-choice" / name, PEOPLE[name][2])
    out = place / "choices"
    for choice in ("held-out", "test-fold"):
        for kind, table in (("clean", manifest), ("spoilt", spoilt)):
            changes = {"run__epoch_choice": choice, "data__fold": 2, "run__output": out / f"{choice}-{kind}"}
            vlfau("train", config(name), *settings(table, **changes))
    scores = {path.name: json_of(path / CHECKPOINT / "checkpoint.json")["scores"] for path in out.iterdir()}
    assert same_weights(out / "held-out-clean" / CHECKPOINT, out / "held-out-spoilt" / CHECKPOINT)
    # The test fold's own choice is the epoch with its highest F1: turned labels choose another.
    assert scores["test-fold-clean"]["f1_macro"] != scores["test-fold-spoilt"]["f1_macro"]
    assert json_of(out / "held-out-clean" / "config.json")["run"]["epoch_choice"] == "held-out"


def test_a_run_of_one_fold_is_not_resumed_as_another(name, manifest, runs, capsys):
    before = weights_of(runs / "fold1" / CHECKPOINT)
    changes = {"data__fold": 2, "run__output": runs / "fold1"}
    vlfau("train", config(name), "--resume", *settings(manifest, **changes), code=2)
    said = capsys.readouterr().err
    assert "data.fold" in said
    after = weights_of(runs / "fold1" / CHECKPOINT)
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_a_checkpoint_is_evaluated_on_its_own_fold_alone(name, manifest, runs, place, capsys):
    checkpoint, out = runs / "fold2" / CHECKPOINT, place / "evaluated" / name
    vlfau("evaluate", checkpoint, manifest, "--out", out, "--frames", 2)
    again, first = json_of(out / "scores.json"), json_of(runs / "fold2" / "scores.json")
    for key in ("fold", "frames", "subjects", "f1_per_au", "roc_auc_per_au", "accuracy_per_au", "words"):
        assert again[key] == first[key], key
    assert again["fold"] == 2
    capsys.readouterr()
    for fold, words in ((1, "was trained on fold 1"), ("2,1", "--fold takes one number")):
        vlfau("evaluate", checkpoint, manifest, "--out", place / "wrong" / name, "--fold", fold, code=2)
        assert words in " ".join(capsys.readouterr().err.split())
    assert not (place / "wrong" / name / "scores.json").exists()


def test_thresholds_come_from_the_training_folds_alone(name, manifest, runs, place, capsys):
    checkpoint, out = runs / "fold2" / CHECKPOINT, place / "calibrated" / name
    spoilt = _spoilt(manifest, place / "spoilt-calibration" / name, PEOPLE[name][2])
    vlfau("calibrate", checkpoint, manifest, out / "clean")
    vlfau("calibrate", checkpoint, spoilt, out / "spoilt")
    thresholds = [json_of(out / kind / "checkpoint.json")["thresholds"] for kind in ("clean", "spoilt")]
    assert thresholds[0] == thresholds[1]
    assert same_weights(out / "clean", out / "spoilt")
    assert not same_weights(out / "clean", checkpoint)
    vlfau("evaluate", out / "clean", manifest, "--out", out / "scores", "--no-describe")
    scores, predictions = json_of(out / "scores" / "scores.json"), answers_of(out / "scores")
    assert scores["threshold"] == pytest.approx(thresholds[0])
    expected = independent_scores(
        predictions["au_ids"], predictions["au_probs"], predictions["occurrence"], thresholds[0]
    )
    for measure, per_au in expected.items():
        assert scores[f"{measure}_per_au"] == pytest.approx(per_au, abs=1e-5)
    # Whoever calibrates on the tested people, under whatever name, is told so.
    tuned = manifest.with_name("without-folds.csv")
    lines = manifest.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("image,subject,fold,")
    tuned.write_text("\n".join(line.replace("fold", "part") for line in lines[:1]) + "\n" + "\n".join(lines[1:]) + "\n")
    vlfau("calibrate", checkpoint, tuned, out / "tuned")
    capsys.readouterr()
    vlfau("evaluate", out / "tuned", manifest, "--out", out / "refused", "--no-describe", code=2)
    assert "was calibrated on test subjects" in capsys.readouterr().err
    assert not (out / "refused" / "scores.json").exists()
    vlfau("evaluate", out / "tuned", manifest, "--out", out / "marked", "--no-describe", "--allow-tuned")
    assert json_of(out / "marked" / "scores.json")["network"]["calibration"]["on_tested_people"] is True


@pytest.mark.parametrize("name", ["bp4d"], indirect=True)
def test_a_checkpoint_is_evaluated_on_another_data_set(name, runs, place):
    """BP4D's network on CK+, by the AUs that both have."""
    folder, data, out = place / "raw" / "ckplus", place / "data" / "ckplus", place / "evaluated" / "ckplus"
    make_ckplus(folder)
    vlfau("prepare", "ckplus", folder, data, "--size", 112, "--with-neutral")
    words = ("--fold", "all", "--data", "CK+", "--no-describe")
    vlfau("evaluate", runs / "fold1" / CHECKPOINT, data / "manifest.csv", "--out", out, *words)
    scores, predictions, rows = json_of(out / "scores.json"), answers_of(out), rows_of(data / "manifest.csv")
    assert scores["data"]["description"] == "CK+"
    assert scores["au_ids"] == predictions["au_ids"].tolist() == list(AU_SETS["bp4d"])
    assert predictions["occurrence"].tolist() == [[int(row[f"AU{au_id}"]) for au_id in AU_SETS["bp4d"]] for row in rows]
    expected = independent_scores(predictions["au_ids"], predictions["au_probs"], predictions["occurrence"])
    assert scores["roc_auc_per_au"] == pytest.approx(expected["roc_auc"], abs=1e-5)
    assert scores["f1_per_au"] == pytest.approx(expected["f1"], abs=1e-5)


@pytest.mark.parametrize("name", ["bp4d"], indirect=True)
def test_the_ablation_is_a_mean_over_three_folds_whose_last_row_is_the_cross_validation(name, runs, ablation):
    listed = json_of(ablation / "ablation.json")
    assert (listed["folds"], [entry["number"] for entry in listed["variants"]]) == ([1, 2, 3], [1, 2, 3, 4, 5])
    macros = []
    for entry in listed["variants"]:
        (folder,) = entry["folders"]
        parts = []
        for fold in FOLDS:
            predictions = answers_of(ablation / folder / f"fold{fold}")
            assert set(predictions["subject_ids"].tolist()) == set(PEOPLE[name][fold])
            parts.append(
                independent_scores(predictions["au_ids"], predictions["au_probs"], predictions["occurrence"])["f1"]
            )
        mean = np.mean([list(part.values()) for part in parts], axis=0)
        scores = json_of(ablation / folder / "scores.json")
        assert list(scores["f1_per_au"].values()) == pytest.approx(mean, abs=1e-5)
        macros.append(scores["f1_macro"])
    assert macros[-1] == json_of(runs / "scores.json")["f1_macro"]
    assert len(set(macros)) == len(macros)
    for fold in FOLDS:
        assert same_weights(runs / f"fold{fold}" / CHECKPOINT, ablation / "variant5-seed1" / f"fold{fold}" / CHECKPOINT)


def test_the_report_prints_these_scores_beside_the_published_ones(name, runs, place):
    number, out = {"bp4d": 2, "disfa": 1}[name], place / "report" / name
    vlfau("report", runs.parent, out)
    scores = json_of(runs / "scores.json")
    (ours,) = (
        row for row in rows_of(out / "tables" / f"table{number}-{name}-f1.csv") if row["Method"] == "ours (ours)"
    )
    for au_id in AU_SETS[name]:
        assert float(ours[f"AU{au_id}"]) == pytest.approx(100 * scores["f1_per_au"][str(au_id)], abs=0.051)
    assert float(ours["Avg."]) == pytest.approx(100 * scores["f1_macro"], abs=0.051)
    assert (out / "report.html").is_file()


def test_the_descriptions_of_a_manifest_say_what_its_labels_say(name, manifest, place, capsys):
    texts = place / f"{name}.jsonl"
    vlfau("describe", manifest, texts)
    vlfau("describe", manifest, "--check", texts)
    lines = texts.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(rows_of(manifest))
    active = next(
        (place, au_id, entry["text"])
        for place, line in enumerate(lines)
        for au_id, entry in json.loads(line)["aus"].items()
        if entry is not None and entry["active"]
    )
    inactive = next(
        entry["text"]
        for line in lines
        if (entry := json.loads(line)["aus"][active[1]]) is not None and not entry["active"]
    )
    lines[active[0]] = lines[active[0]].replace(active[2], inactive)
    texts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    capsys.readouterr()
    vlfau("describe", manifest, "--check", texts, code=2)
    assert f"AU{active[1]}" in capsys.readouterr().out


def _spoilt(manifest, folder, people):
    """Copy a prepared data set with noise for the faces of some people, and every label of theirs turned around."""
    shutil.copytree(manifest.parent, folder)
    rng = np.random.default_rng(0)
    lines = []
    rows = rows_of(manifest)
    for row in rows:
        if row["subject"] in people:
            noise = rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / row["image"])
            labels = [column for column in row if column.startswith("AU") and "_" not in column]
            row |= {column: {"0": "1", "1": "0", "": ""}[row[column]] for column in labels}
            row |= {f"{column}_intensity": "" for column in labels if f"{column}_intensity" in row}
        lines.append(",".join(row.values()))
    path = folder / "manifest.csv"
    path.write_text("\n".join([",".join(rows[0]), *lines]) + "\n", encoding="utf-8")
    return path
