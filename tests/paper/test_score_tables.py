import dataclasses
import json
import re

import pytest

from tests.paper.built_runs import Data, amend, publish, write_ablation, write_crossval
from vlfau.paper.data_coverage import MARKS
from vlfau.paper.measures import measure_tables
from vlfau.paper.runs import find_runs
from vlfau.paper.score_tables import comparison_tables
from vlfau.paper.table_formats import Mark, to_csv, to_latex, to_markdown


def tables_of(folder):
    return {table.key: table for table in comparison_tables(find_runs(folder))}


@pytest.fixture
def real(tmp_path):
    return Data(tmp_path / "data", "bp4d", synthetic=False, description="BP4D")


def test_a_synthetic_run_stands_in_tables_of_its_own_that_say_so(tmp_path, data):
    for changes in ({}, {"au_set": "bp4d", "description": "BP4D"}):
        chosen = dataclasses.replace(data, **changes)
        write_crossval(tmp_path / f"cv-{chosen.au_set}", chosen)
        write_ablation(tmp_path / f"ab-{chosen.au_set}", chosen, seeds=(1,))
    tables = tables_of(tmp_path)
    for key, table in tables.items():
        if re.match(r"table\d", key):
            assert not table.synthetic
            assert not any(row.ours for row in table.rows), key
        else:
            assert table.synthetic
            assert "synthetic" in table.title
            assert all(row.ours for row in table.rows), key
    assert {"synthetic1-f1", "synthetic2-accuracy", "synthetic2-ablation"} <= tables.keys()


def test_a_run_on_the_real_data_set_joins_the_published_rows_and_can_be_the_best(tmp_path, real):
    write_crossval(tmp_path / "cv", real, name="mine", level=0.7)
    publish(tmp_path / "cv", "bp4d")
    tables = tables_of(tmp_path)
    table = tables["table2-bp4d-f1"]
    row = table.rows[-1]
    assert row.title == "mine (ours)"
    assert "146,847 of 146,847 frames, 41 of 41 subjects" in dict(table.footnotes)[row.cells[-1].footnote]
    assert row.cells[-1].value == pytest.approx(74.5)
    assert table.mark(row, 12) is Mark.BEST
    published = next(row for row in table.rows if row.labels[0] == "VL-FAU")
    assert table.mark(published, 12) is Mark.SECOND
    assert not any(key.startswith(("other", "synthetic")) for key in tables)


def test_a_row_of_fewer_frames_than_were_published_is_marked_and_not_ranked(tmp_path, real):
    write_crossval(tmp_path / "cv", real, name="mine", level=0.7)
    table = tables_of(tmp_path)["table2-bp4d-f1"]
    row = table.rows[-1]
    assert row.title == "mine (ours)‡"
    assert "180 of 146,847 frames, 30 of 41 subjects" in dict(table.notes)[row.cells[-1].footnote]
    assert "not the whole published test set, so the row is not ranked" in dict(table.notes)["‡"]
    assert {table.mark(row, column) for column in range(13)} == {Mark.NONE}
    published = next(row for row in table.rows if row.labels[0] == "VL-FAU")
    assert table.mark(published, 12) is Mark.BEST


def test_frames_without_a_face_are_counted_in_a_row_that_is_ranked(tmp_path, real):
    write_crossval(tmp_path / "cv", real, name="mine", level=0.7)
    publish(tmp_path / "cv", "bp4d")
    figures = {"f1_macro": 0.7, "accuracy_macro": 0.8, "f1_per_au": {"1": 0.6}, "accuracy_per_au": {"1": 0.9}}
    for fold, subjects in ((1, 13), (2, 14), (3, 14)):
        frames = json.loads((tmp_path / "cv" / f"fold{fold}" / "scores.json").read_text())["frames"]
        amend(tmp_path / "cv" / f"fold{fold}", frames=frames - 10, subjects=subjects - 1)
        amend(tmp_path / "cv" / f"fold{fold}", lost_frames={"frames": 10, "subjects": subjects, **figures})
    for key, first, mean in (("table2-bp4d-f1", 60.0, 70.0), ("table3-bp4d-accuracy", 90.0, 80.0)):
        table = tables_of(tmp_path)[key]
        found, whole = table.rows[-2:]
        assert (found.title, whole.title) == ("mine (ours)‡", "mine, all frames (ours)")
        assert (whole.cells[0].value, whole.cells[-1].value) == (pytest.approx(first), pytest.approx(mean))
        notes = dict(table.notes)
        assert "146,817 of 146,847 frames, 30 more without a face, 38 of 41" in notes[found.cells[-1].footnote]
        assert "count as inactive in frames without a face" in notes[whole.cells[-1].footnote]
        assert table.mark(found, 12) is Mark.NONE
        assert table.mark(whole, 12) is not Mark.NONE


