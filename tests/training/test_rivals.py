"""Rivals in the training command: what they need of the data, clips, stages, and the whole way to a prediction."""

import csv
import json

import numpy as np
import pytest
import torch

from vlfau.data.clips import ClipShuffle
from vlfau.data.folds import take_subjects
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.faces.pose import SPARSE_LANDMARKS
from vlfau.training import train
from vlfau.training.train import data_of, module_of

NO_WORDS = ("model.dair=false", "model.local_language=false", "model.global_language=false", "model.multi_scale=false")


def with_columns(manifest, **columns):
    """Add columns to a manifest: a function of the row's number each."""
    with manifest.open(newline="") as file:
        rows = [
            row | {name: of(number) for name, of in columns.items()} for number, row in enumerate(csv.DictReader(file))
        ]
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def add_landmarks(manifest):
    places = {
        f"landmark_{number}_{axis}": lambda _, n=number: 30 + n % 50 for number in SPARSE_LANDMARKS for axis in "xy"
    }
    with_columns(manifest, **places)


def add_clips(manifest, length=4):
    with_columns(
        manifest,
        clip=lambda number: f"c{number // length}",
        subject=lambda number: f"s{number // 8}",
        fold=lambda number: number // 8 + 1,
    )


@pytest.mark.parametrize(
    ("method", "told"),
    [
        (
            "jaa-net",
            "lacks 37 of the 37 landmarks that jaa-net needs, such as landmark_0_x; add them with `vlfau landm",
        ),
        ("lgrnet", "landmarks that lgrnet needs"),
        ("ks", r"ks trains on clips of 8 frames, but .* names no clips .*; give longer clips"),
    ],
)
def test_a_rival_says_what_the_data_lack_before_anything_is_trained(toy_config, tmp_path, method, told):
    with pytest.raises(ManifestError, match=told):
        train(toy_config(f"model.method={method}", *NO_WORDS))
    assert not (tmp_path / "run").exists()


def test_an_au_without_a_centre_is_named(toy_config, tmp_path, monkeypatch):
    add_landmarks(tmp_path / "manifest.csv")
    monkeypatch.setattr("vlfau.training.rivals.without_centre", lambda au_ids: [12])
    with pytest.raises(ManifestError, match="AU12 of .* has no centre on the face, which aar needs; leave it out"):
        train(toy_config("model.method=aar", *NO_WORDS))


def test_a_batch_that_clips_do_not_fit_is_refused(toy_config, tmp_path):
    add_clips(tmp_path / "manifest.csv")
    options = ("model.method=ks", "model.method_options={clip_length: 4}", *NO_WORDS)
    with pytest.raises(ConfigError, match="batch_size 6 is not a multiple of the 4 frames of ks's clips; set it to 8"):
        train(toy_config("run.batch_size=6", *options))
    with pytest.raises(ManifestError, match="the longest clip of .* has 4; give longer clips"):
        train(toy_config("model.method=ks", *NO_WORDS))


def test_a_rival_with_words_is_refused(toy_config):
    with pytest.raises(ConfigError, match="the method sma-vit has no local_language"):
        train(toy_config("model.method=sma-vit"))


def test_clips_come_in_order_and_vary_alike(toy_config, tmp_path):
    add_clips(tmp_path / "manifest.csv")
    add_landmarks(tmp_path / "manifest.csv")
    config = toy_config(
        "model.method=ks",
        "model.method_options={clip_length: 4}",
        "run.batch_size=8",
        "augmentation.flip=0.5",
        "augmentation.tilt=10",
        *NO_WORDS,
    )
    data = data_of(config)
    frames = data.train_frames.frames
    order = list(ClipShuffle(frames, 4, seed=3))
    assert sorted(order) == list(range(16))
    for start in range(0, 16, 4):
        window = order[start : start + 4]
        assert window == list(range(window[0], window[0] + 4))
        assert len({frames[index].clip for index in window}) == 1
    assert order != list(ClipShuffle(frames, 4, seed=4))
    data.train_dataloader()
    drawn = data.train_set.drawn_with
    assert all(drawn[index] == index - index % 4 for index in range(16))
    places = [data.train_set[index].landmarks for index in range(8)]  # all frames have the same, before they vary
    assert all(torch.equal(place, places[0]) for place in places[:4])
    assert all(torch.equal(place, places[4]) for place in places[4:])
    assert not torch.equal(places[0], places[4])


