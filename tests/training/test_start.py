"""A run that starts where only a bundle is left."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.language.corrected import corrected_package, write_corrected
from tests.training.conftest import add_landmark
from vlfau.errors import CheckpointError
from vlfau.export import export_bundle
from vlfau.facs import all_au_ids
from vlfau.inference.bundle import load_bundle, write_model_json
from vlfau.inference.predictor import Predictor
from vlfau.language import Vocabulary
from vlfau.language.descriptions import default_descriptions
from vlfau.model import ModelConfig, build_network, build_vlfau
from vlfau.model.vlfau import VISION_PARTS
from vlfau.training import Checkpoint, load_checkpoint, read_config, save_checkpoint, train
from vlfau.training.from_bundle import bundle_network
from vlfau.training.start import Start, read_start, take_weights

ROOT = Path(__file__).parents[2]
DEFAULT_WORDS = ROOT / "configs" / "default.yaml"
SMALL = ModelConfig(
    backbone="facemesh",
    crop_size=64,
    combined_dim=32,
    feature_dim=24,
    hidden_dim=40,
    embedding_dim=8,
    normalise=True,
    intensity=True,
    landmarks=3,
    mirrored=True,
    told_scores=True,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint whose every weight is random, running statistics too, and its bundle."""
    torch.manual_seed(3)
    texts = default_descriptions().for_aus((1, 4, 12, 25))
    words = Vocabulary.for_aus((1, 4, 12, 25), texts)
    network = build_vlfau(SMALL, num_aus=4, vocabulary_size=len(words))
    for name, tensor in network.state_dict().items():
        if "running_var" in name:
            tensor.uniform_(0.5, 2)
        elif tensor.is_floating_point() and "backbone" not in name:
            tensor.add_(0.1 * torch.randn_like(tensor))
    folder = tmp_path_factory.mktemp("trained")
    metadata = Checkpoint(
        model=SMALL,
        au_ids=(1, 4, 12, 25),
        vocabulary=words.tokens,
        fold=None,
        aligned_size=64,
        training={"data": "earlier faces", "synthetic": True, "from_scratch": True},
        scores={"f1_macro": 0.5},
        thresholds=(0.3, 0.4, 0.5, 0.6),
        descriptions=texts,
    )
    save_checkpoint(folder / "best", network, metadata)
    return folder / "best", export_bundle(folder / "best", folder / "bundle", half=False)


def states(network):
    return {
        name: weight
        for name, weight in network.state_dict().items()
        if not name.startswith("global_classifier") and "num_batches_tracked" not in name
    }


