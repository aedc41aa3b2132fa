import argparse
import pickle
import re

import pytest
import timm
import torch
from safetensors.torch import save_file

from vlfau.errors import ConfigError
from vlfau.model.stem import create_backbone

SWIN = "swin_tiny_patch4_window7_224"
SMALL = {"embed_dim": 12, "depths": (1, 1, 2, 1), "num_heads": (1, 1, 2, 2)}


@pytest.fixture(scope="module")
def plain():
    """A small Swin as timm builds it, whose every tensor holds numbers of its own."""
    torch.manual_seed(7)
    network = timm.create_model(SWIN, img_size=64, num_classes=11, **SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return network


def load(path, **options):
    return create_backbone(SWIN, crop_size=64, weights=path, options=options or SMALL).network


def levels(network):
    """What the four levels say of a picture."""
    torch.manual_seed(1)
    with torch.inference_mode():
        return network.eval()(torch.rand(1, 3, 64, 64))


def expected(plain):
    torch.manual_seed(1)
    with torch.inference_mode():
        maps = plain.eval().forward_intermediates(torch.rand(1, 3, 64, 64), intermediates_only=True)
    return [each.permute(0, 2, 3, 1) for each in maps]


def original_names(weights):
    """Name a Swin's tensors as its authors do: a stage ends with the next one's halving, and buffers are stored."""
    named = {}
    for key, value in weights.items():
        earlier = re.sub(r"layers\.(\d)\.down", lambda match: f"layers.{int(match[1]) - 1}.down", key)
        named[earlier.replace("head.fc.", "head.")] = value
        if key.endswith("relative_position_bias_table"):
            named[key.replace("bias_table", "index")] = torch.zeros(49, 49, dtype=torch.long)
    return named | {"layers.0.blocks.0.attn_mask": torch.zeros(64, 49, 49)}


def without_head(weights):
    return {key: value for key, value in weights.items() if not key.startswith(("head", "norm."))}


def of_feature_extractor(weights):
    return {re.sub(r"^layers\.", "layers_", key): value for key, value in without_head(weights).items()}


SPELLINGS = {
    "timm's model": dict,
    "without a head": without_head,
    "timm's feature extractor": of_feature_extractor,
    "its authors": original_names,
    "a detector's backbone": lambda weights: (
        {f"backbone.{key}": value for key, value in weights.items()} | {"neck.conv.weight": torch.zeros(3)}
    ),
    "a wrapped encoder": lambda weights: {
        f"module.encoder.{key}": value for key, value in original_names(weights).items()
    },
    "half precision": lambda weights: {key: value.double() for key, value in weights.items()},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_weights_reach_their_places_however_they_are_named(plain, tmp_path, spelling):
    save_file(SPELLINGS[spelling](plain.state_dict()), tmp_path / "swin.safetensors")
    for ours, theirs in zip(levels(load(tmp_path / "swin.safetensors")), expected(plain), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("wrap", [dict, lambda weights: {"model": weights}, lambda weights: {"state_dict": weights}])
def test_files_of_torch_are_read_with_what_training_scripts_put_around(plain, tmp_path, wrap):
    content = wrap(original_names(plain.state_dict()))
    torch.save({**content, "epoch": 3, "args": argparse.Namespace(lr=0.1)}, tmp_path / "swin.pth")
    for ours, theirs in zip(levels(load(tmp_path / "swin.pth")), expected(plain), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_averaged_weights_come_before_the_last_ones(plain, tmp_path):
    other = {key: torch.zeros_like(value) for key, value in plain.state_dict().items()}
    torch.save({"state_dict": other, "state_dict_ema": plain.state_dict()}, tmp_path / "swin.pth")
    torch.testing.assert_close(levels(load(tmp_path / "swin.pth"))[0], expected(plain)[0])


def test_position_biases_of_another_window_are_resampled(tmp_path):
    source = timm.create_model(SWIN, img_size=224, **SMALL)
    save_file(source.state_dict(), tmp_path / "swin.safetensors")
    network = load(tmp_path / "swin.safetensors", **SMALL, window_size=4)
    assert network.state_dict()["layers_0.blocks.0.attn.relative_position_bias_table"].shape == (49, 1)
    assert torch.equal(network.patch_embed.proj.weight, source.patch_embed.proj.weight)


def test_other_backbones_are_loaded_too(tmp_path):
    for name in ("resnet10t", "convnext_atto"):
        source = timm.create_model(name)
        save_file(source.state_dict(), tmp_path / f"{name}.safetensors")
        ours = create_backbone(name, crop_size=64, weights=tmp_path / f"{name}.safetensors").network.state_dict()
        theirs = {key.replace(".", "_"): value for key, value in source.state_dict().items()}
        assert all(torch.equal(value, theirs[key.replace(".", "_")]) for key, value in ours.items())


def first_layer_alone(weights):
    return {key: value for key, value in weights.items() if key.startswith("layers.0.")}


def one_stranger(weights):
    return {"unrelated": torch.zeros(1)}


def one_too_many(weights):
    return weights | {"layers.7.weight": torch.zeros(1)}


def one_misshapen(weights):
    return weights | {"patch_embed.proj.bias": torch.zeros(5)}


def one_infinite(weights):
    return weights | {"patch_embed.proj.bias": torch.full((12,), torch.inf)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (first_layer_alone, r"of its 78 tensors are missing \(patch_embed\.proj\.weight, .*, \.\.\.\); give a file"),
        (one_stranger, r"78 of its 78 tensors are missing .*, 1 are unknown to it \(unrelated\)"),
        (one_too_many, r"not those of swin_tiny_patch4_window7_224: 1 are unknown to it \(layers\.7\.weight\)"),
        (one_misshapen, r": 1 have another shape \(patch_embed\.proj\.bias: 5 in place of 12\); give"),
        (one_infinite, r"numbers that are not finite \(patch_embed\.proj\.bias\)"),
    ],
)
def test_weights_that_are_not_the_backbones_are_refused_by_name(plain, tmp_path, change, words):
    save_file(change(plain.state_dict()), tmp_path / "swin.safetensors")
    with pytest.raises(ConfigError, match=words):
        load(tmp_path / "swin.safetensors")


def test_weights_of_another_architecture_are_refused(tmp_path):
    save_file(timm.create_model("resnet10t").state_dict(), tmp_path / "resnet.safetensors")
    with pytest.raises(ConfigError, match=r"not those of swin_tiny.* tensors are missing .* are unknown to it \(bn1"):
        load(tmp_path / "resnet.safetensors")
    other = timm.create_model(SWIN, img_size=64, **SMALL | {"embed_dim": 24, "depths": (1, 1, 1, 1)})
    save_file(other.state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match=r"of its 78 tensors are missing \(layers_2\.blocks\.1\..* another shape"):
        load(tmp_path / "other.safetensors")


class Code:
    def __init__(self, touched):
        self.touched = touched

    def __reduce__(self):
        return open, (self.touched, "w")


def test_a_pickle_with_code_is_refused_and_not_run(plain, tmp_path):
    touched = tmp_path / "touched"
    torch.save({"model": plain.state_dict(), "extra": Code(str(touched))}, tmp_path / "swin.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"model": Code(str(touched))}))
    for name in ("swin.pth", "old.pth"):
        with pytest.raises(ConfigError, match=r"hold Python objects besides weights.*save the weights alone"):
            load(tmp_path / name)
    assert not touched.exists()


def test_files_that_are_no_weights_are_refused_in_a_sentence(plain, tmp_path):
    save_file(plain.state_dict(), tmp_path / "whole.safetensors")
    torch.save(plain.state_dict(), tmp_path / "whole.pth")
    damaged = {
        "half.safetensors": (tmp_path / "whole.safetensors").read_bytes()[:5000],
        "half.pth": (tmp_path / "whole.pth").read_bytes()[:5000],
        "pickle.pth": pickle.dumps([1, 2])[:-3],
    }
    torch.save([1, 2], tmp_path / "list.pth")
    contents = {name: (content, "damaged") for name, content in damaged.items()} | {
        "empty.safetensors": (b"", "are empty"),
        "page.safetensors": (b"<!DOCTYPE html><html>", "neither safetensors nor what torch.save writes"),
        "pointer.safetensors": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
        "numbers.pth": ((tmp_path / "list.pth").read_bytes(), "no named tensors"),
    }
    for name, (content, words) in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=words) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="are a folder; give the file"):
        load(tmp_path)
    with pytest.raises(ConfigError, match=r"absent\.safetensors do not exist"):
        load(tmp_path / "absent.safetensors")


def test_weights_for_a_backbone_that_brings_its_own_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="'facemesh' brings its own weights"):
        create_backbone("facemesh", crop_size=64, weights=tmp_path / "swin.safetensors")
