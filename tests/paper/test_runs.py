import json

import pytest

from tests.paper.built_runs import Data, scores, write_ablation, write_crossval, write_json
from vlfau.errors import InputError
from vlfau.paper.runs import find_runs


def damage(path, **changes):
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), **changes})


def test_runs_are_found_at_any_depth_and_in_the_folder_itself(data, tmp_path):
    write_crossval(tmp_path / "runs" / "deep" / "one", data, name="one")
    write_ablation(tmp_path / "runs" / "two", data, name="two")
    found = find_runs(tmp_path / "runs")
    assert [run.name for run in found.every] == ["one", "two"]
    assert [fold.scores.fold for fold in found.crossvals[0].folds] == [1, 2, 3]
    assert [len(variant.runs) for variant in found.ablations[0].variants] == [2] * 5
    assert find_runs(tmp_path / "runs" / "two").ablations[0].name == "two"


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match="contains no evaluated runs"):
        find_runs(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        find_runs(tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"scores.json is damaged .*; remove it, and evaluate"),
        ('{"format": 2}', r"scores.json is of another format than 1; evaluate"),
        (None, r"scores.json can't be read"),
    ],
)
def test_damaged_scores_are_refused_by_name(data, tmp_path, content, message):
    write_crossval(tmp_path / "cv", data)
    file = tmp_path / "cv" / "fold2" / "scores.json"
    file.unlink()
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"fold2.{message}"):
        find_runs(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("f1_macro", float("nan")), ("f1_macro", 1.5), ("f1_per_au", {"1": 0.5}), ("au_ids", []), ("format", 9)],
)
def test_impossible_scores_are_refused(data, tmp_path, key, value):
    write_crossval(tmp_path / "cv", data)
    damage(tmp_path / "cv" / "scores.json", **{key: value})
    with pytest.raises(InputError, match="is damaged at|is of another format"):
        find_runs(tmp_path)


def test_folds_of_other_aus_are_refused_and_both_files_named(data, tmp_path):
    write_crossval(tmp_path / "cv", data)
    write_json(tmp_path / "cv" / "fold3" / "scores.json", scores(Data(data.folder, "bp4d"), fold=3))
    with pytest.raises(InputError, match=r"fold3.scores.json scores the AUs .* and .*cv.scores.json the AUs"):
        find_runs(tmp_path)


def test_variants_on_other_faces_are_refused(data, tmp_path):
    write_ablation(tmp_path / "ab", data, seeds=(1,))
    real = Data(data.folder, synthetic=False)
    write_json(tmp_path / "ab" / "variant4-seed1" / "scores.json", scores(real))
    with pytest.raises(InputError, match="on real faces"):
        find_runs(tmp_path)


def test_the_folds_within_an_ablation_are_no_cross_validations(data, tmp_path):
    write_ablation(tmp_path / "ab", data, seeds=(1,), folds=(1, 2))
    found = find_runs(tmp_path)
    assert found.crossvals == ()
    assert found.ablations[0].folds == (1, 2)
    assert found.ablations[0].variant(5).first_fold.folder == tmp_path / "ab" / "variant5-seed1" / "fold1"


def test_an_ablation_that_names_no_fold_is_refused(data, tmp_path):
    write_ablation(tmp_path / "ab", data, seeds=(1,))
    damage(tmp_path / "ab" / "ablation.json", folds=None)
    with pytest.raises(InputError, match=r"ablation\.json is damaged .*expected 'folds'"):
        find_runs(tmp_path)


def test_what_could_not_be_measured_may_be_null_or_absent(data, tmp_path):
    write_crossval(tmp_path / "cv", data)
    damage(tmp_path / "cv" / "scores.json", words=None, truth=None, intervals=None, roc_auc_per_au=None, pooled=None)
    scores_read = find_runs(tmp_path).crossvals[0].scores
    assert scores_read.words == {}
    assert scores_read.whole is scores_read
    assert scores_read.per_au("pointing_game_per_au") == {}
