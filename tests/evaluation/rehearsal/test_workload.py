import json

import pytest
import torch

from vlfau.data.manifest import read_manifest
from vlfau.evaluation.crossval import crossval, fold_configs
from vlfau.evaluation.rehearsal import DataCount, workloads
from vlfau.evaluation.tested import Scope
from vlfau.training.train import data_of


@pytest.fixture
def counts(toy_config):
    return DataCount.of(read_manifest(toy_config().data.manifest))


def test_the_data_are_counted_by_fold(counts):
    assert (counts.au_ids, counts.frames, counts.subjects, counts.fold_numbers) == ((1, 4, 12, 25), 16, 4, (1, 2))
    assert [(each.subjects, each.frames, each.positives) for each in counts.folds] == [(2, 8, (4, 4, 4, 4))] * 2
    assert (counts.tested(1), counts.trained(1), counts.tested(None)) == (8, 8, 16)


def test_the_forecast_of_steps_frames_and_captions_is_what_the_runs_do(toy_config, counts, tmp_path):
    config = toy_config("run.max_epochs=3", "run.batch_size=3", "run.validate_every_epochs=2")
    scope = Scope(described_frames=2)
    works = workloads(fold_configs(config, tmp_path / "cv", [1, 2]), tmp_path / "cv", counts, scope)
    crossval(config, tmp_path / "cv", scope=scope)
    for work in works:
        state = torch.load(tmp_path / "cv" / work.name / "last.ckpt", weights_only=True)
        assert work.steps == state["global_step"] == 3 * (8 // 3)
        captions = (tmp_path / "cv" / work.name / "captions.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in captions.splitlines()]
        assert work.tested == len(lines)
        said = [[*line["local"].values(), *line["consistent"].values(), line["global"]] for line in lines]
        described = [texts for texts in said if any(texts)]  # an untrained network may say nothing of a whole face
        assert work.captions == sum(map(len, described)) == 2 * (4 + 4 + 1)
        assert (work.described, work.train_frames, work.validated) == (2, 8, 2 * 8)


def test_people_who_are_held_out_validate_and_do_not_train(toy_config, counts, tmp_path):
    config = toy_config("run.epoch_choice=held-out", "run.held_out_share=0.25", "run.batch_size=1", "run.max_epochs=1")
    runs = fold_configs(config, tmp_path, [1])
    (work,) = workloads(runs, tmp_path, counts, Scope())
    data = data_of(runs[0])  # one of two people
    assert work.train_frames == len(data.train_frames.frames)
    assert work.validated == len(data.validation_frames.frames)
    assert (work.steps, work.tested) == (work.train_frames, 8)


def test_a_network_without_words_describes_nothing(toy_config, counts, tmp_path):
    silent = toy_config("model.local_language=false", "model.global_language=false")
    (work,) = workloads(fold_configs(silent, tmp_path, [1]), tmp_path, counts, Scope())
    assert (work.described, work.captions, work.network) == (0, 0, "multi_scale dair")
    local = toy_config("model.global_language=false")
    (work,) = workloads(fold_configs(local, tmp_path, [1]), tmp_path, counts, Scope(described_frames=3))
    assert (work.described, work.captions) == (3, 3 * 8)


def test_another_method_is_named_as_such(toy_config, counts, tmp_path):
    without = [f"model.{part}=false" for part in ("local_language", "global_language", "dair", "multi_scale")]
    rival = toy_config("model.method=sev-net", *without)
    (work,) = workloads(fold_configs(rival, tmp_path, [1]), tmp_path, counts, Scope())
    assert work.network == "sev-net"