def test_a_network_is_read_back_from_its_bundle(trained):
    checkpoint, bundle = trained
    network, read = load_checkpoint(checkpoint)[0], bundle_network(bundle, SMALL)
    folded = ("landmark_branch.narrow", "landmark_branch.maps.head.2", "landmark_branch.maps.head.3")
    for name, weight in states(network).items():
        if not name.startswith(folded):  # These went into the convolution before them.
            torch.testing.assert_close(read.state_dict()[name], weight, msg=name)
    faces = torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    with torch.inference_mode():
        ours, theirs = read.encode(faces), network.encode(faces)
    torch.testing.assert_close(ours.au_logits, theirs.au_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours.by_landmarks.landmarks, theirs.by_landmarks.landmarks, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_a_network_with_movements_is_read_back_from_its_bundle(trained, tmp_path):
    config = dataclasses.replace(SMALL, movements=True, mirrored=False)
    metadata = dataclasses.replace(load_checkpoint(trained[0])[1], model=config)
    torch.manual_seed(4)
    network = build_vlfau(config, num_aus=4, vocabulary_size=len(metadata.vocabulary)).eval()
    network.load_state_dict(network.state_dict() | load_checkpoint(trained[0])[0].state_dict())
    network.part_weights.uniform_()
    for heads in network.movement_branch.score_heads:
        for name, buffer in heads.named_buffers():
            buffer.copy_(0.5 + torch.rand_like(buffer)) if name != "shift" else buffer.normal_()
    save_checkpoint(tmp_path / "best", network, metadata)
    read = bundle_network(export_bundle(tmp_path / "best", tmp_path / "bundle", half=False), config)
    faces = torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    with torch.inference_mode():
        torch.testing.assert_close(read.encode(faces).au_logits, network.encode(faces).au_logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(read.part_weights, network.part_weights)


@pytest.mark.slow
def test_what_was_read_back_exports_to_the_same_bundle(trained, tmp_path):
    checkpoint, bundle = trained
    metadata = load_checkpoint(checkpoint)[1]
    save_checkpoint(tmp_path / "best", bundle_network(bundle, SMALL), metadata)
    again = export_bundle(tmp_path / "best", tmp_path / "bundle", half=False)
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    predictors = (Predictor(each, describe="every", consistent=False) for each in (again, bundle))
    ours, theirs = (predictor.predict_crops(crops) for predictor in predictors)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose([au.prob for au in one.aus], [au.prob for au in other.aus], atol=1e-5)
        assert [au.local_caption for au in one.aus] == [au.local_caption for au in other.aus]


def test_the_default_model_is_read_back_from_its_bundle():
    bundle, config = load_bundle(), read_config(DEFAULT_WORDS)
    assert bundle.info.au_ids == all_au_ids()
    network = bundle_network(bundle, config.model)
    crops = np.random.default_rng(7).integers(0, 256, (3, 160, 160, 3), dtype=np.uint8)
    with torch.inference_mode():
        ours = network.encode(torch.from_numpy(crops).permute(0, 3, 1, 2)).au_logits.sigmoid().numpy()
    theirs = Predictor(bundle).score_crops(crops).au_probs
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mirrored": False}, r"gives other au_logits .*model\.mirrored"),
        ({"intensity": False}, r"no weight landmark_branch\.judge\.5\.weight of the shape \[4, 256\]"),
        ({"landmarks": 4}, "no weight landmark_branch"),
        ({"feature_dim": 32}, r"no weight .* of the shape \[32, 32\]"),
        ({"backbone": "resnet10t"}, r"no weight stem\.backbone"),
        ({"told_scores": False}, "gives other stem_features"),
    ],
)
def test_a_configuration_of_another_model_is_refused(trained, changes, message):
    with pytest.raises(CheckpointError, match=message) as caught:
        bundle_network(trained[1], dataclasses.replace(SMALL, **changes))
    assert str(trained[1].folder) in str(caught.value)


def test_a_graph_that_computes_otherwise_is_refused(trained, tmp_path):
    folder = shutil.copytree(trained[1].folder, tmp_path / "bundle")
    model = onnx.load(folder / "vision.onnx")
    (node,) = (node for node in model.graph.node if node.op_type == "Clip")
    low = next(weight for weight in model.graph.initializer if weight.name == node.input[1])
    low.CopyFrom(numpy_helper.from_array(np.float32(100), low.name))
    onnx.save(model, folder / "vision.onnx")
    with pytest.raises(CheckpointError, match="gives other au_logits than a network with its weights"):
        bundle_network(write_model_json(folder, trained[1].info), SMALL)


def test_a_bundle_without_words_teaches_none(trained, tmp_path):
    folder = shutil.copytree(trained[1].folder, tmp_path / "bundle", ignore=shutil.ignore_patterns("global_*"))
    with pytest.raises(CheckpointError, match=r"has no global_init\.onnx, and the configuration wants its words"):
        bundle_network(write_model_json(folder, trained[1].info), SMALL)


@pytest.fixture
def words_config(toy_file, toy_config, trained):
    """Return a function that reads a configuration which teaches words behind the bundle."""
    manifest = toy_file.parent / "manifest.csv"
    add_landmark(manifest)
    header, *rows = manifest.read_text().splitlines()
    columns = [f"landmark_{number}_{axis}" for number in (2, 3) for axis in "xy"] + ["AU12_intensity"]
    filled = [f"{row},50,60,50,60,{3 * int(row.split(',')[header.split(',').index('AU12')])}" for row in rows]
    manifest.write_text("\n".join([",".join([header, *columns]), *filled]) + "\n")
    model = {key: value for key, value in dataclasses.asdict(SMALL).items() if key != "backbone_options"}
    settings = [f"model.{key}={json.dumps(value)}" for key, value in model.items()]
    settings += ["model.backbone_options={}", "data.aligned_size=64", "run.frozen_vision=true", "run.max_epochs=1"]
    return lambda *changes: toy_config(*settings, f"run.start_from={trained[1].folder}", *changes)


