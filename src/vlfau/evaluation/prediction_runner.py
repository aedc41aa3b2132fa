"""Runs a model on the frames of a manifest and collects its `Predictions`.

Dimensions: F frames, B faces in a batch, N AUs, S sequences, L locations, d channels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset

from vlfau.data.dataset import FrameDataset, Sample
from vlfau.data.manifest import Frame, Manifest
from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.predictions import UNKNOWN, Predictions
from vlfau.evaluation.word_accuracy import WordAccuracy
from vlfau.facs import AUState
from vlfau.files.workers import MAX_WORKERS, check_number
from vlfau.inference.au_scores import AUScores
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle
from vlfau.inference.captioner import Captioner
from vlfau.inference.checkpoint import network_bundle
from vlfau.inference.predictor import Predictor
from vlfau.language import Gender, Vocabulary
from vlfau.model import VLFAU
from vlfau.model.checkpoint import Checkpoint
from vlfau.model.torch_backend import TorchBackend

__all__ = ["EvalOptions", "PredictionRunner", "face_batches"]

GENDER_LETTERS = {Gender.WOMAN: "F", Gender.MAN: "M", None: ""}
BEAM_SIZE = 3
MAX_BATCH_SIZE = 65_536
"""More faces at once would only fill the memory."""


@dataclass(frozen=True)
class EvalOptions:
    """How to run a model.

    Attributes:
        batch_size: Batch size.
        num_workers: Number of processes for reading pictures; 0 reads in this process.
        device: Torch device for a checkpoint; None uses a GPU if available. Bundles run on the CPU.
        progress: Called with the number of steps done and their total.

    Raises:
        ConfigError: A number is out of range.
    """

    batch_size: int = 32
    num_workers: int = 0
    device: str | None = None
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_number("batch_size", self.batch_size, MAX_BATCH_SIZE)
        if self.num_workers:
            check_number("workers", self.num_workers, MAX_WORKERS)


class PredictionRunner:
    """Runs a model on the frames of manifests.

    Args:
        bundle: A bundle or a checkpoint.
        backend: The same model, loaded.
        au_ids: AUs to return, a subset of the model's.
        options: How to run it.
    """

    def __init__(self, bundle: Bundle, backend: Backend, au_ids: Sequence[int], options: EvalOptions) -> None:
        self.bundle, self.au_ids, self.options = bundle, tuple(au_ids), options
        self._predictor = Predictor(bundle, backend=backend)
        self._columns = [bundle.info.au_ids.index(au_id) for au_id in self.au_ids]
        # Captions may name a gender, as the references do.
        captioner = partial(Captioner, bundle, backend, describe="every", beam_size=BEAM_SIZE, gendered=True)
        self._free, self._consistent = captioner(), captioner(consistent=True)
        self._word_accuracy = WordAccuracy(bundle, backend)

    @classmethod
    def of_network(cls, network: VLFAU, metadata: Checkpoint, au_ids: Sequence[int], options: EvalOptions) -> Self:
        """Return a runner for a network in memory, in evaluation mode.

        Args:
            network: It is moved to the device of the options.
            metadata: Metadata of its checkpoint.
            au_ids: AUs to return, a subset of the network's.
            options: How to run it.
        """
        return cls(network_bundle(metadata), TorchBackend(network, device=options.device), au_ids, options)

    @property
    def has_captions(self) -> bool:
        """Whether the model generates captions."""
        return self.bundle.has_captions

    def word_shares(self) -> dict[str, float]:
        """Return the top-5 word accuracies on the reference captions that `describe` scored, by name."""
        return self._word_accuracy.shares()

    def run(self, manifest: Manifest) -> Predictions:
        """Return the predictions, without captions.

        Args:
            manifest: Frames with this runner's AUs.
        """
        frames = manifest.frames
        probs, features, maps, levels = [], [], [], []
        done = 0
        for samples in self._batches(manifest, range(len(frames)), words=False):
            scores = self._score(samples)
            vision = scores.vision
            probs.append(scores.au_probs[:, self._columns].astype(np.float32))
            features.append(vision.pooled_features[:, self._columns].astype(np.float16))
            maps.append(vision.attention_maps[:, self._columns].astype(np.float16))
            if vision.au_intensities is not None:
                levels.append(vision.au_intensities[:, self._columns])
            done += len(samples)
            self.options.progress(done, len(frames))
        return Predictions(
            **_labels(manifest),
            au_probs=np.concatenate(probs),
            au_features=np.concatenate(features),
            attention_maps=np.concatenate(maps),
            local_captions=None,
            global_captions=None,
            consistent_captions=None,
            au_intensities=np.concatenate(levels) if levels else None,
            intensity=np.array([frame.intensities for frame in frames], np.float32) if levels else None,
            descriptions=self.bundle.info.descriptions,
        )

    def describe(
        self,
        manifest: Manifest,
        predictions: Predictions,
        indices: Sequence[int],
        *,
        threshold: Threshold,
        consistent: bool = True,
        word_accuracy: bool = True,
    ) -> Predictions:
        """Return the predictions with captions of some frames; other frames get empty ones.

        Args:
            manifest: The frames.
            predictions: The result of `run` for them.
            indices: The frames to describe.
            threshold: The probability from which an AU counts as active.
            consistent: Whether to generate consistent captions too.
            word_accuracy: Whether to score the reference captions too, for `word_shares`.
        """
        if not self.has_captions:
            return predictions
        local_captions = [("",) * len(self.au_ids)] * len(predictions)
        consistent_captions, global_captions = local_captions.copy(), [""] * len(predictions)
        has_local, has_global = self.bundle.has_local_captions, self.bundle.has_global_captions
        done = 0
        for samples in self._batches(manifest, indices, words=word_accuracy):
            chosen = indices[done : done + len(samples)]
            vision = self._score(samples).vision
            states, graded = (
                predictions.states(chosen, predictions.au_probs >= threshold),
                vision.au_intensities is not None,
            )
            au_features = self._wanted(vision.au_features) if has_local else None  # (B, N, L, d)
            if au_features is not None:
                _put(local_captions, chosen, self._describe_aus(self._free, au_features, states, graded))
                if consistent:
                    _put(consistent_captions, chosen, self._describe_aus(self._consistent, au_features, states, graded))
            if has_global:
                faces = self._free.describe_faces(vision.stem_features, states)
                _put(global_captions, chosen, [text or "" for text in faces])
            if word_accuracy:
                frames = [manifest.frames[index] for index in chosen]
                self._word_accuracy.add(vision.stem_features, au_features, samples, frames, chosen)
            done += len(samples)
            self.options.progress(done, len(indices))
        return replace(
            predictions,
            local_captions=tuple(local_captions) if has_local else None,
            consistent_captions=tuple(consistent_captions) if has_local and consistent else None,
            global_captions=tuple(global_captions) if has_global else None,
        )

    def _describe_aus(
        self, captioner: Captioner, au_features: NDArray[np.float32], states: Sequence[Sequence[AUState]], graded: bool
    ) -> list[tuple[str, ...]]:
        """Caption every AU of (B, N, L, d): N captions for each of B faces."""
        _, num_aus, locations, channels = au_features.shape
        features = au_features.reshape(-1, locations, channels)
        texts = captioner.describe_branches(features, [state for face in states for state in face], graded=graded)
        return [tuple(texts[start : start + num_aus]) for start in range(0, len(texts), num_aus)]

    def _wanted(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Select the requested AUs, (B, N, ...), from those of the model, (B, N', ...)."""
        return values if self._columns == list(range(values.shape[1])) else values[:, self._columns]

    def _batches(self, manifest: Manifest, indices: Sequence[int], *, words: bool) -> Iterator[list[Sample]]:
        yield from _batches(self.bundle, manifest, indices, self.options, words=words and self.has_captions)

    def _score(self, samples: Sequence[Sample]) -> AUScores:
        return self._predictor.score_crops(_crops(samples))


