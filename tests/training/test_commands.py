import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vlfau.cli import main

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.png"


def test_train_export_and_predict_lead_from_a_manifest_to_words(toy_file, tmp_path, capsys):
    assert main(["train", str(toy_file), "--set", "run.max_epochs=1", "--set", "data.aus=[12, 25]"]) == 0
    said = capsys.readouterr()
    assert "the stem starts from scratch" in said.err
    assert "on synthetic faces of all folds, which also trained, after epoch 1" in said.out
    bundle = tmp_path / "bundle"
    assert main(["export", str(tmp_path / "run" / "checkpoint"), str(bundle), "--note", "a toy"]) == 0
    assert "2 AUs" in capsys.readouterr().out
    out = tmp_path / "out"
    assert main(["predict", str(ASTRONAUT), "--model", str(bundle), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "Lip Corner Puller" in said.out
    assert "This person" in said.out
    assert "learned its AUs from synthetic faces only" in said.err
    (row,) = csv.DictReader((out / "results.csv").read_text(encoding="utf-8").splitlines())
    assert 0 < float(row["AU12_prob"]) < 1


def test_a_users_mistakes_end_with_one_sentence_and_exit_code_2(toy_file, tmp_path, capsys):
    for arguments, words in (
        (["train", str(tmp_path / "absent.yaml")], "absent.yaml can't be opened"),
        (["train", str(toy_file), "--set", "data.manifest=absent.csv"], "absent.csv can't be opened"),
        (["train", str(toy_file), "--resume"], "nothing to resume"),
        (["export", str(tmp_path), str(tmp_path / "bundle")], "is not a checkpoint"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert words in error.splitlines()[-1]
        assert "Traceback" not in error


@pytest.mark.slow
def test_two_processes_train_one_network(toy_file, tmp_path):
    settings = ("run.devices=2", "run.strategy=ddp", "run.batch_size=8", "run.max_epochs=3", "run.accumulate_batches=1")
    changes = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "vlfau", "train", str(toy_file), *changes]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.count("checkpoint:") == 1
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert state["global_step"] == 3  # 16 faces an epoch are one step of two processes with 8 each


def test_continue_begins_a_run_and_goes_on_with_it(toy_file, tmp_path, capsys):
    stopped = ["--set", "run.stop_after_epochs=1", "--set", "run.validate_every_epochs=2"]
    assert main(["train", str(toy_file), "--continue", *stopped]) == 0
    assert "stopped before the last epoch" in capsys.readouterr().out
    assert main(["train", str(toy_file), "--continue", "--set", "run.validate_every_epochs=2"]) == 0
    assert "macro F1" in capsys.readouterr().out
    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["epoch"] == 1


def test_a_description_of_other_faces_than_those_beside_the_manifest_is_noted(toy_file, tmp_path, capsys):
    command = ["train", str(toy_file), "--set", "run.max_epochs=1"]
    (tmp_path / "settings.json").write_text('{"data set": "bp4d"}')
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "tables will call these faces 'drawn faces' (synthetic), but" in said
    assert '--set "data.description=BP4D" --set data.synthetic=false' in said
    told = ("--set", "data.description=BP4D", "--set", "data.synthetic=false", "--set", f"run.output={tmp_path / 'b'}")
    assert main([*command, *told]) == 0
    assert "tables will call" not in capsys.readouterr().err