def test_words_are_taught_anew_behind_the_vision_half_of_a_bundle(words_config, trained, tmp_path):
    earlier = load_checkpoint(trained[0])[0]
    with corrected_package(write_corrected(tmp_path / "corrected")):
        network, metadata = load_checkpoint(train(words_config("optimiser.learning_rate=1.0e-3")))
    before, after = states(bundle_network(trained[1], SMALL)), states(network)
    for name, weight in before.items():
        if name.partition(".")[0] in VISION_PARTS:
            assert torch.equal(after[name], weight), name
    assert metadata.thresholds == (0.3, 0.4, 0.5, 0.6)
    assert metadata.training["data"] == "earlier faces"
    assert metadata.training["words"]["data"] == "drawn faces"
    assert "corner" not in metadata.vocabulary
    assert "angle" in metadata.vocabulary
    known = load_checkpoint(trained[0])[1].vocabulary
    old = earlier.local_decoder.embedding.weight[known.index("lip")]
    new = network.local_decoder.embedding.weight[metadata.vocabulary.index("lip")]
    assert 0 < (new - old).abs().max() < 0.05  # a word that both know went on from there
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    with torch.inference_mode():
        probs = network.encode(torch.from_numpy(crops).permute(0, 3, 1, 2)).au_logits.sigmoid().numpy()
    np.testing.assert_allclose(probs, Predictor(trained[1]).score_crops(crops).au_probs, atol=1e-5)


def test_the_weights_of_the_parts_are_those_of_the_start(words_config):
    model = dataclasses.replace(SMALL, landmarks=0, mirrored=False, movements=True)
    words = Vocabulary.for_aus((1, 4, 12, 25), default_descriptions().for_aus((1, 4, 12, 25)))
    earlier, later = (build_vlfau(model, num_aus=4, vocabulary_size=len(words)) for _ in range(2))
    earlier.part_weights.uniform_()
    take_weights(later, Start(earlier, "small", words.tokens, None, {}), words.tokens, words_config())
    assert torch.equal(later.part_weights, earlier.part_weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("run.start_from=nowhere", "nowhere is neither a checkpoint nor a bundle"),
        ("run.start_from=default", r"bundle default is for the AUs \[1, 2, 4"),
        ("data.fold=1", "does not say which fold it left out"),
        ("data.aligned_size=72", "sees crops of 64 pixels of faces of 64, and this run gives 64 of 72"),
        ("model.mirrored=false", "gives other au_logits"),
        ("model.method=sev-net", "is a network of the method vl-fau, and this run's is sev-net"),
    ],
)
def test_a_run_that_does_not_fit_the_bundle_is_refused(words_config, change, message):
    config = words_config(change)
    with pytest.raises(CheckpointError, match=message):
        train(config)
    assert not (config.run.output / "config.json").exists()


def test_a_rival_starts_from_its_checkpoint_and_not_from_its_bundle(toy_config, trained, tmp_path):
    off = (f"model.{part}=false" for part in ("local_language", "global_language", "dair", "multi_scale"))
    config = toy_config("model.method=sev-net", "data.fold=null", *off)
    au_ids = (1, 4, 12, 25)
    first, second = (build_network(config.model, au_ids=au_ids, vocabulary_size=1) for _ in range(2))
    save_checkpoint(tmp_path / "checkpoint", first, Checkpoint(config.model, au_ids, (), None, 64, {}, {}))
    bundle = tmp_path / "bundle"
    shutil.copytree(trained[1].folder, bundle)
    info = json.loads((bundle / "model.json").read_text())
    info["training"]["method"] = "sev-net"
    (bundle / "model.json").write_text(json.dumps(info))

    def started_from(folder, model=config.model):
        return dataclasses.replace(config, model=model, run=dataclasses.replace(config.run, start_from=folder))

    take_weights(second, read_start(started_from(tmp_path / "checkpoint"), au_ids), (), config)
    assert torch.equal(second.rival.embed.weight, first.rival.embed.weight)
    with pytest.raises(CheckpointError, match="start from the checkpoint that it was exported from"):
        read_start(started_from(bundle), au_ids)
    ours = dataclasses.replace(config.model, method="vl-fau")
    for folder in (tmp_path / "checkpoint", bundle):
        with pytest.raises(CheckpointError, match="is a network of the method sev-net, and this run's is vl-fau"):
            read_start(started_from(folder, ours), au_ids)
