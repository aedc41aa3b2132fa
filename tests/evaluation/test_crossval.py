import json

import pytest

from vlfau.cli.ablate import ablate as ablate_command
from vlfau.cli.crossval import crossval as crossval_command
from vlfau.cli.protocol import ProtocolOptions
from vlfau.errors import ConfigError
from vlfau.evaluation import crossval as module
from vlfau.evaluation.ablation import VARIANTS, ablate
from vlfau.evaluation.crossval import crossval
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.tested import Scope
from vlfau.training import read_metadata, train

FEW = Scope(described_frames=2)


class Killed(BaseException):
    """Ends a run like a signal would."""


@pytest.fixture
def killed_at(monkeypatch):
    """Return a function that kills the process, as it were, instead of an evaluation; None lets it live."""
    real = module.evaluate

    def kill(number):
        calls = []

        def evaluate(*arguments, **options):
            calls.append(arguments)
            if len(calls) == number:
                raise Killed
            return real(*arguments, **options)

        monkeypatch.setattr(module, "evaluate", evaluate)
        return calls

    return kill


def figures(folder):
    return json.loads((folder / "scores.json").read_text())


def test_a_killed_cross_validation_goes_on_to_equal_scores(toy_config, tmp_path, killed_at):
    config = toy_config("run.max_epochs=1")
    whole = crossval(config, tmp_path / "whole", scope=FEW)
    out = tmp_path / "parts"
    calls = killed_at(2)
    with pytest.raises(Killed):
        crossval(config, out, scope=FEW)
    assert (out / "fold1" / "scores.json").is_file()
    assert not (out / "crossval.json").exists()
    trained = (out / "fold1" / "checkpoint" / "model.safetensors").stat().st_mtime_ns
    calls = killed_at(None)
    assert crossval(config, out, scope=FEW) == whole
    assert len(calls) == 1  # fold 2 alone
    assert (out / "fold1" / "checkpoint" / "model.safetensors").stat().st_mtime_ns == trained
    assert read_metadata(out / "fold2" / "checkpoint").fold == 2
    metadata = json.loads((out / "crossval.json").read_text())
    assert metadata == {"format": 1, "kind": "crossval", "name": "parts", "folds": [1, 2]}


def test_a_run_killed_in_training_goes_on_from_its_last_epoch(toy_config, tmp_path):
    whole = crossval(toy_config("run.max_epochs=2"), tmp_path / "whole", scope=FEW, folds=[1])
    output = f"run.output={tmp_path / 'parts' / 'fold1'}"
    train(toy_config("run.max_epochs=2", "run.stop_after_epochs=1", "data.fold=1", output))
    assert crossval(toy_config("run.max_epochs=2"), tmp_path / "parts", scope=FEW, folds=[1]) == whole


def test_the_mean_and_the_pooled_scores_are_those_of_the_folds(toy_config, tmp_path):
    scores = crossval(toy_config("run.max_epochs=1"), tmp_path / "out", scope=FEW)
    folds = [figures(tmp_path / "out" / f"fold{fold}") for fold in (1, 2)]
    assert scores.per_fold["f1_macro"] == tuple(fold["f1_macro"] for fold in folds)
    assert scores.f1_macro == pytest.approx(sum(scores.per_fold["f1_macro"]) / 2, abs=1e-6)
    assert scores.words["local_cider_d"] == pytest.approx(
        sum(fold["words"]["local_cider_d"] for fold in folds) / 2, abs=1e-6
    )
    assert (scores.fold, scores.frames, scores.subjects, scores.words["frames"]) == (None, 16, 4, 4)
    predictions = [Predictions.load(tmp_path / "out" / f"fold{fold}") for fold in (1, 2)]
    right = sum(int(((each.au_probs >= 0.5) == each.occurrence).sum()) for each in predictions)
    assert scores.pooled.accuracy_macro == pytest.approx(right / (16 * 4), abs=1e-6)
    low, high = scores.intervals.f1_macro
    assert 0 <= low <= scores.f1_macro <= high <= 1


def test_lost_frames_are_counted_over_the_folds(toy_config, tmp_path):
    config = toy_config("run.max_epochs=1")
    rows = ["subject,fold,AU1,AU4,AU12,AU25", "0,1,1,1,1,1", "1,2,1,1,1,1", "9,2,0,0,0,0"]
    config.data.manifest.with_name("skipped.csv").write_text("\n".join(rows) + "\n")
    scores = crossval(config, tmp_path / "out", scope=Scope(describe=False))
    folds = [figures(tmp_path / "out" / f"fold{fold}")["lost_frames"] for fold in (1, 2)]
    assert (scores.lost_frames["frames"], scores.lost_frames["subjects"]) == (3, 5)
    assert scores.lost_frames["f1_macro"] == pytest.approx(sum(fold["f1_macro"] for fold in folds) / 2, abs=1e-6)


def test_another_scope_repeats_the_evaluation_and_another_configuration_is_refused(toy_config, tmp_path):
    crossval(toy_config("run.max_epochs=1"), tmp_path / "out", scope=FEW, folds=[1])
    again = crossval(toy_config("run.max_epochs=1"), tmp_path / "out", scope=Scope(0.4, False), folds=[1])
    assert again.threshold == pytest.approx(0.4)
    differing = r"model\.dair true \(now false\), run\.max_epochs 1 \(now 2\)"
    with pytest.raises(ConfigError, match=rf"fold1 was started with {differing}; restore"):
        crossval(toy_config("run.max_epochs=2", "model.dair=false"), tmp_path / "out", folds=[1])


