"""Frames as tensors: a face, its labels and its words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vlfau.data.manifest import Frame, Manifest
from vlfau.data.regions import REGION_GRID, REGIONS_FOLDER, region_on_grid, region_path
from vlfau.data.transforms import Augmentation, Matrix, centre_crop
from vlfau.errors import ImageError, ManifestError
from vlfau.faces.pose import landmark_mirror
from vlfau.facs import AUState
from vlfau.language import Descriptions, Gender, Vocabulary, global_description, local_description, mirrored
from vlfau.media.crops import read_crop

__all__ = ["Batch", "FrameDataset", "Sample", "collate"]

UNKNOWN_PLACE = (math.nan, math.nan)


@dataclass(frozen=True)
class Sample:
    """One frame.

    Attributes:
        face: (3, S, S) uint8.
        occurrence: (N,) float, 0 or 1.
        valid_mask: (N,) bool, True where annotated.
        intensity: (N,) float, 0 to 5; NaN where unknown.
        landmarks: (K, 2), x and y as shares of the crop's side; NaN where unknown or outside of the crop.
        regions: (N, G, G) uint8, the share of every cell that an active AU moves, of 255; 0 without a mask. G is 0 if
            regions are not wanted.
        local_captions: Token ids of every AU's caption with the end; empty without annotation or without captions.
        global_caption: Token ids of the face's caption with the end; empty likewise.
    """

    face: Tensor
    occurrence: Tensor
    valid_mask: Tensor
    intensity: Tensor
    landmarks: Tensor
    regions: Tensor
    local_captions: Sequence[Sequence[int]]
    global_caption: Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Samples stacked; captions are padded.

    Attributes:
        faces: (B, 3, S, S) uint8.
        occurrence: (B, N).
        valid_mask: (B, N) bool.
        intensity: (B, N), NaN where unknown.
        landmarks: (B, K, 2), NaN where unknown.
        regions: (B, N, G, G) uint8, 0 where unknown.
        local_captions: (B, N, T) with the end, without the start.
        global_captions: (B, T) likewise.
    """

    faces: Tensor
    occurrence: Tensor
    valid_mask: Tensor
    intensity: Tensor
    landmarks: Tensor
    regions: Tensor
    local_captions: Tensor
    global_captions: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(getattr(self, entry.name).to(device, non_blocking=True) for entry in fields(self)))

    def pin_memory(self) -> "Batch":
        """Return the batch in page-locked memory, for faster copies to a GPU."""
        return Batch(*(getattr(self, entry.name).pin_memory() for entry in fields(self)))


