import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.evaluation.conftest import untrained
from tests.training.conftest import AUS, toy_config, toy_file
from vlfau.cli import main
from vlfau.errors import BundleError, CheckpointError, ConfigError
from vlfau.export import export_bundle
from vlfau.inference.bundle import load_bundle
from vlfau.inference.predictor import Predictor
from vlfau.inference.runtimes import chosen_runtime, open_backend
from vlfau.inference.schema import CHECKPOINT_FILE
from vlfau.model.checkpoint import METADATA_FILE, load_checkpoint
from vlfau.model.torch_backend import TorchBackend

__all__ = ["toy_config", "toy_file", "untrained"]

SIZE = 112


@pytest.fixture
def checkpoint(untrained):
    return untrained("run/checkpoint", thresholds=(0.5, 0.4, 0.5, 0.6))


def faces(count):
    return np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)


def test_a_checkpoint_says_of_itself_what_a_bundle_says(checkpoint):
    bundle = load_bundle(checkpoint)
    assert CHECKPOINT_FILE == METADATA_FILE
    assert bundle.is_checkpoint
    assert (bundle.info.name, bundle.info.version, bundle.info.fold) == ("run", "checkpoint", 2)
    assert (bundle.info.au_ids, bundle.info.thresholds) == (AUS, (0.5, 0.4, 0.5, 0.6))
    assert (bundle.info.crop.aligned_size, bundle.info.crop.crop_size) == (SIZE, SIZE)
    assert bundle.has_local_captions
    assert bundle.has_global_captions
    assert bundle.info.is_synthetic
    assert sorted(bundle.files) == ["checkpoint.json", "model.safetensors"]


def test_a_checkpoint_predicts_what_its_bundle_predicts(checkpoint, tmp_path):
    export_bundle(checkpoint, tmp_path / "bundle", half=False)
    for consistent in (True, False):
        options = {"describe": "every", "consistent": consistent}
        ours = Predictor(checkpoint, **options).predict_crops(faces(3))
        theirs = Predictor(tmp_path / "bundle", **options).predict_crops(faces(3))
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.global_caption == other.global_caption
            assert [au.local_caption for au in mine.aus] == [au.local_caption for au in other.aus]
            np.testing.assert_allclose([au.prob for au in mine.aus], [au.prob for au in other.aus], atol=1e-5)
            for own, its in zip(mine.aus, other.aus, strict=True):
                np.testing.assert_allclose(own.attention_map, its.attention_map, atol=1e-5)


def test_features_are_those_of_the_network(checkpoint):
    network = load_checkpoint(checkpoint).network
    crops = faces(2)
    found = open_backend(load_bundle(checkpoint)).encode(crops)
    with torch.inference_mode():
        vision = network.encode(torch.from_numpy(crops).permute(0, 3, 1, 2))
        torch.testing.assert_close(torch.from_numpy(found.au_features), vision.au_features())
        torch.testing.assert_close(torch.from_numpy(found.stem_features), vision.face_features)
        torch.testing.assert_close(torch.from_numpy(found.pooled_features), vision.au_features().mean(2))
    assert found.au_intensities is None


def test_the_runtime_says_where_torch_computes(checkpoint, monkeypatch):
    bundle, devices = load_bundle(checkpoint), []

    class Recorded(TorchBackend):
        def __init__(self, network, *, device, threads):
            devices.append(device)
            super().__init__(network, device="cpu")

    monkeypatch.setattr("vlfau.model.torch_backend.TorchBackend", Recorded)
    assert chosen_runtime(bundle, "auto") == "torch"
    for runtime in ("onnxruntime", "cpu", "cuda", "torch", "auto"):
        open_backend(bundle, runtime)
    open_backend(bundle, "torch", device="cuda:1")
    assert devices == ["cpu", "cpu", "cuda", None, None, "cuda:1"]
    for runtime in ("openvino", "tensorrt", "coreml"):
        with pytest.raises(ConfigError, match=f"is a checkpoint, .* `vlfau export` to make a bundle for {runtime}"):
            open_backend(bundle, runtime)