def test_folds_that_are_not_there_are_refused(toy_config, tmp_path):
    for folds in ([3], [1, 1], []):
        with pytest.raises(ConfigError, match=r"whose 'fold' column holds \[1, 2\]"):
            crossval(toy_config(), tmp_path / "out", folds=folds)


def test_a_killed_ablation_goes_on_to_all_five_variants(toy_config, tmp_path, killed_at):
    config = toy_config("run.max_epochs=1")
    killed_at(3)
    with pytest.raises(Killed):
        ablate(config, tmp_path / "out", seeds=[1], folds=[2], scope=FEW)
    assert not (tmp_path / "out" / "ablation.json").exists()
    calls = killed_at(None)
    scores = ablate(config, tmp_path / "out", seeds=[1], folds=[2], scope=FEW)
    assert len(calls) == 3
    metadata = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert (metadata["kind"], metadata["folds"], metadata["seeds"]) == ("ablation", [2], [1])
    assert [each["number"] for each in metadata["variants"]] == [1, 2, 3, 4, 5]
    assert metadata["variants"][0] == {"number": 1, "name": "baseline", "folders": ["variant1-seed1"]}
    described = [{name.partition("_")[0] for name in each.seeds[0].words if "top5" in name} for each in scores]
    assert described == [set(), set(), {"local"}, {"global"}, {"local", "global"}]
    for variant in VARIANTS:
        model = read_metadata(tmp_path / "out" / f"variant{variant.number}-seed1" / "fold2" / "checkpoint").model
        assert (model.multi_scale, model.dair) == (variant.number > 1, variant.number > 1)


def test_every_seed_stands_with_its_variant(toy_config, tmp_path):
    silent = Scope(describe=False)
    config = toy_config("run.max_epochs=1")
    scores = ablate(config, tmp_path / "out", seeds=[3, 1], folds=[1], numbers=[1, 2], scope=silent)
    for row, number in enumerate((1, 2)):
        for column, seed in enumerate((3, 1)):
            assert scores[row].seeds[column].to_dict() == figures(tmp_path / "out" / f"variant{number}-seed{seed}")
    with pytest.raises(ConfigError, match=r"seeds \[1, 1\]"):
        ablate(config, tmp_path / "out", seeds=[1, 1])
    with pytest.raises(ConfigError, match=r"variants \[6\] are not all among 1 to 5"):
        ablate(config, tmp_path / "out", seeds=[1], numbers=[6])


def test_an_ablation_of_another_method_is_refused_before_anything_is_trained(toy_config, tmp_path):
    with pytest.raises(ConfigError, match="five variants are of vl-fau, and model.method is sev-net"):
        ablate(toy_config("model.method=sev-net"), tmp_path / "out", seeds=[1])
    assert not (tmp_path / "out").exists()


def test_row_5_of_an_ablation_equals_the_cross_validation_of_the_same_configuration(toy_config, tmp_path):
    config = toy_config("run.max_epochs=1", "run.seed=7")
    row = crossval(config, tmp_path / "cv", scope=FEW)
    (variant,) = ablate(config, tmp_path / "ab", seeds=[7], numbers=[5], scope=FEW)
    (full,) = variant.seeds
    assert full == row
    assert (variant.variant.number, full.fold, len(full.per_fold["f1_macro"])) == (5, None, 2)
    assert figures(tmp_path / "ab" / "variant5-seed7") == row.to_dict()


def test_an_ablation_of_one_fold_by_an_earlier_version_is_left_alone(toy_config, tmp_path):
    earlier = tmp_path / "out" / "variant2-seed1"
    earlier.mkdir(parents=True)
    (earlier / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"variant2-seed1 holds a run of one fold.*choose one with --out"):
        ablate(toy_config(), tmp_path / "out", seeds=[1])
    assert not (tmp_path / "out" / "variant1-seed1").exists()


def test_the_commands_say_what_runs_and_print_the_scores(toy_file, tmp_path, capsys):
    one = ("run.max_epochs=1",)
    crossval_command(toy_file, out=tmp_path / "cv", options=ProtocolOptions(folds="2,1", changes=one, frames=2))
    said = capsys.readouterr()
    assert "1 of 2, fold2" in said.err
    assert "16 frames of 4 people (synthetic faces)" in said.out
    assert "Lip Corner Puller" in said.out
    options = ProtocolOptions(folds="1", changes=one, frames=2)
    ablate_command(toy_file, out=tmp_path / "ab", seeds="1", variants="2,5", options=options)
    said = capsys.readouterr()
    assert "2 of 2, variant5-seed1/fold1" in said.err
    assert "(5) MARL + LLGA + GLGA" in said.out
    with pytest.raises(ConfigError, match="--seeds takes numbers separated by commas"):
        ablate_command(toy_file, out=tmp_path / "ab", seeds="one")


def test_a_checkpoint_names_no_path_of_its_makers_machine(toy_config, tmp_path):
    vision = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'vision'}"))
    start = f"run.start_from={vision}"
    best = train(toy_config("run.max_epochs=1", "data.description=''", f"run.output={tmp_path / 'joint'}", start))
    assert str(tmp_path) not in (best / "checkpoint.json").read_text()
    training = read_metadata(best).training
    assert (training["data"], training["warm_start"]) == ("manifest.csv", True)
    assert training["recipe"]["run"]["max_epochs"] == 1
