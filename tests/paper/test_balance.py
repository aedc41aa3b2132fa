import itertools
import statistics

import pytest
from matplotlib.text import Annotation

from tests.paper.built_runs import Data, publish, write_ablation, write_crossval
from vlfau.paper.balance import balance_of, draw_balance, published_balances
from vlfau.paper.runs import Runs, find_runs


def test_gains_and_variances_follow_their_definitions():
    circles = {circle.name: circle for circle in published_balances()}
    assert circles["JAA-Net"].gain == 0
    assert circles["VL-FAU"].gain == pytest.approx(100 * (65.8 / 60.0 - 1) + 100 * (66.5 / 56.0 - 1))
    cells = [60.9, 56.4, 74.0, 46.3, 60.8, 72.4, 94.3, 66.5]
    assert circles["VL-FAU"].variances[1] == pytest.approx(statistics.fmean([(cell - 66.45) ** 2 for cell in cells]))
    assert "LGRNet" not in circles
    assert {name for name, circle in circles.items() if circle.doubtful} == {"HMP-PS", "UGN-B"}


def test_the_labels_of_published_methods_do_not_cover_each_other():
    (drawing,), _ = draw_balance(Runs((), ()))
    drawing.figure.draw_without_rendering()
    labels = [child for child in drawing.figure.axes[0].get_children() if isinstance(child, Annotation)]
    boxes = [label.get_window_extent() for label in labels]
    assert len(labels) == 11
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_variants_on_both_presets_get_a_figure_relative_to_variant_1(tmp_path):
    for au_set in ("bp4d", "disfa"):
        write_ablation(tmp_path / au_set, Data(tmp_path / "data", au_set), seeds=(1,))
    (_, drawing), notes = draw_balance(find_runs(tmp_path))
    assert drawing.synthetic
    assert notes == ()
    labels = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert "(1) baseline" in labels
    assert sum(label.endswith(" %") and "+" in label for label in labels) == 4


def test_one_preset_alone_is_noted_and_never_mixed_with_published_methods(tmp_path, data):
    write_crossval(tmp_path / "cv", data)
    write_ablation(tmp_path / "ab", data, seeds=(1,))
    drawings, notes = draw_balance(find_runs(tmp_path))
    assert [drawing.synthetic for drawing in drawings] == [False]
    assert "needs" in notes[0]


def test_real_runs_on_both_data_sets_join_the_published_methods(tmp_path):
    for au_set in ("bp4d", "disfa"):
        real = Data(tmp_path / "data", au_set, synthetic=False, description=au_set.upper())
        write_crossval(tmp_path / au_set, real)
    (drawing,), _ = draw_balance(find_runs(tmp_path))
    assert any(text.get_text().startswith("ours‡\n") for text in drawing.figure.axes[0].texts)
    assert "‡: not the whole published test set" in drawing.caption
    for au_set in ("bp4d", "disfa"):
        publish(tmp_path / au_set, au_set)
    (drawing,), _ = draw_balance(find_runs(tmp_path))
    assert any(text.get_text().startswith("ours\n") for text in drawing.figure.axes[0].texts)
    assert "‡" not in drawing.caption


def test_a_run_of_one_fold_is_no_circle_among_methods_of_three(tmp_path):
    for au_set in ("bp4d", "disfa"):
        write_crossval(tmp_path / au_set, Data(tmp_path / "data", au_set, synthetic=False, description=au_set.upper()))
    file = tmp_path / "disfa" / "crossval.json"
    file.write_text(file.read_text().replace("[1, 2, 3]", "[1]"))
    (drawing,), _ = draw_balance(find_runs(tmp_path))
    assert not any(text.get_text().startswith("ours") for text in drawing.figure.axes[0].texts)


def test_measured_methods_are_compared_with_the_chosen_one():
    plain, other = balance_of({"plain": ((40, 60), (20, 20)), "other": ((55, 55), (20, 24))}, "plain")
    assert (plain.variances, plain.gain) == ((100, 0), 0)
    assert other.variances == (0, 4)
    assert other.gain == pytest.approx(10 + 10)
