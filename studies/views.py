"""Every face of a manifest as the frozen stages of a stem see it, computed once for all runs of a study.

Dimensions: F frames, V views.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor, nn

from vlfau.data.clips import ClipShuffle
from vlfau.data.dataset import Batch, FrameDataset, collate
from vlfau.data.manifest import Manifest, read_manifest
from vlfau.data.transforms import Augmentation
from vlfau.language import Vocabulary
from vlfau.model.facemesh import FaceMeshBackbone
from vlfau.training import TrainConfig

__all__ = ["Views"]

WINDOW: Final = 8
"""Frames of a clip that are varied alike, so that methods that train on clips see them move and not jump."""
AT_ONCE: Final = 64


class Views:
    """Every face of a manifest as the frozen stages see it: V varied views, and the plain one that is tested.

    Arrays lie in files that several runs share, and that later runs read again.

    Args:
        config: Its data, crop, augmentation and backbone count.
        views: V.
        folder: Folder of the files.
        notify: Called with a remark when they have to be computed.
    """

    def __init__(self, config: TrainConfig, views: int, folder: Path, notify: Callable[[str], None] = print) -> None:
        frames = read_manifest(config.data.manifest, config.data.au_ids())
        self.rows = {frame.image: row for row, frame in enumerate(frames.frames)}
        vocabulary = Vocabulary.for_aus(frames.au_ids)
        about = repr((config.data.manifest.read_bytes(), frames.au_ids, config.augmentation, config.model.crop_size))
        digest = hashlib.sha256(f"{about} {config.data.aligned_size} {views} {len(vocabulary)}".encode()).hexdigest()
        at = folder / digest[:16]
        if not (at / "done").is_file():
            notify(f"computing {views + 1} views of {len(self.rows)} faces in {at}")
            at.mkdir(parents=True, exist_ok=True)
            _compute(config, frames, vocabulary, views, at)
            (at / "done").touch()
        self.faces = np.load(at / "faces.npy", mmap_mode="r")  # (V + 1, F, 3, S, S)
        self.features = np.load(at / "features.npy", mmap_mode="r")  # (V + 1, F, C, H, W)
        self.labels: list[Batch] = torch.load(at / "labels.pt", weights_only=False)  # without faces
        self.count = views

    def batch(self, rows: Sequence[int], views: Sequence[int], pad_id: int) -> tuple[Batch, Tensor]:
        """Return faces with their labels, and what the frozen stages see of them, (B, C, H, W)."""
        faces = torch.from_numpy(self.faces[views, rows])
        labels = {
            entry.name: torch.stack(
                [getattr(self.labels[view], entry.name)[row] for view, row in zip(views, rows, strict=True)]
            )
            for entry in fields(Batch)
            if entry.name != "faces"
        }
        for name in ("local_captions", "global_captions"):
            labels[name] = _cut(labels[name], pad_id)
        batch = Batch(faces=faces, **labels)
        return batch, torch.from_numpy(self.features[views, rows]).float()


def _cut(captions: Tensor, pad_id: int) -> Tensor:
    """Return token ids (..., T) without what is padding in all; at least one place stays."""
    used = (captions != pad_id).flatten(0, -2).any(0)
    return captions[..., : max(1, int(used.sum()))].long()


def _compute(config: TrainConfig, frames: Manifest, vocabulary: Vocabulary, views: int, at: Path) -> None:
    size, count = config.model.crop_size, len(frames.frames)
    backbone = FaceMeshBackbone().eval()
    windows = ClipShuffle(frames.frames, WINDOW, seed=0).first_frames()
    faces = features = None
    labels = []
    for view in range(views + 1):
        augmentation = Augmentation(config.augmentation, crop_size=size) if view < views else None
        dataset = FrameDataset(
            frames,
            vocabulary,
            crop_size=size,
            aligned_size=config.data.aligned_size,
            augmentation=augmentation,
            gender_dropout=config.data.gender_dropout,
        )
        dataset.epoch, dataset.drawn_with = view, windows
        samples = []
        for row in range(count):
            sample = dataset[row]
            if faces is None or features is None:
                faces = open_memmap(at / "faces.npy", "w+", np.uint8, (views + 1, count, *sample.face.shape))
                with torch.inference_mode():
                    level = backbone.first_level(sample.face[None] / 255)[0]
                features = open_memmap(at / "features.npy", "w+", np.float16, (views + 1, count, *level.shape))
            faces[view, row] = sample.face
            samples.append(replace(sample, face=torch.zeros(0)))
        assert faces is not None
        assert features is not None
        with torch.inference_mode():
            for start in range(0, count, AT_ONCE):
                some = torch.from_numpy(faces[view, start : start + AT_ONCE])
                features[view, start : start + AT_ONCE] = backbone.first_level(some / 255).numpy()
        batch = collate(samples, pad_id=vocabulary.pad_id)
        shorter = {name: getattr(batch, name).short() for name in ("local_captions", "global_captions")}
        labels.append(replace(batch, **shorter))
    longest = [max(getattr(each, name).shape[-1] for each in labels) for name in ("local_captions", "global_captions")]
    torch.save([_padded(each, longest, vocabulary.pad_id) for each in labels], at / "labels.pt")


def _padded(batch: Batch, lengths: Sequence[int], pad_id: int) -> Batch:
    captions = (batch.local_captions, batch.global_captions)
    local, whole = (
        nn.functional.pad(each, (0, length - each.shape[-1]), value=pad_id)
        for each, length in zip(captions, lengths, strict=True)
    )
    return replace(batch, local_captions=local, global_captions=whole)