class FrameDataset(Dataset[Sample]):
    """The frames of a manifest.

    Args:
        manifest: The frames.
        vocabulary: Turns words into numbers.
        crop_size: Side of the faces returned, in pixels.
        aligned_size: Side that the pictures must have at least; larger ones are shrunk to it.
        augmentation: Varies faces and captions at random; None takes the centre crop and the canonical captions.
        gender_dropout: With augmentation, the share of global captions that say "person" although the gender
            is known, so that the decoder learns the neutral subject too.
        seed: Seed of the random numbers.
        keep_in_memory: Whether to read all pictures now and keep them (3 * aligned_size ** 2 bytes each).
        words: Whether samples come with captions; without, these are empty.
        descriptions: The texts to describe with; None means the package's own.
        regions: Whether samples come with the masks that lie beside the frames (`vlfau.data.regions`).

    Attributes:
        epoch: Part of the seed: set it before each epoch, so that every epoch draws other numbers.
        drawn_with: The frame whose random numbers each frame shares, so that a clip's frames vary alike.
    """

    def __init__(
        self,
        manifest: Manifest,
        vocabulary: Vocabulary,
        *,
        crop_size: int,
        aligned_size: int,
        augmentation: Augmentation | None = None,
        gender_dropout: float = 0.0,
        seed: int = 0,
        keep_in_memory: bool = False,
        words: bool = True,
        descriptions: Descriptions | None = None,
        regions: bool = False,
    ) -> None:
        self.manifest, self.vocabulary, self.words, self.descriptions = manifest, vocabulary, words, descriptions
        self.regions = regions
        self.crop_size, self.aligned_size = crop_size, aligned_size
        self.augmentation, self.gender_dropout, self.seed = augmentation, gender_dropout, seed
        self.epoch = 0
        self.drawn_with: Mapping[int, int] = {}
        known = {number: place for place, number in enumerate(manifest.landmark_ids)}
        self._mirrored = [known.get(landmark_mirror(number)) for number in manifest.landmark_ids]
        self._faces = [self._read(frame) for frame in manifest.frames] if keep_in_memory else None

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.manifest.frames)

    def __getitem__(self, index: int) -> Sample:
        """Return one frame, augmented if an augmentation is set."""
        frame = self.manifest.frames[index]
        face, shrinkage = self._read(frame) if self._faces is None else self._faces[index]
        states: Sequence[AUState | None] = frame.states
        gender: Gender | None = frame.gender
        words_rng: np.random.Generator | None = None
        if self.augmentation is None:
            face, matrix = centre_crop(face, self.crop_size)
            flip = False
        else:
            rng = np.random.default_rng((self.seed, self.epoch, self.drawn_with.get(index, index)))
            flip = self.augmentation.flips(rng)
            face, matrix = self.augmentation(face, rng, flip=flip)
            states = mirrored(states) if flip else states
            gender = None if rng.random() < self.gender_dropout else gender
            words_rng = rng if self.augmentation.config.paraphrases else None
        return Sample(
            face=torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1))),
            occurrence=torch.tensor([float(state is not None and state.active) for state in states]),
            valid_mask=torch.tensor([state is not None for state in states]),
            intensity=torch.tensor([math.nan if level is None else level for level in frame.intensities]).float(),
            landmarks=self._landmarks(frame, shrinkage, matrix, flip=flip),
            regions=self._regions(frame, matrix),
            local_captions=[
                self.vocabulary.encode(local_description(state, words_rng, self.descriptions))
                if self.words and state is not None
                else []
                for state in states
            ],
            global_caption=self.vocabulary.encode(
                global_description(
                    [state for state in states if state is not None], gender, words_rng, self.descriptions
                )
            )
            if self.words and frame.can_be_described
            else [],
        )

    def _landmarks(self, frame: Frame, shrinkage: float, matrix: Matrix, *, flip: bool) -> Tensor:
        places = np.array(frame.landmarks_xy).reshape(-1, 2)
        if flip:
            places = np.array([UNKNOWN_PLACE if place is None else places[place] for place in self._mirrored])
            places = places.reshape(-1, 2)
        shrunk = (places + 0.5) * shrinkage - 0.5
        shares = (shrunk @ matrix[:, :2].T + matrix[:, 2] + 0.5) / self.crop_size
        shares[~((shares >= 0) & (shares <= 1)).all(1)] = math.nan
        return torch.from_numpy(shares).float()

    def _regions(self, frame: Frame, matrix: Matrix) -> Tensor:
        side = REGION_GRID if self.regions else 0
        regions = np.zeros((len(frame.states), side, side), np.uint8)
        if self.regions:
            folder = self.manifest.path.parent
            image = frame.image.relative_to(folder).as_posix()
            sizes = {"crop_size": self.crop_size, "aligned_size": self.aligned_size}
            for column, state in enumerate(frame.states):
                if state is not None and state.active:
                    path = region_path(folder / REGIONS_FOLDER, image, state.au_id)
                    if path.is_file():
                        regions[column] = region_on_grid(path, matrix, **sizes)
        return torch.from_numpy(regions)

    def _read(self, frame: Frame) -> tuple[NDArray[np.uint8], float]:
        """Return a face and by how much it was shrunk."""
        try:
            face = read_crop(frame.image, self.aligned_size)
        except ImageError as error:
            raise ManifestError(f"{error}; {self.manifest.path} names the file") from error
        return face.pixels, 1 / face.reduction


def collate(samples: Sequence[Sample], *, pad_id: int) -> Batch:
    """Stack samples and pad their captions to the longest of each kind."""
    local_captions = [caption for sample in samples for caption in sample.local_captions]
    num_aus = len(samples[0].local_captions)
    return Batch(
        faces=torch.stack([sample.face for sample in samples]),
        occurrence=torch.stack([sample.occurrence for sample in samples]),
        valid_mask=torch.stack([sample.valid_mask for sample in samples]),
        intensity=torch.stack([sample.intensity for sample in samples]),
        landmarks=torch.stack([sample.landmarks for sample in samples]),
        regions=torch.stack([sample.regions for sample in samples]),
        local_captions=_pad(local_captions, pad_id).view(len(samples), num_aus, -1),
        global_captions=_pad([sample.global_caption for sample in samples], pad_id),
    )


def _pad(captions: Sequence[Sequence[int]], pad_id: int) -> Tensor:
    padded = torch.full((len(captions), max(1, *map(len, captions))), pad_id)
    for row, caption in zip(padded, captions, strict=True):
        row[: len(caption)] = torch.tensor(caption, dtype=torch.long)
    return padded