def test_threads_are_those_that_torch_may_use(checkpoint):
    before = torch.get_num_threads()
    try:
        Predictor(checkpoint, threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_named(checkpoint):
    with pytest.raises(ConfigError, match="torch cannot use the device cuda here"):
        Predictor(checkpoint, runtime="torch", device="cuda")


def test_damaged_checkpoints_are_named(checkpoint):
    (checkpoint / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match=r"the weights .*model\.safetensors do not fit"):
        Predictor(checkpoint)
    (checkpoint / METADATA_FILE).write_text("{")
    with pytest.raises(CheckpointError, match=r"checkpoint\.json is damaged"):
        Predictor(checkpoint)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"thresholds": [0.5, float("nan"), 0.5, 0.5]},
            r"the thresholds \[0.5, nan, 0.5, 0.5\] are not all from 0 to 1",
        ),
        ({"thresholds": [0.5, 2, 0.5, 0.5]}, "are not all from 0 to 1"),
        ({"aligned_size": 10}, "crop_size 112 must be at least 1 and at most aligned_size 10"),
        ({"fold": "two"}, "'fold': Input should be a valid integer"),
        ({"scores": {"f1": None}}, "'scores.f1': Input should be a valid number"),
    ],
    ids=["no number", "too high", "too small", "no integer", "no score"],
)
def test_impossible_metadata_are_named_in_one_line(checkpoint, changes, message):
    path = checkpoint / METADATA_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(
        CheckpointError, match=rf"^.*checkpoint\.json is damaged \(.*{message}.*copy the checkpoint again$"
    ):
        Predictor(checkpoint)


def test_a_missing_weight_is_named_in_one_line(checkpoint):
    weights = load_file(checkpoint / "model.safetensors")
    del weights["classifier.linear.bias"]
    save_file(weights, checkpoint / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"^the weights .*Missing key.*classifier\.linear\.bias.*again$"):
        Predictor(checkpoint)


def test_a_checkpoint_whose_weights_are_no_numbers_is_refused(checkpoint):
    weights = load_file(checkpoint / "model.safetensors")
    weights["classifier.linear.bias"].fill_(torch.nan)
    save_file(weights, checkpoint / "model.safetensors")
    with pytest.raises(BundleError, match="expected finite numbers .* or train the checkpoint again"):
        Predictor(checkpoint).predict_crops(faces(1))


def test_a_checkpoint_fetches_no_weights(checkpoint):
    path = checkpoint / METADATA_FILE
    metadata = json.loads(path.read_text())
    metadata["model"]["backbone_options"]["pretrained"] = True
    path.write_text(json.dumps(metadata))
    with pytest.raises(CheckpointError, match="the option 'pretrained' of the backbone loads weights, maybe from the"):
        Predictor(checkpoint)


def test_a_file_of_a_checkpoint_is_not_its_folder(checkpoint):
    with pytest.raises(
        BundleError, match=r"model\.safetensors is a file, and a bundle or checkpoint is a folder; give"
    ):
        Predictor(checkpoint / "model.safetensors")


def test_the_command_takes_a_checkpoint(checkpoint, tmp_path, capsys):
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "black.png")
    assert main(["predict", str(tmp_path / "black.png"), "--model", str(checkpoint)]) in {0, 2}
    assert "learned its AUs from synthetic faces only" in " ".join(capsys.readouterr().err.split())
    assert main(["info", "--model", str(checkpoint)]) == 0
    assert "run" in capsys.readouterr().out


def test_without_torch_the_extra_is_named_and_bundles_need_none(checkpoint, tiny_bundle):
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from vlfau.errors import MissingExtraError\n"
        "from vlfau.inference.predictor import Predictor\n"
        f"Predictor({str(tiny_bundle.folder)!r})\n"
        "try:\n"
        f"    Predictor({str(checkpoint)!r})\n"
        "except MissingExtraError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = "training, checkpoints, evaluation and export need the extra 'train', which is not installed; run: "
    assert done.stdout.startswith(expected)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(BundleError, match=r"has neither model\.json nor checkpoint\.json; give a folder written by"):
        load_bundle(tmp_path)
