import json
import time

import pytest
from PIL import Image

from vlfau.errors import InputError
from vlfau.evaluation.ablation import ablate, plan_ablation
from vlfau.evaluation.crossval import crossval, fold_configs
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal import Task, memory, network_key, rehearse, run_checks
from vlfau.evaluation.tested import Scope
from vlfau.model.checkpoint import read_metadata

SCOPE, OPTIONS, MINUTES = Scope(described_frames=2), EvalOptions(4), 0.05


@pytest.fixture
def task_of(toy_config, tmp_path):
    """Return a function that makes the task of a cross-validation of the toy."""

    def make(*changes, **about):
        config = toy_config(*changes)
        out = tmp_path / "runs" / "cv"
        return Task(
            config,
            out,
            plan=lambda folds: fold_configs(config, out, folds),
            train_and_evaluate=lambda config, out, folds, scope: crossval(
                config, out, folds=folds, scope=scope, options=OPTIONS
            ),
            **{"scope": SCOPE, "options": OPTIONS} | about,
        )

    return make


@pytest.fixture
def tables():
    """Return what stands for the writer of tables: it looks at the runs that it is given."""
    seen = []

    def write(runs, out):
        scores = json.loads((runs / "scores.json").read_text())
        folds = sorted(path.name for path in runs.glob("fold*"))
        metadata = [read_metadata(runs / fold / "checkpoint") for fold in folds]
        seen.append((scores, folds, [each.training["recipe"]["run"]["max_epochs"] for each in metadata]))

    write.seen = seen
    return write


def says(rehearsal):
    return {check.name: (str(check.status), check.message) for check in rehearsal.checks}


def test_a_run_that_will_stand_is_gone_through_to_the_tables_and_leaves_its_rates_alone(task_of, tables, tmp_path):
    task = task_of("run.max_epochs=5")
    begun, told = [], []
    rehearsal = rehearse(task, tables=tables, minutes=MINUTES, on_start=begun.append, on_end=told.append)
    assert rehearsal.passed
    assert tuple(told) == rehearsal.checks
    assert set(begun) <= {check.name for check in told}
    assert {check.name for check in told if check.status == "note"} <= {
        "stem weights",
        "validations",
        "other work",
    }
    ((scores, folds, epochs),) = tables.seen
    assert (folds, epochs, scores["words"]["frames"]) == (["fold1", "fold2"], [1, 1], 4)
    assert [(cost.workload.name, cost.workload.steps) for cost in rehearsal.costs] == [("fold1", 5), ("fold2", 5)]
    assert all(min(cost.training, cost.validation, cost.evaluation, cost.describing) > 0 for cost in rehearsal.costs)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["cv"]  # the scratch folder is gone
    assert [path.name for path in task.out.iterdir()] == ["rehearsal.json"]


def test_every_problem_is_found_in_one_go_and_real_runs_are_left_alone(
    task_of, tables, toy_config, tmp_path, monkeypatch
):
    task = task_of("run.max_epochs=5", f"stem.weights={tmp_path / 'absent.safetensors'}")
    crossval(toy_config("run.max_epochs=1"), task.out, folds=[1], scope=SCOPE, options=OPTIONS)
    before = {path: path.read_bytes() for path in task.out.rglob("*") if path.is_file()}
    Image.new("RGB", (112, 80)).save(tmp_path / "0.png")
    monkeypatch.setattr(run_checks, "free_disk", lambda folder: 1000)
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    rehearsal = rehearse(task, tables=tables, minutes=MINUTES)
    found = says(rehearsal)
    assert not rehearsal.passed
    problems = {name: text for name, (status, text) in found.items() if status == "problem"}
    assert "absent.safetensors" in problems["stem weights"]
    assert "0.png has 112 x 80 pixels" in problems["pictures"]
    assert "run.max_epochs" in problems["output folder"]
    assert "free space, or choose another --out" in problems["saving"]
    assert problems.keys() == {"stem weights", "pictures", "output folder", "saving", "end-to-end run"}
    assert "0.png" in problems["end-to-end run"] or "never active" in problems["end-to-end run"]
    assert {found[name][0] for name in ("training step", "validation", "evaluation", "captions")} == {"ok"}
    assert rehearsal.costs == ()
    assert {path: path.read_bytes() for path in before} == before
    assert not (task.out / "rehearsal.json").exists()


def test_too_little_memory_and_disk_for_all_runs_are_problems_that_cost_no_forecast(task_of, tables, monkeypatch):
    task = task_of()
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    free = iter([10**12, 2000])  # enough for a run, not for all
    monkeypatch.setattr(run_checks, "free_disk", lambda folder: next(free))
    rehearsal = rehearse(task, tables=tables, minutes=MINUTES)
    problems = {name for name, (status, _) in says(rehearsal).items() if status == "problem"}
    assert problems == {"memory", "disk"}
    assert len(rehearsal.costs) == 2
    assert len(tables.seen) == 1


