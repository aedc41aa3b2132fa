import pytest

from vlfau.cli import main
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.training import load_checkpoint, read_config, read_metadata, train
from vlfau.training.module import VLFAUModule
from vlfau.training.train import data_of

SILENT = ("model.local_language=false", "model.global_language=false", "run.max_epochs=3", "data.fold=1")


@pytest.fixture
def validations(monkeypatch):
    """Let the validations of a run give .2, .9 and .5; returns how many faces each one saw."""
    scores, seen = iter((0.2, 0.9, 0.5)), []
    step = VLFAUModule.validation_step

    def counted(self, batch, batch_index):
        seen.append(len(batch.faces))
        step(self, batch, batch_index)

    def end(self):
        self.f1_per_au.reset()
        self.log("val/f1_macro", next(scores))

    monkeypatch.setattr(VLFAUModule, "validation_step", counted)
    monkeypatch.setattr(VLFAUModule, "on_validation_epoch_end", end)
    return seen


def people(manifest):
    return {frame.subject_id for frame in manifest.frames}


@pytest.mark.parametrize(("choice", "epoch", "score"), [("last", 3, 0.5), ("held-out", 2, 0.9), ("test-fold", 2, 0.9)])
def test_the_epoch_that_is_kept_is_the_one_the_choice_names(toy_config, validations, choice, epoch, score):
    metadata = read_metadata(train(toy_config(*SILENT, f"run.epoch_choice={choice}")))
    assert (metadata.scores["epoch"], metadata.scores["f1_macro"]) == (epoch, score)
    assert metadata.training["epoch_choice"] == choice
    assert metadata.training["recipe"]["run"]["epoch_choice"] == choice
    assert len(metadata.training["held_out_subjects"]) == (1 if choice == "held-out" else 0)
    assert validations == [4 if choice == "held-out" else 8] * 3


@pytest.mark.parametrize("resumed_after", [1, 2])
def test_a_resumed_run_keeps_the_same_epoch(toy_config, validations, resumed_after):
    changes = (*SILENT, "run.epoch_choice=test-fold")
    train(toy_config(*changes, f"run.stop_after_epochs={resumed_after}"))
    assert read_metadata(train(toy_config(*changes), resume=True)).scores["epoch"] == 2


def test_with_last_nothing_is_kept_before_the_end(toy_config, tmp_path):
    train(toy_config(*SILENT, "run.stop_after_epochs=2"))
    assert not (tmp_path / "run" / "checkpoint").exists()


def test_people_held_out_neither_train_nor_test(toy_config):
    for seed in range(1, 6):
        config = toy_config(*SILENT, "run.epoch_choice=held-out", "run.held_out_share=0.5", f"run.seed={seed}")
        data = data_of(config)
        all_people = people(read_manifest(config.data.manifest))
        train_people, held, test = (
            people(frames) for frames in (data.train_frames, data.validation_frames, data.test_frames)
        )
        assert held == set(data.held_out_subjects)
        assert train_people | held | test == all_people
        assert not train_people & held
        assert not (train_people | held) & test
        assert {frame.fold for frame in data.test_frames.frames} == {1}
        batches = [*data.train_dataloader()], [*data.val_dataloader()]
        assert [sum(len(batch.faces) for batch in kind) for kind in batches] == [
            len(data.train_frames.frames),
            len(data.validation_frames.frames),
        ]


def test_without_a_fold_the_people_come_out_of_all_frames(toy_config):
    data = data_of(toy_config(*SILENT, "data.fold=null", "run.epoch_choice=held-out"))
    assert len(data.held_out_subjects) == 1
    assert not people(data.train_frames) & people(data.test_frames)
    assert data.test_frames is data.validation_frames


def test_choices_that_can_not_be_are_refused(toy_config):
    with pytest.raises(ConfigError, match=r"epoch_choice is test-fold and there is no test fold"):
        train(toy_config("data.fold=null", "run.epoch_choice=test-fold"))
    with pytest.raises(ConfigError, match=r"key 'run\.epoch_choice': .*'last'.*found 'best'"):
        toy_config("run.epoch_choice=best")
    for share in (0, 1, -0.5):
        with pytest.raises(ConfigError, match=r"held_out_share .* is not between 0 and 1"):
            toy_config(f"run.held_out_share={share}")


def test_the_output_folder_follows_the_fold_and_the_seed(toy_file):
    changes = ["run.output='runs/x-{fold}-{seed}'", "run.seed=4"]
    assert read_config(toy_file, [*changes, "data.fold=2"]).run.output.name == "x-2-4"
    assert read_config(toy_file, [*changes, "data.fold=null"]).run.output.name == "x-all-4"
    with pytest.raises(ConfigError, match=r"key 'run\.output': only \{fold\} and \{seed\} are filled in"):
        read_config(toy_file, ["run.output='runs/{name}'"])


def without(manifest, au_id, fold):
    """Let nobody in a fold show an AU."""
    header, *rows = (line.split(",") for line in manifest.read_text().splitlines())
    for row in rows:
        if row[header.index("fold")] == str(fold):
            row[header.index(f"AU{au_id}")] = "0"
            row[header.index("AU12_side")] = ""
    manifest.write_text("\n".join(map(",".join, [header, *rows])) + "\n")


def test_a_test_fold_that_never_shows_an_au_is_named_before_training(toy_config, toy_file, tmp_path, capsys):
    without(toy_config().data.manifest, 25, fold=1)
    changes = [word for setting in (*SILENT, "run.max_epochs=1") for word in ("--set", setting)]
    assert main(["train", str(toy_file), *changes]) == 0
    said = capsys.readouterr()
    assert "note: no frame of the test fold 1 of" in said.err
    assert "shows AU25: its F1 there is 0 whatever the network learns" in said.err
    assert "of fold 1, after epoch 1" in said.out
    with pytest.raises(ManifestError, match="AU25 is never active among the training frames"):
        train(toy_config(*SILENT, "data.fold=2", f"run.output={tmp_path / 'other'}"))


def test_held_out_people_who_never_show_an_au_are_told(toy_config):
    config = toy_config(*SILENT, "run.epoch_choice=held-out", "run.max_epochs=1")
    held_out = data_of(config).held_out_subjects
    header, *rows = (line.split(",") for line in config.data.manifest.read_text().splitlines())
    for row in rows:  # AU 1 is shown by the test fold and by one person of two who train
        row[header.index("AU1")] = str(int(row[header.index("fold")] == "1" or row[1] not in held_out))
    config.data.manifest.write_text("\n".join(map(",".join, [header, *rows])) + "\n")
    notices = []
    train(config, notify=notices.append)
    # AU 25 is shown by one of the two from the start.
    assert notices == [
        "none of the people who are held out to choose the epoch shows AU1, AU25, so it does not help to choose"
    ]


def test_a_run_that_starts_from_another_inherits_where_its_stem_began(toy_config, tmp_path):
    first = train(toy_config(*SILENT, "run.max_epochs=1", f"run.output={tmp_path / 'first'}"))
    metadata = first / "checkpoint.json"
    metadata.write_text(metadata.read_text().replace('"from_scratch": true', '"from_scratch": false'))
    later = train(
        toy_config(*SILENT, "run.max_epochs=1", f"run.start_from={first}", "run.output=" + str(tmp_path / "b"))
    )
    assert load_checkpoint(later)[1].training["from_scratch"] is False
