import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.language.corrected import corrected_package, write_corrected
from tests.training.conftest import add_landmark
from vlfau.data.dataset import Batch, FrameDataset
from vlfau.data.manifest import read_manifest
from vlfau.errors import CheckpointError, ConfigError, InputError, ManifestError
from vlfau.language import Vocabulary, max_global_length
from vlfau.language.decoding import DecodingOptions, decode_captions
from vlfau.language.descriptions import default_descriptions
from vlfau.model.torch_backend import TorchStepper
from vlfau.model.vlfau import VISION_PARTS
from vlfau.training import load_checkpoint, save_checkpoint, train
from vlfau.training.callbacks import AveragedWeights
from vlfau.training.module import VLFAUModule, _decided
from vlfau.training.train import data_of, module_of


def spoken(decoder, features, vocabulary, longest):
    results = decode_captions(
        TorchStepper(decoder, features),
        bos_id=vocabulary.bos_id,
        eos_id=vocabulary.eos_id,
        banned_ids=[vocabulary.pad_id],
        options=DecodingOptions(max_length=longest, beam_size=3),
    )
    return [vocabulary.decode(result.token_ids) for result in results]


def test_the_aus_of_sixteen_faces_are_learnt_by_heart(toy_config):
    silent = ("model.local_language=false", "model.global_language=false")
    _, checkpoint = load_checkpoint(train(toy_config("run.max_epochs=60", "run.validate_every_epochs=60", *silent)))
    assert checkpoint.scores["f1_macro"] == 1.0


def test_sixty_epochs_teach_most_of_the_next_words(toy_config):
    config = toy_config("run.max_epochs=60", "run.validate_every_epochs=60")
    train(config)
    events = EventAccumulator(str(config.run.output / "tensorboard")).Reload()
    for kind in ("local", "global"):
        (top5,) = events.Scalars(f"val/top5_words_{kind}")
        assert top5.value > 0.5  # of five guesses among 243 words


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_sixteen_faces_are_learnt_by_heart_with_their_words(toy_config):
    config = toy_config("run.max_epochs=320", "run.validate_every_epochs=80")
    network, checkpoint = load_checkpoint(train(config))
    vocabulary = Vocabulary.from_list(checkpoint.vocabulary)
    frames = FrameDataset(read_manifest(config.data.manifest), vocabulary, crop_size=112, aligned_size=112)
    samples = list(frames)
    with torch.inference_mode():
        vision = network.encode(torch.stack([sample.face for sample in samples]))
        au_features = vision.au_features().flatten(0, 1)
    occurrence = torch.stack([sample.occurrence for sample in samples])
    assert torch.equal((vision.au_logits > 0).float(), occurrence)
    assert checkpoint.scores["f1_macro"] == 1.0
    longest = max_global_length(checkpoint.au_ids)
    local_truth = [vocabulary.decode(caption) for sample in samples for caption in sample.local_captions]
    global_truth = [vocabulary.decode(sample.global_caption) for sample in samples]
    assert spoken(network.local_decoder, au_features, vocabulary, longest) == local_truth
    assert spoken(network.global_decoder, vision.stem_features, vocabulary, longest) == global_truth


def test_a_run_leaves_its_files_and_a_resumed_one_equals_an_undisturbed_one(toy_config, tmp_path):
    whole = train(toy_config("run.max_epochs=3", f"run.output={tmp_path / 'whole'}"))
    parts = toy_config("run.max_epochs=3", f"run.output={tmp_path / 'parts'}")
    stopped = toy_config("run.max_epochs=3", f"run.output={tmp_path / 'parts'}", "run.stop_after_epochs=1")
    train(stopped)
    resumed = train(parts, resume=True)
    assert {path.name for path in whole.parent.iterdir()} == {
        "checkpoint",
        "config.json",
        "descriptions.json",
        "last.ckpt",
        "tensorboard",
    }
    assert {path.name for path in whole.iterdir()} == {"checkpoint.json", "descriptions.json", "model.safetensors"}
    ours, theirs = (torch.load(folder.parent / "last.ckpt", weights_only=True) for folder in (resumed, whole))
    assert ours["epoch"] == theirs["epoch"] == 2
    for name, weight in theirs["state_dict"].items():
        torch.testing.assert_close(ours["state_dict"][name], weight, msg=name)


def test_a_run_ends_with_the_texts_that_it_began_with(toy_config, tmp_path):
    train(toy_config("run.max_epochs=2", "run.stop_after_epochs=1"))
    began = default_descriptions().for_aus((1, 4, 12, 25))
    with corrected_package(write_corrected(tmp_path / "corrected")):
        metadata = load_checkpoint(train(toy_config("run.max_epochs=2"), resume=True))[1]
    assert metadata.descriptions == began
    assert metadata.vocabulary == Vocabulary.for_aus(metadata.au_ids, began).tokens


