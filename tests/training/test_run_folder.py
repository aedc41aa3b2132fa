import json
import shutil
from dataclasses import replace

import pytest
import timm
import torch
from safetensors.torch import save_file

from vlfau.cli import main
from vlfau.errors import CheckpointError, ConfigError, OutputError
from vlfau.training import read_metadata, train
from vlfau.training.run_folder import WholeCheckpointIO, check_same_run

SILENT = ("model.local_language=false", "model.global_language=false", "data.fold=1")


@pytest.fixture
def begun(toy_config):
    """A run of fold 1 that was stopped after one of two epochs, as a function that gives its settings, changed."""
    train(toy_config(*SILENT, "run.stop_after_epochs=1"))
    return lambda *changes: toy_config(*SILENT, *changes)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edited(config, change):
    """Change the settings that a run's folder has kept."""
    path = config.run.output / "config.json"
    settings = json.loads(path.read_text())
    change(settings)
    path.write_text(json.dumps(settings))


def test_a_run_of_other_settings_is_not_resumed_and_stays_as_it_is(begun):
    before = contents(begun().run.output)
    for change, words in (
        ("data.fold=2", r"data\.fold 1 \(now 2\)"),
        ("data.aus=[1, 12]", r"data\.aus not given \(now \[1, 12\]\), content of data\.manifest"),
        ("optimiser.weight_decay=0.5", r"optimiser\.weight_decay 0(\.0)? \(now 0\.5\)"),
        ("run.batch_size=4", r"run\.batch_size 16 \(now 4\); restore"),
        ("run.seed=2", r"run\.seed 1 \(now 2\)"),
        ("run.epoch_choice=held-out", r"run\.epoch_choice last \(now held-out\)"),
        ("model.dair=false", r"model\.dair true \(now false\)"),
    ):
        with pytest.raises(ConfigError, match=f"run was started with {words}.* or choose another folder"):
            train(begun(change), resume=True)
    assert contents(begun().run.output) == before


@pytest.mark.parametrize("way", ["--resume", "--continue"])
def test_both_ways_to_resume_check_the_settings(begun, toy_file, capsys, way):
    changes = [word for setting in (*SILENT[:2], "data.fold=2") for word in ("--set", setting)]
    assert main(["train", str(toy_file), *changes, way]) == 2
    assert "was started with data.fold 1 (now 2); restore the settings" in capsys.readouterr().err


def test_settings_that_say_how_and_not_what_may_differ(begun):
    train(
        begun("run.num_workers=1", "run.threads=1", "data.keep_in_memory=false", "data.description=other"), resume=True
    )
    assert torch.load(begun().run.output / "last.ckpt", weights_only=True)["epoch"] == 1


def test_the_faces_of_a_step_must_stay_and_their_devices_need_not(begun):
    config = begun("run.accumulate_batches=4", "run.epoch_choice=last")
    edited(config, lambda settings: settings["run"].update(accumulate_batches=1, devices=4))
    check_same_run(config)
    check_same_run(replace(config, run=replace(config.run, accumulate_batches=1, devices=2, num_nodes=2)))
    with pytest.raises(ConfigError, match=r"with faces per step \(.*\) 64 \(now 16\)"):
        check_same_run(replace(config, run=replace(config.run, accumulate_batches=1)))
    edited(config, lambda settings: settings["run"].update(devices="auto"))
    with pytest.raises(ConfigError, match=r"faces per step \(.*\) 16 x devices auto \(now 64\)"):
        check_same_run(config)


def test_another_manifest_at_the_same_place_is_another_run(begun):
    manifest = begun().data.manifest
    header, *rows = manifest.read_text().splitlines()
    manifest.write_text("\n".join([header, *rows[1:]]) + "\n")
    with pytest.raises(ConfigError, match=r"content of data\.manifest [0-9a-f]{16} \(now [0-9a-f]{16}\); restore"):
        train(begun(), resume=True)


