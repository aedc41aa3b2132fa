"""Short trainings on what frozen stages see, their records, and the tables made from them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from studies import language_short, methods
from studies.short_runs import Budget, Job, Record, draw_figure_3, finish, read_records
from studies.views import Views

from tests.training.conftest import toy_config, toy_file  # noqa: F401
from tests.training.test_rivals import NO_WORDS, add_clips
from vlfau.errors import InputError
from vlfau.facs import AU_SETS
from vlfau.model import build_network

ROOT = Path(__file__).parents[1]
FACEMESH = ("model.backbone=facemesh", "model.backbone_options={}", "model.normalise=true", "data.fold=1")


def record(name="baseline", data="disfa-like-short", fold=1, *, seed=1, size=None, hits=8, steps=500):
    """Return a run that found `hits` of 10 active frames of every AU and person, without false alarms."""
    aus = AU_SETS[data.split("-")[0]]
    people = [f"{fold}{letter}" for letter in "ABCD"]
    counts = [[[hits] * len(aus), [0] * len(aus), [10 - hits] * len(aus), [10] * len(aus)]] * len(people)
    costs = {"parameters": 1000, "flops": 10**6, "ms_per_face": 2.0, "seconds": 60.0, "cpu_seconds": 36.0}
    about = {"name": name, "data": data, "fold": fold, "seed": seed, "size": size, "budget": {"steps": steps}}
    return Record(**about, au_ids=aus, subjects=people, counts=counts, auc=0.8, losses={}, **costs)


@pytest.fixture
def views(toy_config, tmp_path):  # noqa: F811
    config = toy_config(*FACEMESH, "augmentation.tilt=10")
    return Views(config, 2, tmp_path / "views", print)


def test_known_features_score_faces_as_the_whole_network_does(views, toy_config):  # noqa: F811
    torch.manual_seed(0)
    config = toy_config(*FACEMESH, *NO_WORDS)
    network = build_network(config.model, au_ids=(1, 4, 12, 25), vocabulary_size=4).eval()
    batch, known = views.batch([0, 5, 9], [2, 2, 2], 0)
    with torch.inference_mode():
        whole = network.encode(batch.faces).au_logits
        levels = network.stem.backbone.levels(known)
        features = network.stem.merge(levels).flatten(1, 2)
        assert torch.allclose(network.classifier(features.mean(1)[:, None].expand(-1, 4, -1)), whole, atol=0.02)
    assert known.dtype == torch.float32


def test_views_vary_and_are_computed_once(views, toy_config, tmp_path):  # noqa: F811
    assert views.features.shape[:2] == (3, 16)
    assert not np.array_equal(views.faces[0, 3], views.faces[1, 3])
    assert views.labels[2].occurrence[3].tolist() == [1, 1, 0, 0]  # frame 3 is 1 and 2
    said = []
    Views(toy_config(*FACEMESH, "augmentation.tilt=10"), 2, tmp_path / "views", said.append)
    assert said == []
    Views(toy_config(*FACEMESH, "augmentation.tilt=11"), 2, tmp_path / "views", said.append)
    assert len(said) == 1


def test_runs_that_are_recorded_are_not_made_again(toy_config, tmp_path, capsys):  # noqa: F811
    add_clips(tmp_path / "manifest.csv")
    words = toy_config(*FACEMESH)
    silent = [toy_config(*FACEMESH, *NO_WORDS, f"model.method={name}") for name in ("vl-fau", "kdsrl", "ks")]
    silent[2] = replace(silent[2], model=replace(silent[2].model, method_options={"clip_length": 4}))
    jobs = [Job(name, config) for name, config in zip(("plain", "kdsrl", "ks"), silent, strict=True)]
    jobs.append(Job("full", words))
    budget, path, said = Budget(steps=3, batch_size=4, views=1), tmp_path / "records.jsonl", []
    finish(jobs, path, budget, cache=tmp_path / "views", announce=said.append)
    records = read_records(path)
    assert [each.key for each in records] == [job.key(budget) for job in jobs]
    assert len(said) == 5  # and the views
    for each in records:
        assert np.asarray(each.counts).shape == (1, 4, 4)
        assert np.asarray(each.counts).sum((0, 1)).tolist() == [8] * 4  # the test fold
        assert each.losses
    assert "loss_local" in records[3].losses
    assert "loss_teacher" in records[2].losses
    finish(jobs, path, budget, cache=tmp_path / "views", announce=said.append)
    assert (len(said), read_records(path)) == (5, records)
    more = replace(budget, steps=1)
    finish(jobs[:1], path, more, cache=tmp_path / "views", announce=said.append)
    assert len(read_records(path)) == 5


def test_equal_seeds_give_equal_runs(toy_config, tmp_path):  # noqa: F811
    jobs = [Job("plain", toy_config(*FACEMESH, *NO_WORDS, f"run.seed={seed}")) for seed in (1, 1, 2)]
    found = []
    for number, job in enumerate(jobs):
        path = tmp_path / f"{number}.jsonl"
        finish([job], path, Budget(steps=3, batch_size=4, views=1), cache=tmp_path / "views", announce=found.append)
    losses = [read_records(tmp_path / f"{number}.jsonl")[0].losses for number in range(3)]
    assert losses[0] == losses[1] != losses[2]


def test_a_line_that_was_cut_off_is_no_run_and_a_damaged_one_is_named(tmp_path):
    path = tmp_path / "records.jsonl"
    assert read_records(path) == []
    record().append(path)
    with path.open("a") as file:
        file.write('{"name": "cut')
    assert [each.name for each in read_records(path)] == ["baseline"]
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError, match="line 2, is no finished run"):
        read_records(path)


def test_every_method_has_three_runs_on_both_data_sets():
    jobs = methods.planned()
    assert len(jobs) == 13 * 2 * 3
    assert len({job.key(Budget()) for job in jobs}) == len(jobs)
    assert {job.config.data.fold for job in jobs[:26]} == {1}  # so that a fold is soon compared
    assert {job.config.optimiser for job in jobs} == {jobs[0].config.optimiser}
    assert {job.config.augmentation for job in jobs} == {jobs[0].config.augmentation}


def test_a_table_pairs_methods_by_people_and_says_which_folds_are_missing(tmp_path):
    records = [record(fold=fold) for fold in (1, 2, 3)]
    records += [record("sev-net", fold=fold, hits=9) for fold in (1, 2, 3)] + [record("ks", hits=10)]
    records.append(record("sev-net", "bp4d-like-short"))
    path, document = tmp_path / "records.jsonl", tmp_path / "page.md"
    for each in records:
        each.append(path)
    document.write_text("before\n<!-- methods -->\nSTALE\n<!-- end of methods -->\nafter\n")
    assert methods.main(["--records", str(path), "--docs", str(document), "--report", str(tmp_path)]) == 0
    text = document.read_text()
    assert text.startswith("before\n<!-- methods -->\n\n8 of 78 runs are finished")
    assert text.endswith("<!-- end of methods -->\nafter\n")
    assert "STALE" not in text
    disfa = text[text.index("preset disfa-like") :]
    rows = {line.split("|")[1].strip(): line for line in disfa.splitlines() if line.startswith("|")}
    assert "94.7 [94.7, 94.7]" in rows["sev-net (re-run)"]  # 2 * 9 / (2 * 9 + 1)
    assert "5.8 [5.8, 5.8]" in rows["sev-net (re-run)"]  # less 88.9 of the baseline
    assert "ks (re-run, 1 of 3 folds)" in rows
    assert (tmp_path / "methods1.csv").is_file()
    assert "Longer trainings" not in text
    document.write_text("nothing")
    assert methods.main(["--records", str(path), "--docs", str(document)]) == 2


def test_longer_trainings_stand_beside_the_short_ones(tmp_path):
    records = [record(fold=fold, hits=8, steps=steps) for fold in (1, 2, 3) for steps in (500, 2000)]
    records += [record("ks", fold=fold, hits=5) for fold in (1, 2, 3)]
    records += [record("ks", fold=fold, hits=9, steps=2000) for fold in (1, 2, 3)]
    records.append(record("sev-net", hits=9, steps=2000))
    path, document = tmp_path / "records.jsonl", tmp_path / "page.md"
    for each in records:
        each.append(path)
    document.write_text("<!-- methods -->\n<!-- end of methods -->\n")
    assert methods.main(["--records", str(path), "--docs", str(document)]) == 0
    text = document.read_text()
    assert text.startswith("<!-- methods -->\n\n6 of 78 runs")
    assert "7 of 78 runs of 2,000 steps are finished" in text
    rows = {line.split("|")[1].strip(): line for line in text[text.index("Longer") :].splitlines() if "|" in line}
    assert rows["baseline"] == "| baseline | - | - | 88.9 | 88.9 |"
    assert rows["ks"] == "| ks | - | - | 66.7 (-22.2 [-22.2, -22.2]) | 94.7 (+5.8 [+5.8, +5.8]) |"
    assert rows["sev-net"] == "| sev-net | - | - | - | 94.7, 1 of 3 folds (+5.8 [+5.8, +5.8]) |"
    assert "66.7 [" in text[: text.index("Longer")]
    assert "94.7 [" not in text[: text.index("Longer")]


def test_figure_3_shows_the_methods_with_runs_on_both_data_sets(tmp_path):
    data = ("bp4d-like-short", "disfa-like-short")
    records = [record(data=key) for key in data] + [record("ks", data[0])]
    titles, path = {"baseline": "plain", "ks": "KS"}, tmp_path / "images" / "figure.jpg"
    assert not draw_figure_3(records[:1], data, titles, path)
    assert draw_figure_3(records, data, titles, path)
    alone = path.read_bytes()
    assert draw_figure_3([*records, record("ks", data[1], hits=9)], data, titles, path)
    assert path.read_bytes() != alone


def test_the_study_of_language_pairs_variants_by_seed_and_fold(tmp_path, capsys):
    jobs = language_short.planned()
    assert len(jobs) == 8 * 3 * 5 * 2 * 3
    assert {job.config.data.train_subjects for job in jobs} == {5, 10, 20, None}
    assert len({(job.config.data.fold, job.config.run.seed, job.config.data.manifest) for job in jobs[:8]}) == 1
    path, document = tmp_path / "records.jsonl", tmp_path / "page.md"
    for name, hits in (("2", 8), ("5", 9)):
        record(name, hits=hits).append(path)
    record("5", seed=2).append(path)  # without a partner
    document.write_text("<!-- language -->\n<!-- end of language -->\n")
    assert language_short.main(["--records", str(path), "--docs", str(document), "--report", str(tmp_path)]) == 0
    text = document.read_text()
    assert "3 of 720 runs are finished" in text
    assert "| all | (5) MARL + LLGA + GLGA | 2 | 91.8 | - | +5.8 [+5.8, +5.8] |" in text
    rows = json.loads((tmp_path / "disfa-like-short" / "study.json").read_text())["rows"]
    assert [row["runs"] for row in rows] == [1, 2]
    assert rows[1]["over_2"]["pairs"] == 1
    assert "longer runs" not in text
    record("5", hits=10, steps=2000).append(path)
    assert language_short.main(["--records", str(path), "--docs", str(document)]) == 0
    short, _, long = document.read_text().partition("1 of 36 longer runs, of 2,000 steps, are finished.")
    assert short.rstrip() == text.removesuffix("<!-- end of language -->\n").rstrip()
    assert "| all | (5) MARL + LLGA + GLGA | 1 | 100.0 | - | - |" in long
    jobs = language_short.planned(long=True)
    assert len(jobs) == 3 * 3 * 2 * 2
    assert {job.config.data.train_subjects for job in jobs} == {None}


def test_the_tables_in_the_documentation_are_those_of_the_records(tmp_path):
    document = tmp_path / "experiments.md"
    text = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    document.write_text(text, encoding="utf-8")
    assert methods.main(["--docs", str(document)]) == 0
    assert language_short.main(["--docs", str(document)]) == 0
    assert document.read_text(encoding="utf-8") == text