def test_the_average_of_the_weights_can_be_kept(toy_config, tmp_path, monkeypatch):
    decay, steps = 0.75, []
    keep = VLFAUModule.on_train_batch_end

    def watched(self, *arguments):
        steps.append({name: weight.clone() for name, weight in self.network.named_parameters()})
        keep(self, *arguments)

    monkeypatch.setattr(VLFAUModule, "on_train_batch_end", watched)
    network, _ = load_checkpoint(
        train(toy_config("run.max_epochs=4", "run.validate_every_epochs=4", f"optimiser.average_decay={decay}"))
    )
    assert len(steps) == 4
    for name, weight in network.named_parameters():
        average = steps[0][name]
        for step in steps[1:]:
            average = decay * average + (1 - decay) * step[name]
        torch.testing.assert_close(weight, average, msg=name)


def test_places_in_tables_are_not_averaged(toy_config):
    config = toy_config()
    module = module_of(config, data_of(config))
    tables = [name for name, buffer in module.named_buffers() if not buffer.is_floating_point()]
    assert tables
    averages = AveragedWeights(decay=0.95)
    trainer = SimpleNamespace(global_step=0, strategy=SimpleNamespace(root_device=torch.device("cpu")))
    averages.setup(trainer, module, "fit")
    for step in range(1, 4):
        trainer.global_step = step
        averages.on_train_batch_end(trainer, module, None, None, 0)
    kept, own = (dict(each.named_buffers()) for each in (averages._average_model.module, module))
    assert all(torch.equal(kept[name], own[name]) for name in tables)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 1.5])
def test_a_decay_that_is_no_share_is_refused(toy_config, decay):
    with pytest.raises(ConfigError, match="average_decay .* is not from 0 to below 1"):
        toy_config(f"optimiser.average_decay={decay}")


def test_a_resumed_average_equals_an_undisturbed_one(toy_config, tmp_path):
    changes = ("run.max_epochs=3", "optimiser.average_decay=0.6")
    whole, _ = load_checkpoint(train(toy_config(*changes, f"run.output={tmp_path / 'whole'}")))
    parts = (*changes, f"run.output={tmp_path / 'parts'}")
    train(toy_config(*parts, "run.stop_after_epochs=1"))
    resumed, _ = load_checkpoint(train(toy_config(*parts), resume=True))
    for (name, ours), theirs in zip(resumed.named_parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)


def test_unknown_labels_are_learnt_around(toy_config):
    config = toy_config("run.max_epochs=1")
    lines = config.data.manifest.read_text().splitlines()
    column = lines[0].split(",").index("AU12")
    masked = [line.split(",") for line in lines]
    for cells in masked[2::3]:
        cells[column] = cells[lines[0].split(",").index("AU12_side")] = ""
    config.data.manifest.write_text("\n".join(",".join(cells) for cells in masked) + "\n")
    _, checkpoint = load_checkpoint(train(config))
    assert all(np.isfinite(value) for value in checkpoint.scores.values())


def test_the_papers_of_a_run_say_where_it_comes_from(toy_config):
    _, checkpoint = load_checkpoint(train(toy_config("run.max_epochs=1", "data.fold=2")))
    assert checkpoint.fold == 2
    assert checkpoint.au_ids == (1, 4, 12, 25)
    assert checkpoint.training["data"] == "drawn faces"
    assert (checkpoint.training["synthetic"], checkpoint.training["from_scratch"]) == (True, True)
    assert (checkpoint.training["train_frames"], checkpoint.training["test_frames"]) == (8, 8)
    json.dumps(checkpoint.training)


def test_only_some_branches_may_speak_at_a_step(toy_config):
    train(toy_config("run.max_epochs=1", "run.local_captions_per_face=2"))


def test_captions_of_active_aus_can_be_drawn_first(toy_config):
    config = toy_config("run.local_captions_per_face=2", "run.active_first=0.5")
    data = data_of(config)
    module = module_of(config, data)
    occurrence = torch.tensor([[0.0, 1.0, 0.0, 1.0]] * 400)
    blank = torch.zeros(400, 0)
    torch.manual_seed(0)
    branches = module._draw_branches(Batch(blank, occurrence, *[blank] * 6))
    both_active = (occurrence.gather(1, branches).sum(1) == 2).float().mean()
    assert both_active == pytest.approx(0.5 + 0.5 / 6, abs=0.06)