@pytest.mark.parametrize(
    ("network", "sign"),
    [
        ({"epoch_choice": "test-fold"}, "†"),
        ({"epoch_choice": "held-out"}, ""),
        ({"calibration": {"source": "other-manifest", "on_tested_people": True}}, "§"),
        ({"calibration": {"source": "training-folds", "on_tested_people": False}}, ""),
    ],
)
def test_rows_that_saw_the_tested_people_are_marked_in_every_table_and_form(tmp_path, data, network, sign):
    write_crossval(tmp_path / "cv", data, name="mine")
    write_ablation(tmp_path / "ab", data, seeds=(1,))
    amend(tmp_path / "cv" / "fold2", network=network)
    amend(tmp_path / "ab" / "variant3-seed1", network=network)
    runs = find_runs(tmp_path)
    tables = tables_of(tmp_path)
    assert tables["synthetic1-f1"].rows[0].title == f"mine{sign}"
    titles = [row.title for row in tables["synthetic1-ablation"].rows]
    assert titles[1:3] == ["(2) + MARL", f"(3) + LLGA{sign}"]
    by_fold, _, by_variant = measure_tables(runs)
    assert by_fold.heads[0] == f"Mean over folds{sign}"
    assert by_fold.heads[2:] == ("Fold 1", f"Fold 2{sign}", "Fold 3")
    assert by_variant.heads[2] == f"(3) + LLGA{sign}"
    for table in (tables["synthetic1-f1"], tables["synthetic1-ablation"], by_fold, by_variant):
        assert [mark for mark, _ in table.notes if mark in MARKS] == list(sign)
        for write in (to_markdown, to_latex):
            assert ("the score is better than on new" in write(table)) == bool(sign)
    first = tables["synthetic1-f1"]
    assert f"| mine{sign} |" in to_markdown(first)
    assert ({"†": r"mine\textdagger{} &", "§": r"mine\S{} &", "": "mine &"}[sign]) in to_latex(first)
    assert ("the score is better than on new" in to_csv(first)) == bool(sign)


def test_scores_that_do_not_say_how_the_epoch_was_chosen_count_as_chosen_by_the_test_fold(tmp_path, data):
    write_crossval(tmp_path / "cv", data, name="mine")
    path = tmp_path / "cv" / "fold1" / "scores.json"
    content = json.loads(path.read_text())
    del content["network"]["epoch_choice"]
    path.write_text(json.dumps(content))
    assert tables_of(tmp_path)["synthetic1-f1"].rows[0].title == "mine†"


def test_an_au_without_a_positive_is_named_with_the_mean_that_the_field_would_print(tmp_path, real):
    write_crossval(tmp_path / "cv", real, name="mine")
    amend(tmp_path / "cv" / "fold2", without_positives=[23])
    amend(tmp_path / "cv", f1_macro_zeros=0.561)
    tables = tables_of(tmp_path)
    notes = dict(tables["table2-bp4d-f1"].notes).values()
    said = (
        "AU23 is never active and excluded from the mean; if it counted as 0, as in published evaluation scripts, "
        "the average would be 56.1"
    )
    assert any(said in note for note in notes)
    assert not any("never active" in note for _, note in tables["table3-bp4d-accuracy"].notes)
    by_fold, _ = measure_tables(find_runs(tmp_path))
    assert "F1, mean over AUs, 0 for AUs without positives" in {row.labels[0] for row in by_fold.rows}


def test_an_ablation_of_one_fold_is_not_ranked_among_the_published_rows(tmp_path, real):
    write_ablation(tmp_path / "ab", real, name="parts", seeds=(1,))
    table = tables_of(tmp_path)["table4-ablation"]
    row = table.rows[-1]
    assert row.title.endswith("‡")
    assert any("60 of 146,847 frames, 10 of 41 subjects" in note for _, note in table.notes)
    assert {table.mark(row, column) for column in range(13)} == {Mark.NONE}


@pytest.mark.parametrize("description", ["BP4D+", "our laboratory's videos", ""])
def test_other_real_faces_with_the_same_aus_do_not_join(tmp_path, real, description):
    write_crossval(tmp_path / "cv", dataclasses.replace(real, description=description))
    tables = tables_of(tmp_path)
    assert not any(row.ours for row in tables["table2-bp4d-f1"].rows)
    assert "real faces" in tables["other1-f1"].title


@pytest.mark.parametrize("au_set", ["ckplus", "disfaplus"])
def test_a_data_set_that_is_in_none_of_the_papers_tables_has_its_own(tmp_path, real, au_set):
    write_crossval(tmp_path / "cv", dataclasses.replace(real, au_set=au_set, description=au_set), level=0.3)
    tables = tables_of(tmp_path)
    assert [row.labels for row in tables["other1-f1"].rows] != []
    assert f"real faces ({au_set})" in tables["other1-f1"].title


def test_the_ablation_shows_settings_means_over_seeds_and_their_deviation(tmp_path, data):
    write_ablation(tmp_path / "ab", data, level=0.5, seeds=(1, 3))
    rows = tables_of(tmp_path)["synthetic1-ablation"].rows
    assert [row.labels for row in rows][1:4] == [
        ("(2) + MARL", "✓", "-", "-"),
        ("(3) + LLGA", "✓", "✓", "-"),
        ("(4) + GLGA", "✓", "-", "✓"),
    ]
    top5 = rows[0].cells[-2]
    assert (top5.value, top5.detail) == (pytest.approx(74.0), "± 1.4")  # 73 and 75