def test_the_same_manifest_at_another_place_is_the_same_run(begun, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for path in [*tmp_path.glob("*.png"), begun().data.manifest]:
        shutil.move(path, tmp_path / "elsewhere")
    folder = train(begun(f"data.manifest={tmp_path / 'elsewhere' / 'manifest.csv'}"), resume=True)
    assert read_metadata(folder).scores["epoch"] == 2


def test_a_moved_run_is_resumed_where_it_is_now(begun, tmp_path):
    begun().run.output.rename(tmp_path / "moved")
    assert train(begun(f"run.output={tmp_path / 'moved'}"), resume=True) == tmp_path / "moved" / "checkpoint"


def of_version_before(settings):
    """Take out what the version before did not write."""
    del settings["content"]
    for name in ("epoch_choice", "held_out_share"):
        del settings["run"][name]


def test_a_run_of_the_version_before_is_resumed_where_the_settings_agree(begun):
    edited(begun(), of_version_before)
    with pytest.raises(ConfigError, match=r"started with run\.epoch_choice last \(now held-out\);"):
        train(begun("run.epoch_choice=held-out"), resume=True)
    with pytest.raises(ConfigError, match=r"started with data\.manifest .*manifest\.csv \(now .*absent\.csv\);"):
        train(begun("data.manifest=absent.csv"), resume=True)
    assert train(begun(), resume=True).name == "checkpoint"


def test_a_state_of_another_network_is_refused_in_a_sentence(begun):
    last = begun().run.output / "last.ckpt"
    state = torch.load(last, weights_only=True)
    state["state_dict"]["network.classifier.weight"] = torch.zeros(3, 3)
    torch.save(state, last)
    with pytest.raises(CheckpointError, match=r"last\.ckpt does not fit the network of this version.*classifier"):
        train(begun(), resume=True)


def test_a_stem_that_began_with_weights_is_labelled_and_its_file_belongs_to_the_run(toy_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = toy_config(*SILENT)
    options = config.model.backbone_options
    for name in ("one.safetensors", "other.safetensors"):
        save_file(timm.create_model(config.model.backbone, img_size=112, **options).state_dict(), tmp_path / name)
    changes = (*SILENT, "stem.weights=one.safetensors")
    train(toy_config(*changes, "run.stop_after_epochs=1"))
    with pytest.raises(ConfigError, match=r"content of stem\.weights [0-9a-f]{16} \(now [0-9a-f]{16}\);"):
        train(toy_config(*SILENT, "stem.weights=other.safetensors"), resume=True)
    with pytest.raises(ConfigError, match=r"content of stem\.weights [0-9a-f]{16} \(now not given\);"):
        train(toy_config(*SILENT), resume=True)
    assert read_metadata(train(toy_config(*changes), resume=True)).training["from_scratch"] is False


def test_a_finished_run_of_the_version_before_is_told_from_ours(begun):
    finished = train(begun(), resume=True)
    finished.rename(finished.with_name("best"))
    edited(begun(), of_version_before)
    with pytest.raises(CheckpointError, match=r"finished run of an earlier version, .* best epoch by the test fold in"):
        train(begun(), resume=True)
    assert (finished.with_name("best") / "model.safetensors").is_file()


def test_a_run_that_could_not_write_its_first_state_starts_over(toy_config, monkeypatch):
    """Its checkpoint is there by then, and would be taken for another run's."""

    def full(*_, **__):
        raise OutputError("cannot write last.ckpt (No space left on device)")

    config = toy_config(*SILENT, "run.max_epochs=1")
    with monkeypatch.context() as patch:
        patch.setattr(WholeCheckpointIO, "save_checkpoint", full)
        with pytest.raises(OutputError, match="No space"):
            train(config)
    assert (config.run.output / "checkpoint").is_dir()
    assert not (config.run.output / "last.ckpt").exists()
    assert train(config).is_dir()
    assert not (config.run.output / ".unsaved").exists()


def test_a_finished_run_is_left_as_it_is(begun):
    folder = train(begun(), resume=True)
    before = contents(folder)
    assert train(begun(), resume=True) == folder
    assert contents(folder) == before
    (folder.parent / "last.ckpt").unlink()
    with pytest.raises(ConfigError, match=r"holds the checkpoint of a run already, and no last\.ckpt to continue from"):
        train(begun())
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"which settings .* was started with: it holds a last\.ckpt and no config\.json; restore"),
        ("{", r"config\.json is damaged \("),
        ("[1]", r"config\.json is damaged \("),
        ('{"data": 1}', r"config\.json is damaged \("),
    ],
)
def test_settings_that_are_missing_or_damaged_are_named(begun, content, words):
    path = begun().run.output / "config.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(CheckpointError, match=words):
        train(begun(), resume=True)