def test_captions_can_teach_only_where_the_network_predicts_what_they_describe():
    captions = torch.arange(1, 13).view(2, 3, 2)
    au_logits = torch.tensor([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]])
    occurrence = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    batch = Batch(torch.zeros(2, 0), occurrence, *[torch.zeros(2, 0)] * 6)
    kept = _decided(captions, au_logits, batch, None, 0)
    assert kept[:, :, 0].tolist() == [[1, 0, 0], [7, 0, 11]]
    branches = torch.tensor([[2, 0], [1, 0]])
    assert _decided(captions[:, :2], au_logits, batch, branches, 0)[:, :, 0].tolist() == [[0, 3], [0, 9]]


def test_landmarks_are_learned_where_the_manifest_has_them(toy_config):
    config = toy_config("run.max_epochs=1", "model.landmarks=1", "model.mirrored=true")
    with pytest.raises(ManifestError, match=r"has 0 landmarks \(columns such as landmark_33_x\), and model.landmarks"):
        train(config)
    add_landmark(config.data.manifest)
    network, metadata = load_checkpoint(train(config))
    assert (metadata.model.landmarks, metadata.model.mirrored) == (1, True)
    assert network.landmark_branch is not None
    events = EventAccumulator(str(config.run.output / "tensorboard"))
    events.Reload()
    assert {"val/loss_landmarks", "val/loss_landmark_branch"} <= set(events.Tags()["scalars"])
    data = data_of(config)
    module = module_of(config, data)
    batch = next(iter(data.val_dataloader()))
    losses, _ = module._losses(batch, None)
    assert losses.landmarks is not None
    losses.landmarks.backward()
    finders = module.network.landmark_branch
    for part in (finders.maps, *finders.steps):  # the first places and every step have a loss
        assert any(parameter.grad.any() for parameter in part.parameters())
    with pytest.raises(ConfigError, match="needs two faces or more; raise run.batch_size"):
        module_of(replace(config, run=replace(config.run, batch_size=1)), data)


def test_runs_that_can_not_work_are_refused_with_the_remedy(toy_config):
    with pytest.raises(CheckpointError, match="nothing to resume"):
        train(toy_config(), resume=True)
    with pytest.raises(ConfigError, match="aligned_size 100 is below model.crop_size 112"):
        train(toy_config("data.aligned_size=100"))
    train(toy_config("run.max_epochs=1"))
    with pytest.raises(ConfigError, match="holds a run already; continue it with --resume"):
        train(toy_config("run.max_epochs=1"))


def test_an_au_that_is_never_active_is_named(toy_config):
    config = toy_config()
    text = config.data.manifest.read_text().replace("AU25", "AU26").replace("AU12_side", "note").splitlines()
    column = text[0].split(",").index("AU26")
    rows = [line.split(",") for line in text]
    for cells in rows[1:]:
        cells[column] = "0"
    config.data.manifest.write_text("\n".join(",".join(cells) for cells in rows) + "\n")
    with pytest.raises(ManifestError, match="AU26 is never active"):
        train(config)


def test_a_run_can_start_from_the_vision_half_of_a_wordless_one(toy_config, tmp_path):
    silent = ("model.local_language=false", "model.global_language=false")
    vision = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'vision'}", *silent))
    start, still = f"run.start_from={vision}", "optimiser.learning_rate=0"
    joint = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'joint'}", start, still))
    (earlier, _), (later, _) = load_checkpoint(vision), load_checkpoint(joint)
    for name, weight in earlier.state_dict().items():
        torch.testing.assert_close(later.state_dict()[name], weight, msg=name)
    assert later.local_decoder is not None
    with pytest.raises(CheckpointError, match=r"swin_tiny_patch4_window7_224, 32 wide\) is not that of this run"):
        train(toy_config(f"run.output={tmp_path / 'other'}", start, "model.feature_dim=64"))


def test_words_alone_learn_behind_a_frozen_vision_half(toy_config, tmp_path):
    normal = "model.normalise=true"
    joint = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'joint'}", normal))
    start, told = (f"run.start_from={joint}", "run.frozen_vision=true"), "model.told_scores=true"
    words = train(
        toy_config("run.max_epochs=1", f"run.output={tmp_path / 'words'}", *start, normal, told, "run.seed=2")
    )
    (earlier, _), (later, _) = load_checkpoint(joint), load_checkpoint(words)
    before, after = earlier.state_dict(), later.state_dict()
    seeing = [name for name in before if name.partition(".")[0] in VISION_PARTS]
    assert any("running_mean" in name for name in seeing)
    for name in seeing:
        assert torch.equal(before[name], after[name]), name
    assert later.told_scores.local.weight.abs().max() > 0
    changed = (before["local_decoder.gates.weight"] - after["local_decoder.gates.weight"]).abs()
    assert 0 < changed.mean() < 0.01  # it went on from there


