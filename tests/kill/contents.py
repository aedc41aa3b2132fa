"""What a command leaves that must be the same, however it was disturbed."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from tests.kill.killing import files_of
from tests.video.clips import decoded


def predicted(out: Path) -> dict[str, object]:
    """What `predict` leaves; of videos the times, for their encoder chooses its bytes anew in every run."""
    found: dict[str, object] = dict(files_of(out, but=lambda name: name.endswith(".mp4")))
    return found | {
        path.relative_to(out).as_posix(): [time for time, _ in decoded(path)] for path in out.rglob("*.mp4")
    }


def processed(out: Path) -> dict[str, bytes]:
    """What `batch` leaves, but for the name of the run."""
    return files_of(out, but=lambda name: name.endswith("_state/run"))


def trained(out: Path) -> dict[str, object]:
    """What training leaves, but for TensorBoard's files, which hold times."""
    found: dict[str, object] = dict(files_of(out, but=_is_dated))
    for path in out.rglob("config.json"):
        settings = json.loads(path.read_bytes())
        settings["run"].pop("output")
        found[str(path.relative_to(out))] = settings
    for path in out.rglob("last.ckpt"):
        found[str(path.relative_to(out))] = _plain(torch.load(path, weights_only=True))
    return found


class Near:
    """The arrays of a file of weights, which equal others within the noise of sums in float32."""

    def __init__(self, arrays: Mapping[str, object]) -> None:
        self.arrays = arrays

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Near) and _are_near(self.arrays, other.arrays)

    __hash__ = None


def several_trained(out: Path) -> dict[str, object]:
    """What several trainings leave: of one that begins in a process of its own, sums differ by 1e-7."""
    found = trained(out)
    for path in (*out.rglob("*.safetensors"), *out.rglob("last.ckpt")):
        name = str(path.relative_to(out))
        is_state = path.suffix == ".ckpt"
        found[name] = Near(_kept(torch.load(path, weights_only=True)) if is_state else load_file(path))
    for path in out.rglob("answers.npz"):
        with np.load(path) as arrays:
            found[str(path.relative_to(out))] = Near({name: arrays[name].tolist() for name in arrays.files})
    return found


def _are_near(one, other):
    if isinstance(one, torch.Tensor):
        return torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-6)
    if isinstance(one, float):  # Features are stored at half precision.
        return math.isclose(one, other, rel_tol=2e-3, abs_tol=1e-4) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_are_near(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_are_near, one, other))
    return one == other


def _is_dated(name):
    return "tensorboard/" in name or name.endswith(("last.ckpt", "config.json"))


def _plain(state):
    return repr(_lists(_kept(state)))


def _kept(state):
    return {name: state[name] for name in ("epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers")}


def _lists(value):
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value


CONTENTS: dict[str, Callable[[Path], Mapping[str, object]]] = {
    "predict": predicted,
    "batch": processed,
    "train": trained,
    "crossval": several_trained,
    "ablate": several_trained,
}
"""By command; all files of the others."""
