"""The data of one fold, ready for Lightning."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import lightning as L
import torch
from torch.utils.data import DataLoader, Sampler

from vlfau.data.dataset import Batch, FrameDataset, collate
from vlfau.data.manifest import Manifest, read_manifest
from vlfau.data.transforms import Augmentation, AugmentationConfig
from vlfau.errors import ManifestError
from vlfau.language import Descriptions, Vocabulary
from vlfau.language.descriptions import default_descriptions

__all__ = ["FaceDataModule"]


class EpochShuffle(Sampler[int]):
    """An order that depends on the seed alone, so that a resumed run sees what an undisturbed one sees."""

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.length

    def __iter__(self) -> Iterator[int]:
        """Yield every frame's place once."""
        generator = torch.Generator().manual_seed(self.seed)
        yield from torch.randperm(self.length, generator=generator).tolist()


class FaceDataModule(L.LightningDataModule):
    """Training and validation frames of one fold of a manifest.

    Args:
        manifest: Path of the CSV file.
        au_ids: The AUs, in order; None takes those of the file.
        fold: The fold that validates; None trains on all frames.
        validation: A manifest of other people that validates in place of a fold; None with no fold validates on the
            training frames themselves.
        aligned_size: Side of the aligned pictures.
        crop_size: Side of the network's input.
        batch_size: Faces a step.
        num_workers: Processes that load; 0 loads in this one.
        augmentation: How training faces are varied.
        gender_dropout: See `FrameDataset`.
        seed: Of the augmentation.
        keep_in_memory: Whether to keep all pictures in memory.
        words: Whether there are captions.
        descriptions: The texts of at least these AUs; None means the package's own.

    Raises:
        ManifestError: A manifest or a picture of it is wrong, or the manifests share a picture.
    """

    def __init__(
        self,
        *,
        manifest: Path,
        au_ids: tuple[int, ...] | None,
        fold: int | None,
        aligned_size: int,
        crop_size: int,
        batch_size: int,
        num_workers: int,
        augmentation: AugmentationConfig,
        gender_dropout: float,
        seed: int,
        keep_in_memory: bool,
        words: bool = True,
        validation: Path | None = None,
        descriptions: Descriptions | None = None,
    ) -> None:
        super().__init__()
        frames = read_manifest(manifest, au_ids)
        self.au_ids = frames.au_ids
        self.descriptions = (descriptions or default_descriptions()).for_aus(self.au_ids)
        self.vocabulary = Vocabulary.for_aus(self.au_ids, self.descriptions)
        self.train_frames, self.test_frames = frames.split(fold)
        if validation is not None:
            self.test_frames = _others(read_manifest(validation, self.au_ids), frames)
        self.batch_size, self.num_workers, self.seed = batch_size, num_workers, seed
        read = partial(
            FrameDataset,
            vocabulary=self.vocabulary,
            crop_size=crop_size,
            aligned_size=aligned_size,
            keep_in_memory=keep_in_memory,
            words=words,
            descriptions=self.descriptions,
        )
        self.train_set = read(
            self.train_frames,
            augmentation=Augmentation(augmentation, crop_size=crop_size),
            gender_dropout=gender_dropout,
            seed=seed,
        )
        self.test_set = read(self.test_frames)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return shuffled, varied training frames; ask anew every epoch."""
        self.train_set.epoch = self.trainer.current_epoch if self.trainer is not None else 0
        return self._loader(self.train_set, shuffle=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation frames in order, unvaried."""
        return self._loader(self.test_set, shuffle=False)

    def _loader(self, frames: FrameDataset, *, shuffle: bool) -> DataLoader[Batch]:
        return DataLoader(
            frames,  # type: ignore[arg-type]
            batch_size=self.batch_size,
            sampler=EpochShuffle(len(frames), self.seed + frames.epoch) if shuffle else None,
            generator=torch.Generator(),  # leaves torch's own randomness to the network
            drop_last=shuffle and len(frames) >= self.batch_size,
            num_workers=self.num_workers,
            worker_init_fn=_use_one_thread,
            collate_fn=partial(collate, pad_id=self.vocabulary.pad_id),
        )


def _use_one_thread(worker: int) -> None:
    cv2.setNumThreads(1)


def _others(validation: Manifest, training: Manifest) -> Manifest:
    """Return a manifest that shares no picture with another."""
    shared = {frame.image.resolve() for frame in validation.frames} & {
        frame.image.resolve() for frame in training.frames
    }
    if shared:
        raise ManifestError(
            f"{validation.path} validates with pictures that {training.path} trains on, {min(shared)} for one; "
            "give frames of other people"
        )
    return validation