def test_decoders_of_another_size_start_afresh_as_a_whole(toy_config, tmp_path):
    joint = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'joint'}"))
    start = (f"run.start_from={joint}", "run.frozen_vision=true", "optimiser.learning_rate=0", "run.seed=2")
    same = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'same'}", *start))
    other = train(toy_config("run.max_epochs=1", f"run.output={tmp_path / 'other'}", *start, "model.hidden_dim=24"))
    before, kept, fresh = (load_checkpoint(folder)[0].local_decoder.embedding.weight for folder in (joint, same, other))
    assert torch.equal(kept, before)
    assert not torch.equal(fresh, before)


def test_freezing_what_did_not_learn_or_cannot_speak_is_refused(toy_config):
    with pytest.raises(ConfigError, match=r"frozen_vision trains only the caption decoders; give run\.start_from"):
        train(toy_config("run.frozen_vision=true"))
    silent = ("model.local_language=false", "model.global_language=false")
    with pytest.raises(ConfigError, match="switch local_language or global_language on"):
        train(toy_config("run.frozen_vision=true", "run.start_from=somewhere", *silent))


def test_another_manifest_can_validate(toy_config, toy_file):
    folder = toy_file.parent / "others"
    folder.mkdir()
    for path in toy_file.parent.glob("*.png"):
        shutil.copy(path, folder)
    rows = (toy_file.parent / "manifest.csv").read_text().splitlines()
    (folder / "manifest.csv").write_text("\n".join(rows[:9]))
    _, checkpoint = load_checkpoint(train(toy_config("run.max_epochs=1", f"data.validation={folder}/manifest.csv")))
    assert checkpoint.training["test_frames"] == 8
    assert checkpoint.training["train_frames"] == 16


def test_validating_with_training_pictures_is_refused(toy_config, toy_file):
    with pytest.raises(ManifestError, match="validates with pictures that"):
        train(toy_config(f"data.validation={toy_file.parent}/manifest.csv"))


def test_validating_twice_is_refused(toy_config):
    with pytest.raises(ConfigError, match="both choose the validation data"):
        train(toy_config("data.validation=manifest.csv", "data.fold=1"))


def test_a_full_disk_leaves_the_last_whole_state(toy_config, monkeypatch):
    config = toy_config("run.max_epochs=2")
    train(toy_config("run.max_epochs=2", "run.stop_after_epochs=1"))
    last = config.run.output / "last.ckpt"
    before = last.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot write .*last.ckpt \(No space left on device\)"):
        train(config, resume=True)
    assert last.read_bytes() == before
    assert not list(config.run.output.glob("*.tmp"))
    monkeypatch.undo()
    train(config, resume=True)


def test_ctrl_c_ends_a_run_as_it_ends_other_commands(toy_config, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(VLFAUModule, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(toy_config())


def test_a_checkpoint_that_cannot_be_written_leaves_the_earlier_one(toy_config, monkeypatch):
    best = train(toy_config("run.max_epochs=1"))
    before = {path.name: path.read_bytes() for path in best.iterdir()}
    network, metadata = load_checkpoint(best)

    def full(*arguments):
        raise SafetensorError("Error while serializing: No space left on device")

    monkeypatch.setattr("vlfau.training.checkpoint.save_file", full)
    with pytest.raises(InputError, match="cannot write the checkpoint .*No space left"):
        save_checkpoint(best, network, metadata)
    assert {path.name: path.read_bytes() for path in best.iterdir()} == before
    assert not list(best.parent.glob(".checkpoint*"))


def test_intensities_need_intensities(toy_config):
    with pytest.raises(ManifestError, match="has no intensities"):
        train(toy_config("model.intensity=true"))


def test_the_last_epoch_is_always_validated(toy_config):
    _, checkpoint = load_checkpoint(train(toy_config("run.max_epochs=3", "run.validate_every_epochs=2")))
    assert checkpoint.scores["epoch"] == 3
    assert 0 <= checkpoint.scores["f1_macro"] <= 1


@pytest.mark.parametrize("damage", [lambda content: content[:-99], lambda content: b"x" * 99])
def test_a_damaged_state_is_not_gone_on_from(toy_config, damage):
    config = toy_config("run.max_epochs=2")
    train(toy_config("run.max_epochs=2", "run.stop_after_epochs=1"))
    last = config.run.output / "last.ckpt"
    last.write_bytes(damage(last.read_bytes()))
    with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged"):
        train(config, resume=True)
