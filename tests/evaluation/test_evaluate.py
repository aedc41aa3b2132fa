import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.language.corrected import corrected_package, write_corrected
from tests.training.conftest import add_landmark
from vlfau.cli.evaluate import evaluate as command
from vlfau.errors import CheckpointError, ConfigError, ManifestError
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.scores import DataInfo, read_scores
from vlfau.evaluation.tested import Scope
from vlfau.language import parse_local
from vlfau.training import read_metadata, train


@pytest.fixture
def manifest(toy_file):
    return toy_file.with_name("manifest.csv")


@pytest.fixture
def checkpoint(toy_config):
    return train(toy_config("run.max_epochs=1", "data.fold=2"))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; give a number from 1 to"),
        ({"batch_size": 2.5}, "batch_size is 2.5; give a number from 1 to"),
        ({"num_workers": -1}, "workers is -1; give a number from 1 to"),
    ],
)
def test_numbers_that_no_machine_can_work_with_are_refused(numbers, message):
    with pytest.raises(ConfigError, match=message):
        EvalOptions(**numbers)


def test_scores_are_those_that_training_saw_and_the_files_hold_every_frame(checkpoint, manifest, tmp_path):
    scores = evaluate(checkpoint, manifest, tmp_path / "out", options=EvalOptions(batch_size=3))
    known = read_metadata(checkpoint).scores
    assert scores.f1_macro == pytest.approx(known["f1_macro"], abs=1e-4)
    assert scores.words["local_top5_canonical"] == pytest.approx(known["top5_words_local"], abs=1e-4)
    assert scores.words["global_top5_canonical"] == pytest.approx(known["top5_words_global"], abs=1e-4)
    assert scores.data == DataInfo(description="drawn faces", synthetic=True)
    assert (scores.fold, scores.frames, scores.subjects, scores.words["frames"]) == (2, 8, 2, 8)
    assert scores.truth["consistent_agrees_with_predicted"] == 1
    assert scores.counterfactuals == {}
    assert json.loads((tmp_path / "out" / "scores.json").read_text()) == scores.to_dict()
    assert read_scores(tmp_path / "out") == scores

    predictions = Predictions.load(tmp_path / "out")
    assert set(predictions.folds) == {2}
    assert predictions.images[0] == "1.png"
    assert predictions.au_features.shape == (8, 4, 32)
    assert predictions.attention_maps.shape == (8, 4, 4, 4)
    states = predictions.au_probs >= 0.5
    for texts, active in zip(predictions.consistent_captions, states, strict=True):
        assert [parse_local(text).active for text in texts] == active.tolist()


def test_answers_do_not_depend_on_the_batches_nor_on_what_else_is_described(checkpoint, manifest, tmp_path):
    scope = Scope(described_frames=3)
    whole = evaluate(checkpoint, manifest, tmp_path / "whole")
    some = evaluate(checkpoint, manifest, tmp_path / "some", scope=scope, options=EvalOptions(batch_size=2))
    ours, theirs = Predictions.load(tmp_path / "some"), Predictions.load(tmp_path / "whole")
    np.testing.assert_allclose(ours.au_probs, theirs.au_probs, atol=1e-5)
    places = [0, 4, 7]
    assert ours.described().images == tuple(ours.images[place] for place in places)
    for name in ("local_captions", "global_captions", "consistent_captions"):
        assert getattr(ours.take(places), name) == getattr(theirs.take(places), name)
    assert (some.words["frames"], whole.words["frames"]) == (3, 8)
    assert some.f1_macro == whole.f1_macro


def test_without_words_nothing_is_said_and_scored(toy_config, manifest, tmp_path):
    silent = ("model.local_language=false", "model.global_language=false", "model.dair=false")
    vision = train(toy_config("run.max_epochs=1", "data.fold=1", *silent))
    scores = evaluate(vision, manifest, tmp_path / "out", scope=Scope(describe=True))
    assert scores.words == {}
    assert not (tmp_path / "out" / "captions.jsonl").exists()


def test_frames_of_the_training_are_refused(checkpoint, manifest, toy_config, tmp_path):
    with pytest.raises(CheckpointError, match=r"left out fold 2, so it was trained on fold 1; use .* --fold all"):
        evaluate(checkpoint, manifest, tmp_path / "out", fold=1)
    assert not (tmp_path / "out").exists()
    everything = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'everything'}"))
    with pytest.raises(CheckpointError, match="left out no fold: it was trained on every frame"):
        evaluate(everything, manifest, tmp_path / "out")
    scores = evaluate(everything, manifest, tmp_path / "out", fold="all", scope=Scope(describe=False))
    assert (scores.fold, scores.frames) == (None, 16)


