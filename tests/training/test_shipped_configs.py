"""The files of `configs/`, as shipped: what they say, and that each trains, validates, saves and resumes."""

import csv
from dataclasses import MISSING, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from vlfau.facs import AU_SETS
from vlfau.inference.bundle import load_bundle
from vlfau.training import TrainConfig, load_checkpoint, read_config, read_metadata, train
from vlfau.training.run_folder import MAY_DIFFER

FOLDER = Path(__file__).parents[2] / "configs"
FILES = {path.stem: path for path in FOLDER.glob("*.yaml")}
OF_THE_PAPER = ("bp4d", "disfa")
LANDMARKS = 37
SIZE = 64

SMALLER = {
    "data.aligned_size": SIZE + 8,
    "model.crop_size": SIZE,
    "model.combined_dim": 32,
    "model.feature_dim": 16,
    "model.hidden_dim": 16,
    "model.embedding_dim": 16,
    "run.max_epochs": 2,
    "run.num_workers": 0,
    "run.threads": 1,
    "run.accelerator": "cpu",
}
SMALL_SWIN = "model.backbone_options={embed_dim: 12, depths: [1, 1, 1, 1], num_heads: [1, 1, 2, 2]}"


def write_manifest(folder):
    """Write 24 frames of 12 people in three folds, with all AUs of the default model, and return the file."""
    folder.mkdir()
    au_ids = sorted({*load_bundle().info.au_ids, *AU_SETS["bp4d"], *AU_SETS["disfa"]})
    rng = np.random.default_rng(3)
    rows = []
    for number in range(24):
        image = f"{number}.png"
        pixels = rng.integers(0, 256, (SIZE + 8, SIZE + 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / image)
        row = {
            "image": image,
            "subject": f"S{number // 2}",
            "fold": number // 2 % 3 + 1,
            "gender": "FM"[number // 2 % 2],
        }
        for place, au_id in enumerate(au_ids):
            active = (number + place) % 2  # every person shows every AU in one of two frames
            row |= {f"AU{au_id}": active, f"AU{au_id}_intensity": 3 * active}
        for landmark in range(LANDMARKS):
            row |= {f"landmark_{landmark}_x": 20 + landmark % 30, f"landmark_{landmark}_y": 30 + landmark // 2}
        rows.append(row)
    path = folder / "manifest.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return write_manifest(folder / "wide"), write_manifest(folder / "held-out")


@pytest.fixture(scope="module")
def finished(manifests, tmp_path_factory):
    """Return a function that runs a configuration, once, in two calls, and gives its checkpoint."""
    out, done = tmp_path_factory.mktemp("runs"), {}

    def finish(name):
        if name not in done:
            shipped = read_config(FILES[name])
            changes = SMALLER | {"data.manifest": manifests[0], "run.output": out / name}
            if shipped.data.validation is not None:
                changes["data.validation"] = manifests[1]
            if shipped.run.start_from is not None:  # Its crops are larger than those here.
                changes |= {"run.start_from": "null", "run.frozen_vision": "false"}
            overrides = [f"{key}={value}" for key, value in changes.items()]
            if shipped.model.backbone.startswith("swin"):
                overrides.append(SMALL_SWIN)
            train(read_config(FILES[name], [*overrides, "run.stop_after_epochs=1"]))
            assert torch.load(out / name / "last.ckpt", weights_only=True)["epoch"] == 0
            done[name] = train(read_config(FILES[name], overrides), resume=True)
        return done[name]

    return finish


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_file_trains_a_step_validates_saves_and_resumes(finished, name):
    shipped = read_config(FILES[name])
    folder = finished(name)
    state = torch.load(folder.parent / "last.ckpt", weights_only=True)
    assert (state["epoch"], state["global_step"]) == (1, 2)  # all frames are fewer than a batch
    network, metadata = load_checkpoint(folder)
    assert all(bool(weight.isfinite().all()) for weight in network.parameters())
    assert all(np.isfinite(score) for score in metadata.scores.values())
    own = metadata.training.get("words", metadata.training)  # Behind a frozen vision half words alone are the run's.
    assert own["epoch_choice"] == str(shipped.run.epoch_choice)
    assert metadata.fold == shipped.data.fold
    wanted = AU_SETS.get(shipped.data.aus) if isinstance(shipped.data.aus, str) else shipped.data.aus
    assert wanted is None or metadata.au_ids == tuple(wanted)


def test_the_makefile_makes_what_the_last_stage_of_the_default_model_starts_from():
    recipe = (FOLDER.parent / "Makefile").read_text().split("\ndefault-model: default-faces")[1].split("\n\n")[0]
    stages = [read_config(FILES[name]) for name in ("default-vision", "default")]
    places = [recipe.index(str(stages[0].run.output)), recipe.index(str(stages[1].run.start_from))]
    assert places == sorted(places)
    assert stages[1].run.frozen_vision
    shared = {"movements": True, "sides": True, "told_scores": True, "local_language": True, "global_language": True}
    assert stages[1].model == replace(stages[0].model, **shared)


def test_the_folds_of_one_file_have_folders_of_their_own():
    for name, path in FILES.items():
        first = read_config(path)
        if first.data.fold is not None:
            second = read_config(path, ["data.fold=2"])
            assert first.run.output != second.run.output, name


@pytest.mark.parametrize("name", OF_THE_PAPER)
def test_the_papers_files_spell_out_every_value_that_decides_the_result(name):
    settings = yaml.safe_load(FILES[name].read_text(encoding="utf-8"))
    left_out = [
        f"{section.name}.{field.name}"
        for section in fields(TrainConfig)
        for field in fields(type(getattr(read_config(FILES[name]), section.name)))
        if field.name not in settings[section.name] and f"{section.name}.{field.name}" not in MAY_DIFFER
    ]
    assert left_out == []


OF_A_DATA_SET = {"data.manifest", "data.aus", "data.description", "run.output", "run.validate_every_epochs"}


@pytest.mark.parametrize("name", OF_THE_PAPER)
def test_no_default_contradicts_the_papers_files(name):
    config = read_config(FILES[name])
    other = []
    for section in fields(TrainConfig):
        for field in fields(type(getattr(config, section.name))):
            key = f"{section.name}.{field.name}"
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            if key not in OF_A_DATA_SET | MAY_DIFFER and getattr(getattr(config, section.name), field.name) != default:
                other.append(key)
    assert other == []


@pytest.mark.parametrize("name", OF_THE_PAPER)
def test_the_papers_files_hold_what_section_4_1_says(name):
    config = read_config(FILES[name])
    assert config.model.backbone == "swin_base_patch4_window7_224"
    assert (config.model.crop_size, config.model.feature_dim, config.model.hidden_dim) == (224, 512, 512)
    assert (config.optimiser.betas, config.optimiser.weight_decay) == ((0.9, 0.999), 0.0005)
    assert (config.run.max_epochs, config.run.batch_size) == (15, 64)
    assert config.augmentation.flip > 0 < config.augmentation.cutout
    assert str(config.run.epoch_choice) == "last"


def test_an_epoch_that_other_people_choose_is_theirs(manifests, tmp_path):
    changes = SMALLER | {
        "data.manifest": manifests[0],
        "data.validation": manifests[1],
        "run.output": tmp_path / "run",
        "run.epoch_choice": "held-out",
    }
    config = read_config(FILES["default-vision"], [f"{key}={value}" for key, value in changes.items()])
    metadata = read_metadata(train(config))
    assert metadata.training["epoch_choice"] == "held-out"
    assert metadata.training["held_out_subjects"] == []  # they are those of data.validation
    assert metadata.training["train_frames"] == metadata.training["test_frames"] == 24