def face_batches(
    bundle: Bundle, manifest: Manifest, indices: Sequence[int], options: EvalOptions
) -> Iterator[NDArray[np.uint8]]:
    """Yield the faces of some frames as model input, (B, S, S, 3) uint8 RGB."""
    yield from map(_crops, _batches(bundle, manifest, indices, options, words=False))


def _batches(
    bundle: Bundle, manifest: Manifest, indices: Sequence[int], options: EvalOptions, *, words: bool
) -> Iterator[list[Sample]]:
    info = bundle.info
    dataset = FrameDataset(
        manifest,
        Vocabulary.from_list(info.vocabulary) if words else Vocabulary.for_aus(manifest.au_ids),
        crop_size=info.crop.crop_size,
        aligned_size=info.crop.aligned_size,
        words=words,
        descriptions=info.descriptions,
    )
    yield from DataLoader(
        Subset(dataset, indices),
        batch_size=options.batch_size,
        num_workers=options.num_workers,
        collate_fn=list,
    )


def _crops(samples: Sequence[Sample]) -> NDArray[np.uint8]:
    return np.stack([sample.face.permute(1, 2, 0).numpy() for sample in samples])


def _labels(manifest: Manifest) -> dict[str, Any]:
    """Return the fields of `Predictions` that do not depend on the model: AUs, images, people, folds, occurrence."""
    frames = manifest.frames
    states = [[UNKNOWN if state is None else int(state.active) for state in frame.states] for frame in frames]
    return {
        "au_ids": manifest.au_ids,
        "images": tuple(_relative(frame, manifest) for frame in frames),
        "subject_ids": tuple(frame.subject_id for frame in frames),
        "genders": tuple(GENDER_LETTERS[frame.gender] for frame in frames),
        "folds": tuple(frame.fold or 0 for frame in frames),
        "occurrence": np.array(states, np.int8),
    }


def _put(captions: list[Any], indices: Sequence[int], texts: Sequence[object]) -> None:
    for index, text in zip(indices, texts, strict=True):
        captions[index] = text


def _relative(frame: Frame, manifest: Manifest) -> str:
    folder = manifest.path.parent
    return (frame.image.relative_to(folder) if frame.image.is_relative_to(folder) else frame.image).as_posix()