def test_windows_shorter_than_a_clip_are_left_out():
    from vlfau.data.manifest import Frame

    frames = [Frame("a.png", "s", None, None, (), clip="one") for _ in range(6)] + [Frame("b.png", "s", None, None, ())]
    order = list(ClipShuffle(frames, 4, seed=0))
    assert len(order) == 4
    assert order == list(range(order[0], order[0] + 4))
    assert order[0] in {0, 1, 2}


def test_fewer_people_train_and_smaller_sets_are_parts_of_larger_ones(toy_config):
    manifest = read_manifest(toy_config().data.manifest)
    people = lambda count: {frame.subject_id for frame in take_subjects(manifest, count, seed=5).frames}
    assert len(people(1)) == 1
    assert people(2) < people(3) < people(4)
    with pytest.raises(ManifestError, match=r"4 people to train on, and data.train_subjects wants 5; lower it"):
        take_subjects(manifest, 5, seed=5)


def test_shuffled_captions_are_those_of_the_batch_in_other_places(toy_config):
    config = toy_config("run.caption_control=shuffled")
    data = data_of(config)
    module = module_of(config, data)
    batch = next(iter(data.train_dataloader()))
    torch.manual_seed(0)
    shuffled = module.caption_control.applied(batch)
    assert not torch.equal(shuffled.local_captions, batch.local_captions)
    as_sets = lambda captions: [sorted(map(tuple, face.tolist())) for face in captions]
    assert as_sets(shuffled.local_captions) == as_sets(batch.local_captions)
    assert sorted(map(tuple, shuffled.global_captions.tolist())) == sorted(map(tuple, batch.global_captions.tolist()))
    assert torch.equal(shuffled.occurrence, batch.occurrence)
    mask = batch.valid_mask.clone()
    mask[:, 1] = False
    captions = batch.local_captions.clone()
    captions[:, 1] = 0
    from dataclasses import replace

    partly = module.caption_control.applied(replace(batch, valid_mask=mask, local_captions=captions))
    assert (partly.local_captions[:, 1] == 0).all()
    assert as_sets(partly.local_captions) == as_sets(captions)


def test_a_method_with_stages_is_told_how_far_the_training_is(toy_config, tmp_path):
    config = toy_config("model.method=kdsrl", "run.max_epochs=4", "run.batch_size=8", "data.fold=1", *NO_WORDS)
    folder = train(config)
    metadata = json.loads((folder / "checkpoint.json").read_text())
    assert metadata["training"]["method"] == "kdsrl"
    assert {"loss_fau", "f1_macro"} <= metadata["scores"].keys()
    seconds = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["callbacks"]["TrainingTime"]["seconds"]
    assert seconds > 0


@pytest.mark.slow
def test_a_rival_goes_the_whole_way_from_crossval_to_a_prediction(toy_file, tmp_path, capsys):
    from vlfau.cli import main
    from vlfau.inference.bundle import load_bundle

    changes = [
        word for change in ("model.method=me-graphau", "run.max_epochs=1", *NO_WORDS) for word in ("--set", change)
    ]
    assert main(["crossval", str(toy_file), "--out", str(tmp_path / "cv"), *changes]) == 0
    checkpoint, bundle = tmp_path / "cv" / "fold1" / "checkpoint", tmp_path / "bundle"
    assert main(["export", str(checkpoint), str(bundle)]) == 0
    assert load_bundle(str(bundle)).info.note == "the method me-graphau predicts AUs only; it has no words"
    assert not load_bundle(str(bundle)).has_captions
    from vlfau import Predictor

    crops = np.random.default_rng(0).integers(0, 255, (2, 112, 112, 3), dtype=np.uint8)
    by_torch, by_graph = (Predictor(folder).score_crops(crops).au_probs for folder in (checkpoint, bundle))
    np.testing.assert_allclose(by_torch, by_graph, atol=5e-3)  # weights are stored at half precision
