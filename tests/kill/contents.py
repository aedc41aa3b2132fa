"""What a command leaves that must be the same, however it was disturbed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

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


def _is_dated(name):
    return "tensorboard/" in name or name.endswith(("last.ckpt", "config.json"))


def _plain(state):
    kept = ("epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers")
    return repr({name: _lists(state[name]) for name in kept})


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
    "crossval": trained,
    "ablate": trained,
}
"""By command; all files of the others."""
