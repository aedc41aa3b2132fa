"""The data of one fold, ready for Lightning."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import lightning as L
import torch
from torch.utils.data import DataLoader, Sampler

from vlfau.data.clips import ClipShuffle
from vlfau.data.dataset import Batch, FrameDataset, collate
from vlfau.data.folds import hold_out, take_subjects
from vlfau.data.manifest import Manifest, read_manifest
from vlfau.data.transforms import Augmentation, AugmentationConfig
from vlfau.errors import ManifestError
from vlfau.language import Descriptions, Vocabulary
from vlfau.language.descriptions import default_descriptions

__all__ = ["FaceDataModule"]


class EpochShuffle(Sampler[int]):
    """An order that depends only on the seed, so that a resumed run sees the same frames as an undisturbed one."""

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.length

    def __iter__(self) -> Iterator[int]:
        """Yield the index of every frame once."""
        generator = torch.Generator().manual_seed(self.seed)
        yield from torch.randperm(self.length, generator=generator).tolist()


class FaceDataModule(L.LightningDataModule):
    """Training and validation frames of one fold of a manifest.

    The test fold validates, unless a share of the training people is held out for that. Without a fold, the frames of
    `validation` test and validate; without these too, the training frames themselves do.

    Args:
        manifest: Path of the CSV file.
        au_ids: The AUs, in order; None takes those of the file.
        fold: The fold that tests; None trains on all frames.
        validation: A manifest of other people that tests in place of a fold.
        held_out_share: Share of the training people held out for validation; None trains on all of them.
        aligned_size: Side of the aligned pictures.
        crop_size: Side of the network's input.
        batch_size: Faces per step.
        num_workers: Loading processes; 0 loads in this one.
        augmentation: Random variations of the training faces.
        gender_dropout: See `FrameDataset`.
        seed: Seed of the augmentation and of the choice of held-out people.
        keep_in_memory: Whether to keep all pictures in memory.
        words: Whether there are captions.
        descriptions: The texts of at least these AUs; None means the package's own.
        train_subjects: How many people train, drawn by the seed; None takes all.
        regions: Whether samples come with the masks that lie beside the frames.
        clip_length: Frames of the clips that train, consecutive in the batches; 1 trains on single frames.

    Attributes:
        train_frames: The frames that train.
        test_frames: The frames of the test fold, or what stands for it.
        validation_frames: The frames that validate: those of the held-out people, or else `test_frames`.
        held_out_subjects: The people of the manifest who are held out, sorted.

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
        held_out_share: float | None = None,
        clip_length: int = 1,
        train_subjects: int | None = None,
        regions: bool = False,
    ) -> None:
        super().__init__()
        frames = read_manifest(manifest, au_ids)
        self.au_ids = frames.au_ids
        self.descriptions = (descriptions or default_descriptions()).for_aus(self.au_ids)
        self.vocabulary = Vocabulary.for_aus(self.au_ids, self.descriptions)
        self.train_frames, self.test_frames = frames.split(fold)
        if validation is not None:
            self.test_frames = _others(read_manifest(validation, self.au_ids), frames)
        if train_subjects is not None:
            self.train_frames = take_subjects(self.train_frames, train_subjects, seed=seed)
        self.validation_frames, self.held_out_subjects = self.test_frames, tuple[str, ...]()
        if held_out_share is not None:
            self.train_frames, held_out = hold_out(self.train_frames, share=held_out_share, seed=seed)
            self.validation_frames = held_out
            if fold is None and validation is None:
                self.test_frames = held_out
            self.held_out_subjects = tuple(sorted({frame.subject_id for frame in held_out.frames}))
        self.batch_size, self.num_workers, self.seed = batch_size, num_workers, seed
        self.clip_length = clip_length
        read = partial(
            FrameDataset,
            vocabulary=self.vocabulary,
            crop_size=crop_size,
            aligned_size=aligned_size,
            keep_in_memory=keep_in_memory,
            words=words,
            descriptions=self.descriptions,
            regions=regions,
        )
        self.train_set = read(
            self.train_frames,
            augmentation=Augmentation(augmentation, crop_size=crop_size),
            gender_dropout=gender_dropout,
            seed=seed,
        )
        self.validation_set = read(self.validation_frames)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return shuffled, augmented training frames; call again in every epoch."""
        self.train_set.epoch = self.trainer.current_epoch if self.trainer is not None else 0
        return self._loader(self.train_set, shuffle=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation frames in order, without augmentation."""
        return self._loader(self.validation_set, shuffle=False)

    def _order(self, frames: FrameDataset) -> EpochShuffle | ClipShuffle:
        """Return the order of an epoch's training frames."""
        seed = self.seed + frames.epoch
        if self.clip_length == 1:
            return EpochShuffle(len(frames), seed)
        clips = ClipShuffle(frames.manifest.frames, self.clip_length, seed)
        frames.drawn_with = clips.first_frames()
        return clips

    def _loader(self, frames: FrameDataset, *, shuffle: bool) -> DataLoader[Batch]:
        if self.num_workers:
            # A forked process lacks OpenCV's threads and would wait for them forever.
            cv2.setNumThreads(1)
        sampler = self._order(frames) if shuffle else None
        return DataLoader(
            frames,  # type: ignore[arg-type]
            batch_size=self.batch_size,
            sampler=sampler,
            generator=torch.Generator(),  # keeps torch's own random numbers for the network
            drop_last=sampler is not None and len(sampler) >= self.batch_size,
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