@pytest.mark.parametrize(
    ("damage", "name", "words"),
    [
        (lambda text: text.replace("12.png", "away.png"), "manifest", "line 14, column 'image'"),
        (lambda text: text.replace("3.png,0,1", "2.png,0,1"), "manifest", "2.png"),
        (lambda text: text.replace(",1,F,", ",,F,").replace(",2,M,", ",,M,"), "folds", "holds nothing"),
    ],
)
def test_wrong_data_are_named_and_what_needs_them_is_skipped(task_of, tables, tmp_path, damage, name, words):
    task = task_of()
    file = tmp_path / "manifest.csv"
    damaged = damage(file.read_text())
    assert damaged != file.read_text()
    file.write_text(damaged)
    rehearsal = rehearse(task, tables=tables, minutes=MINUTES)
    found = says(rehearsal)
    assert found[name][0] == "problem"
    assert words in found[name][1]
    assert found["stem weights"][0] == "note"
    assert not rehearsal.passed


def test_an_au_that_a_test_fold_never_shows_is_a_problem(task_of, tables, tmp_path):
    file = tmp_path / "manifest.csv"
    header, *rows = file.read_text().splitlines()
    column = header.split(",").index("AU4")
    cells = [row.split(",") for row in rows]
    changed = [[*row[:column], "0" if row[2] == "2" else row[column], *row[column + 1 :]] for row in cells]
    file.write_text("\n".join([header, *map(",".join, changed)]) + "\n")
    found = says(rehearse(task_of(folds=[2, 1]), tables=tables, minutes=MINUTES))
    assert found["active AUs"][0] == "problem"
    assert "AU4 in fold 2" in found["active AUs"][1]
    assert found["training step"][0] == "ok"


def test_every_variant_of_an_ablation_is_measured_and_counted(toy_config, tables, tmp_path):
    config, out = toy_config("run.max_epochs=2"), tmp_path / "ab"
    chosen = {"seeds": [1, 2], "numbers": [1, 5]}

    def train_and_evaluate(config, out, folds, scope):
        ablate(config, out, folds=folds[:1], scope=scope, options=OPTIONS, **chosen | {"seeds": [1]})

    def write(runs, out):
        assert [each["number"] for each in json.loads((runs / "ablation.json").read_text())["variants"]] == [1, 5]

    runs = plan_ablation(config, out, folds=[1, 2], **chosen)
    labels = {network_key(run.config.model): f"({run.variant.number})" for run in runs}
    task = Task(
        config,
        out,
        plan=lambda folds: [run.config for run in plan_ablation(config, out, folds=folds, **chosen)],
        train_and_evaluate=train_and_evaluate,
        scope=SCOPE,
        options=OPTIONS,
        labels=labels,
    )
    rehearsal = rehearse(task, tables=write, minutes=MINUTES)
    assert rehearsal.passed
    assert {"training step (1)", "training step (5)", "captions (5)"} <= {check.name for check in rehearsal.checks}
    assert "captions (1)" not in {check.name for check in rehearsal.checks}
    names = [cost.workload.name for cost in rehearsal.costs]
    assert names[:3] == ["variant1-seed1/fold1", "variant5-seed1/fold1", "variant1-seed1/fold2"]
    assert len(names) == 8
    assert rehearsal.costs[0].describing == 0 < rehearsal.costs[1].describing


def test_nothing_is_written_over_a_folder_of_somebody_else(task_of, tables, tmp_path):
    stranger = tmp_path / "runs" / ".cv-rehearsal" / "thesis.txt"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("mine")
    with pytest.raises(InputError, match=r"cv-rehearsal .*holds other files; move it away"):
        rehearse(task_of(), tables=tables)
    assert stranger.read_text() == "mine"


def test_an_interrupted_rehearsal_leaves_nothing_and_a_killed_one_is_cleared_away(task_of, tables, tmp_path):
    def interrupted(check):
        if check.name == "network":
            raise KeyboardInterrupt

    task = task_of()
    with pytest.raises(KeyboardInterrupt):
        rehearse(task, tables=tables, minutes=MINUTES, on_end=interrupted)
    assert list((tmp_path / "runs").iterdir()) == []
    left = tmp_path / "runs" / ".cv-rehearsal"
    left.mkdir()
    (left / ".vlfau-rehearsal").touch()
    (left / "sample.csv").write_text("half")
    with pytest.raises(KeyboardInterrupt):
        rehearse(task, tables=tables, minutes=MINUTES, on_end=interrupted)
    assert not left.exists()


def test_runs_on_several_devices_are_refused_before_the_night(task_of, tables):
    found = says(rehearse(task_of("run.devices=2"), tables=tables, minutes=MINUTES))
    assert found["end-to-end run"][0] == "problem"
    assert "set run.devices=1" in found["end-to-end run"][1]


@pytest.mark.slow
def test_the_estimate_is_within_a_factor_of_two_of_what_the_run_takes(task_of, tables):
    # The time of the processor, so that a busy machine does not matter.
    changes = ("run.max_epochs=25", "run.batch_size=4", "run.validate_every_epochs=5")
    task = task_of(*changes, scope=Scope())
    rehearsal = rehearse(task, tables=tables, minutes=0.5, clock=time.process_time)
    expected = sum(cost.total for cost in rehearsal.costs)
    began = time.process_time()
    crossval(task.config, task.out, scope=task.scope, options=task.options)
    took = time.process_time() - began
    assert 0.5 < expected / took < 2