def test_a_manifest_with_other_aus_is_scored_over_the_common_ones(checkpoint, manifest, tmp_path, capsys):
    other = manifest.with_name("other.csv")
    other.write_text(manifest.read_text().replace("AU1,", "AU2,").replace(",fold", ",note"))
    with pytest.raises(ManifestError, match="has no frame of fold 2"):
        evaluate(checkpoint, other, tmp_path / "out")
    command(checkpoint, other, out=tmp_path / "out", fold="all", data="other faces", synthetic=False)
    said = capsys.readouterr()
    assert "no labels of AU1, which the network also predicts" in said.err
    assert "16 frames of 4 people (other faces)" in said.out
    scores = read_scores(tmp_path / "out")
    assert scores.au_ids == (4, 12, 25)
    assert scores.data == DataInfo(description="other faces", synthetic=False)
    assert scores.network.trained_on_synthetic is True
    assert len(Predictions.load(tmp_path / "out").local_captions[0]) == 3
    strange = manifest.with_name("strange.csv")
    strange.write_text("image,subject,AU9\n0.png,S1,1\n")
    with pytest.raises(ManifestError, match="none of which the network predicts"):
        evaluate(checkpoint, strange, tmp_path / "out", fold="all")


def test_masks_and_pairs_beside_the_manifest_are_used(checkpoint, manifest, tmp_path):
    regions = manifest.with_name("regions")
    regions.mkdir()
    mask = np.zeros((112, 112), np.uint8)
    mask[:56] = 255
    for index in (1, 7):
        Image.fromarray(mask).save(regions / f"{index}-au1.png")
    with manifest.with_name("pairs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "partner", "au", "partner_has_it"])
        writer.writerows([["1.png", "0.png", 1, 0], ["0.png", "1.png", 1, 1]])  # 0.png is of the other fold
    add_landmark(manifest)  # those of the frames are none of their partners'
    few = Scope(described_frames=2)
    scores = evaluate(checkpoint, manifest, tmp_path / "out", scope=few)
    assert 0 < scores.truth["energy_in_region"] < 1
    assert scores.truth["energy_expected"] == pytest.approx(0.5, abs=0.01)
    assert scores.counterfactuals["pairs"] == 1
    assert scores.counterfactuals["local_words_flip"] in {0, 1}
    manifest.with_name("pairs.csv").write_text("image,partner,au,partner_has_it\n1.png,gone.png,1,0\n")
    with pytest.raises(ManifestError, match=r"names gone\.png, which is not a file"):
        evaluate(checkpoint, manifest, tmp_path / "out", scope=few)
    assert not (tmp_path / "out" / "scores.json").exists()


def test_impossible_scopes_are_refused():
    with pytest.raises(ConfigError, match="a probability between 0 and 1, not 50"):
        Scope(threshold=50)
    with pytest.raises(ConfigError, match="0 frames can't be described"):
        Scope(described_frames=0)
    assert Scope(described_frames=100).indices(3) == [0, 1, 2]
    assert Scope(describe=False).indices(3) == []


def test_a_correction_of_the_packages_texts_changes_no_score_of_a_network(checkpoint, manifest, tmp_path):
    before = evaluate(checkpoint, manifest, tmp_path / "before")
    with corrected_package(write_corrected(tmp_path / "corrected")):
        after = evaluate(checkpoint, manifest, tmp_path / "after")
    assert (after.words, after.truth) == (before.words, before.truth)
    assert Predictions.load(tmp_path / "after").descriptions == read_metadata(checkpoint).descriptions


def test_words_that_nobody_can_read_any_more_are_not_measured(checkpoint, manifest, tmp_path):
    metadata = json.loads((checkpoint / "checkpoint.json").read_text())
    del metadata["descriptions_fingerprint"]
    (checkpoint / "checkpoint.json").write_text(json.dumps(metadata | {"format": 1}))
    with (
        corrected_package(write_corrected(tmp_path / "corrected")),
        pytest.raises(CheckpointError, match="lacks the descriptions that it was trained on"),
    ):
        evaluate(checkpoint, manifest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert evaluate(checkpoint, manifest, tmp_path / "out").truth["consistent_agrees_with_predicted"] == 1
