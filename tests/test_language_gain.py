"""The study of language: what it trains, and how it pairs what came out."""

import json
from dataclasses import replace

import numpy as np
import pytest
from studies.language_gain import (
    FULL,
    NAMES,
    Gain,
    Plan,
    folder_source,
    gain,
    main,
    planned,
    run_folder,
    variant_config,
    write_report,
)

from tests.paper.built_runs import Data, write_run
from tests.training.conftest import toy_config, toy_file  # noqa: F401


def test_the_controls_differ_from_the_variants_by_one_thing(toy_config):  # noqa: F811
    config = toy_config()
    full = variant_config(config, FULL, seed=2, size=10)
    assert full.model.local_language
    assert full.model.global_language
    assert (full.run.seed, full.data.train_subjects, full.run.active_first) == (2, 10, 0.5)
    shuffled = variant_config(config, "shuffled", seed=2, size=10)
    assert (shuffled.model, shuffled.run.caption_control) == (full.model, "shuffled")
    states = variant_config(config, "states", seed=2, size=10)
    assert states.model.method == "described-states"
    assert states.model.multi_scale
    assert not states.model.local_language
    assert not states.model.global_language
    held = variant_config(config, "states-held", seed=2, size=10)
    assert replace(held.model, method_options={}) == states.model
    assert held.model.method_options == {"end_size": 0.6}


def test_every_variant_is_trained_with_every_seed_fold_and_size(toy_config, tmp_path):  # noqa: F811
    plan = Plan(NAMES, (1, 2), (1, 2, 3), (2, None))
    runs = list(planned(toy_config(), tmp_path, plan))
    assert len(runs) == len(NAMES) * 2 * 3 * 2
    assert len({run.run.output for run in runs}) == len(runs)
    first = runs[: len(NAMES)]
    assert {(run.data.fold, run.run.seed, run.data.train_subjects) for run in first} == {(1, 1, None)}


@pytest.fixture
def finished(tmp_path):
    """Return a function that writes the runs of two variants: with equal predictions, or the second's worse."""
    data = Data(tmp_path / "data")

    def write(error):
        plan = Plan(("2", FULL), (1, 2), (1, 2), (None,))
        for seed in plan.seeds:
            for fold in plan.folds:
                for name, wrong, level in (("2", error, 0.5), (FULL, 0.1, 0.6)):
                    folder = run_folder(tmp_path / "out", name, seed=seed, size=None) / f"fold{fold}"
                    write_run(folder, data, level=level, fold=fold, error=wrong, seed=10 * seed + fold, words=False)
        return plan

    return write


def test_equal_predictions_have_no_gain_and_no_spread(finished, tmp_path):
    found = gain(folder_source(tmp_path / "out"), FULL, "2", finished(0.1), size=None)
    assert found.interval == (0, 0)
    assert found.subjects == 10


def test_a_better_variant_has_a_gain_whose_interval_excludes_zero(finished, tmp_path):
    found = gain(folder_source(tmp_path / "out"), FULL, "2", finished(0.3), size=None)
    assert found.mean == pytest.approx(9.9)  # of the scores
    assert found.interval[0] > 0


def test_a_small_gain_needs_more_people():
    found = Gain("5", "2", 1.0, (-0.96, 2.96), 41)  # a standard error of 1 point
    assert found.needed(1.1) == int(np.ceil(41 * (2.8 / 1.1) ** 2))
    assert found.needed(0.4) > 7 * found.needed(1.1)


def test_the_report_says_gains_and_needs(finished, tmp_path):
    plan = finished(0.3)
    text = write_report(folder_source(tmp_path / "out"), "drawn faces", tmp_path / "out", plan)
    assert "| all | (5) MARL + LLGA + GLGA | 4 | 61.0 | - | +9.9 [" in text
    assert "BP4D has 41" in text
    rows = json.loads((tmp_path / "out" / "study.json").read_text())["rows"]
    assert rows[1]["over_2"]["mean"] == pytest.approx(9.9)


def test_an_unknown_variant_is_refused(toy_file, tmp_path, capsys):  # noqa: F811
    assert main([str(toy_file), str(tmp_path / "out"), "--variants", "1,magic", "--folds", "1"]) == 2
    assert "unknown variants magic" in capsys.readouterr().err


@pytest.mark.slow
def test_the_study_trains_resumes_and_reports(toy_file, tmp_path, capsys):  # noqa: F811
    words = [
        str(toy_file),
        str(tmp_path / "out"),
        "--seeds",
        "1",
        "--people",
        "2,all",
        "--variants",
        "2,5,shuffled,states",
    ]
    words += ["--set", "run.max_epochs=1", "--folds", "1"]
    with pytest.raises(SystemExit):
        main(["--help"])
    assert main(words) == 0
    assert (tmp_path / "out" / "study.md").read_text().count("| all |") == 4
    capsys.readouterr()
    assert main([*words, "--report"]) == 0
    assert "shuffled" in capsys.readouterr().out