def test_a_row_of_one_fold_is_shown_and_not_ranked_among_the_published_ones(tmp_path, real):
    write_crossval(tmp_path / "cv", real, name="mine", level=0.7)
    write_ablation(tmp_path / "ab", real, name="parts", level=0.62, seeds=(1,), folds=(1, 2, 3))
    for variant in range(1, 6):
        amend(tmp_path / "ab" / f"variant{variant}-seed1", frames=146_847, subjects=41)
    crossval_file = tmp_path / "cv" / "crossval.json"
    crossval_file.write_text(crossval_file.read_text().replace("[1, 2, 3]", "[2]"))
    tables = tables_of(tmp_path)
    table = tables["table2-bp4d-f1"]
    row, published = table.rows[-1], next(row for row in table.rows if row.labels[0] == "VL-FAU")
    assert row.cells[-1].value == pytest.approx(74.5)
    assert table.mark(row, 12) is Mark.NONE
    assert table.mark(published, 12) is Mark.BEST
    assert "fold 2, threshold 0.5" in dict(table.footnotes)[row.cells[-1].footnote]
    assert "not ranked" in dict(table.footnotes)[row.cells[-1].footnote]
    whole = tables["table4-ablation"]
    assert whole.mark(whole.rows[-1], 12) is Mark.BEST
    start = "parts: fold 1, 2, 3, threshold 0.5, stem without ImageNet weights; "
    assert any(text.startswith(start) for text in dict(whole.footnotes).values())


@pytest.mark.parametrize(("folds", "one_fold_form", "named"), [((2,), False, "fold 2"), ((3,), True, "fold 3")])
def test_an_ablation_of_one_fold_names_it_and_is_not_ranked(tmp_path, real, folds, one_fold_form, named):
    write_ablation(tmp_path / "ab", real, level=0.62, seeds=(1,), folds=folds, one_fold_form=one_fold_form)
    table = tables_of(tmp_path)["table4-ablation"]
    ours = [row for row in table.rows if row.ours]
    assert len(ours) == 5
    assert {table.mark(row, column) for row in ours for column in range(len(table.heads))} == {Mark.NONE}
    (note,) = [text for _, text in table.footnotes if text.startswith("parts:")]
    assert named in note
    assert "not ranked" in note


def test_word_accuracies_of_ours_say_that_the_texts_are_others_and_do_not_rank(tmp_path, real, data):
    write_ablation(tmp_path / "ab", real, level=0.6, seeds=(1,), folds=(1, 2, 3))
    write_ablation(tmp_path / "synthetic", data, seeds=(1,))
    tables = tables_of(tmp_path)
    table = tables["table4-ablation"]
    local = len(table.heads) - 2
    full = next(row for row in table.rows if row.labels[0] == "(5) published")
    ours = table.rows[-1]
    assert (full.cells[local].value, table.mark(full, local)) == (86.6, Mark.BEST)
    assert ours.cells[local].value > 86.6
    assert table.mark(ours, local) is Mark.NONE
    for shown, row in ((table, ours), (tables["synthetic1-ablation"], tables["synthetic1-ablation"].rows[-1])):
        for cell in row.cells[-2:]:
            assert "own captions" in dict(shown.footnotes)[cell.footnote]
            assert "86.6 and 64.7" in dict(shown.footnotes)[cell.footnote]


def test_published_averages_stay_as_printed_with_a_footnote(tmp_path, data):
    write_crossval(tmp_path / "cv", data)
    table = tables_of(tmp_path)["table1-disfa-f1"]
    cell = next(row for row in table.rows if row.labels[0] == "HMP-PS").cells[-1]
    assert cell.text == "61.0"
    assert "the cells is 51.1" in dict(table.footnotes)[cell.footnote]


def test_measures_hold_intervals_words_and_truth_and_leave_out_what_is_unknown(tmp_path, data):
    write_crossval(tmp_path / "cv", data, level=0.6)
    by_fold, by_au = measure_tables(find_runs(tmp_path))
    rows = {row.labels[0]: row.cells for row in by_fold.rows}
    assert by_fold.heads == ("Mean over folds", "All frames pooled", "Fold 1", "Fold 2", "Fold 3")
    assert [cell.text for cell in rows["Local captions: top-5 accuracy"]] == ["80.0", "79.0", "75.0", "80.0", "85.0"]
    mean = rows["F1, mean over AUs"][0]
    assert mean.detail == f"[{mean.value - 5:.1f}, {mean.value + 5:.1f}]"
    assert rows["Global captions: CIDEr-D"][0].text == "125.0"
    assert "ROC AUC" not in rows
    assert by_au.heads == ("F1", "Accuracy", "ECE", "Pointing game")
    assert next(row.labels for row in by_au.rows) == ("AU1", "Inner Brow Raiser")
