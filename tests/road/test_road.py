"""A lab's way from its disks to the paper's tables, on two miniature releases with drawn faces."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.road.releases import PEOPLE
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


def test_scores_are_those_of_an_independent_calculation(name, release, manifest, runs):
    labels = {row["image"]: row for row in rows_of(manifest)}
    whole = json_of(runs / "scores.json")
    parts = []
    for fold in FOLDS:
        answers, scores = answers_of(runs / f"fold{fold}"), json_of(runs / f"fold{fold}" / "scores.json")
        assert set(answers["subject_ids"].tolist()) == set(PEOPLE[name][fold])
        assert answers["au_ids"].tolist() == list(AU_SETS[name])
        for image, occurrence in zip(answers["images"].tolist(), answers["occurrence"], strict=True):
            cells = [labels[image][f"AU{au_id}"] for au_id in AU_SETS[name]]
            assert occurrence.tolist() == [int(cell or -1) for cell in cells]
        assert len(answers["images"]) == sum(row["fold"] == str(fold) for row in labels.values())
        expected = independent_scores(answers["au_ids"], answers["au_probs"], answers["occurrence"])
        for measure, per_au in expected.items():
            assert scores[f"{measure}_per_au"] == pytest.approx(per_au, abs=1e-5)
            assert scores[f"{measure}_macro"] == pytest.approx(np.mean(list(per_au.values())), abs=1e-5)
        assert any(0 < value < 1 for value in expected["f1"].values())  # else a fault could hide
        parts.append((answers, expected))
    for measure in ("f1", "accuracy", "roc_auc"):
        means = {str(au_id): np.mean([part[measure][str(au_id)] for _, part in parts]) for au_id in AU_SETS[name]}
        assert whole[f"{measure}_per_au"] == pytest.approx(means, abs=1e-5)
        assert whole[f"{measure}_macro"] == pytest.approx(np.mean(list(means.values())), abs=1e-5)
    together = [np.concatenate([answers[key] for answers, _ in parts]) for key in ("au_probs", "occurrence")]
    pooled = independent_scores(parts[0][0]["au_ids"], *together)
    for measure, per_au in pooled.items():
        assert whole["pooled"][f"{measure}_per_au"] == pytest.approx(per_au, abs=1e-5)


def test_nothing_of_the_test_fold_reaches_the_network(name, manifest, runs, place):
    """Spoil pictures and labels of the test fold, train again: the network must be the same, bit for bit."""
    spoilt = _spoilt(manifest, place / "spoilt" / name, PEOPLE[name][2])
    out = place / "runs-spoilt" / name
    vlfau("crossval", config(name), "--out", out, "--folds", 2, "--no-describe", *settings(spoilt))
    assert same_weights(runs / "fold2" / CHECKPOINT, out / "fold2" / CHECKPOINT)
    # The same damage to one person who trains is felt, so the comparison can fail.
    spoilt = _spoilt(manifest, place / "spoilt-training" / name, PEOPLE[name][1][:1])
    out = place / "runs-spoilt-training" / name
    vlfau("crossval", config(name), "--out", out, "--folds", 2, "--no-describe", *settings(spoilt))
    assert not same_weights(runs / "fold2" / CHECKPOINT, out / "fold2" / CHECKPOINT)


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
