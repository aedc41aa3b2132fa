"""A network looks at frames and speaks of them: `Predictions`.

Dimensions: F frames, B faces of a batch, N AUs, L locations, d channels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from vlfau.data import Frame, FrameDataset, Manifest
from vlfau.data.dataset import Sample
from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.predictions import UNKNOWN, Predictions
from vlfau.evaluation.speaking import Speaker
from vlfau.evaluation.word_accuracy import WordAccuracy
from vlfau.language import Gender, Vocabulary
from vlfau.model import VLFAU
from vlfau.model.vlfau import VisionOutput
from vlfau.training import Checkpoint

__all__ = ["EvalOptions", "PredictionRunner", "known_of"]

GENDER_LETTERS = {Gender.WOMAN: "F", Gender.MAN: "M", None: ""}


@dataclass(frozen=True)
class EvalOptions:
    """How to look and speak.

    Attributes:
        batch_size: Faces at once.
        num_workers: Processes that read pictures; 0 reads in this one.
        device: Where the network runs; None takes a GPU where there is one.
        progress: Is told how many steps of how many are done.
    """

    batch_size: int = 32
    num_workers: int = 0
    device: str | None = None
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)


class PredictionRunner:
    """Asks a network about the frames of manifests.

    Args:
        network: In evaluation mode.
        metadata: What its checkpoint says of it.
        au_ids: The AUs asked for, among the network's.
        options: How to options.
    """

    def __init__(self, network: VLFAU, metadata: Checkpoint, au_ids: Sequence[int], options: EvalOptions) -> None:
        self.device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.network, self.metadata, self.options = network.to(self.device), metadata, options
        self.au_ids = tuple(au_ids)
        self.vocabulary = Vocabulary.from_list(metadata.vocabulary)
        self.word_accuracy = WordAccuracy(network, self.vocabulary, metadata.descriptions)
        self._speaker = Speaker(network, self.vocabulary, metadata.au_ids, descriptions=metadata.descriptions)
        self._columns = torch.tensor([metadata.au_ids.index(au_id) for au_id in self.au_ids], device=self.device)

    @property
    def speaks(self) -> bool:
        """Whether the network has words at all."""
        return self.network.local_decoder is not None or self.network.global_decoder is not None

    def word_shares(self) -> dict[str, float]:
        """Return the top-5 word accuracies of the true words that `speak` watched."""
        return self.word_accuracy.shares()

    def run(self, manifest: Manifest) -> Predictions:
        """Return the predictions in numbers; there are no captions yet.

        Args:
            manifest: Frames with this runner's AUs.
        """
        probs, features, maps, levels = [], [], [], []
        done = 0
        for samples in self._batches(manifest, range(len(manifest.frames))):
            vision = self._look_at(samples)
            probs.append(vision.au_logits.sigmoid()[:, self._columns].cpu().numpy())
            pooled = vision.refinement.refine_and_pool(vision.stem_features)[:, self._columns]
            features.append(pooled.half().cpu().numpy())
            maps.append(vision.attention_maps[:, self._columns].half().cpu().numpy())
            if vision.au_intensities is not None:
                levels.append(vision.au_intensities[:, self._columns].cpu().numpy())
            done += len(samples)
            self.options.progress(done, len(manifest.frames))
        frames = manifest.frames
        return Predictions(
            **known_of(manifest),
            au_probs=np.concatenate(probs),
            au_features=np.concatenate(features),
            attention_maps=np.concatenate(maps),
            local_captions=None,
            global_captions=None,
            consistent_captions=None,
            au_intensities=np.concatenate(levels) if levels else None,
            intensity=np.array([frame.intensities for frame in frames], np.float32) if levels else None,
            descriptions=self.metadata.descriptions,
        )

    def speak(
        self,
        manifest: Manifest,
        predictions: Predictions,
        places: Sequence[int],
        *,
        threshold: Threshold,
        consistent: bool = True,
        watch_words: bool = True,
    ) -> Predictions:
        """Return the predictions with captions of some frames; the others get empty ones.

        Args:
            manifest: The frames.
            predictions: What `run` returned for them.
            places: The frames to describe.
            threshold: The probability from which an AU counts as active.
            consistent: Whether to make consistent captions too.
            watch_words: Whether to add the true words to `word_accuracy`.
        """
        if not self.speaks:
            return predictions
        local_captions = [("",) * len(self.au_ids)] * len(predictions)
        consistent_captions, global_captions = local_captions.copy(), [""] * len(predictions)
        done = 0
        for samples in self._batches(manifest, places):
            chosen = places[done : done + len(samples)]
            vision = self._look_at(samples)
            au_features = self._au_features(vision) if self.network.local_decoder is not None else None
            if au_features is not None:
                _fill(local_captions, chosen, self._speaker.describe_aus(au_features))
                if consistent:
                    states = predictions.au_probs[chosen] >= threshold
                    texts = self._speaker.state_decisions(au_features, self.au_ids, states)
                    _fill(consistent_captions, chosen, texts)
            if self.network.global_decoder is not None:
                _fill(global_captions, chosen, self._speaker.describe_faces(vision.face_features))
            if watch_words:
                frames = [manifest.frames[place] for place in chosen]
                self.word_accuracy.add(vision.face_features, au_features, samples, frames, chosen)
            done += len(samples)
            self.options.progress(done, len(places))
        local = self.network.local_decoder is not None
        return replace(
            predictions,
            local_captions=tuple(local_captions) if local else None,
            consistent_captions=tuple(consistent_captions) if local and consistent else None,
            global_captions=tuple(global_captions) if self.network.global_decoder is not None else None,
        )

    def _batches(self, manifest: Manifest, places: Sequence[int]) -> Iterator[list[Sample]]:
        dataset = FrameDataset(
            manifest,
            self.vocabulary,
            crop_size=self.metadata.model.crop_size,
            aligned_size=self.metadata.aligned_size,
            words=self.speaks,
            descriptions=self.metadata.descriptions,
        )
        yield from DataLoader(
            Subset(dataset, places),
            batch_size=self.options.batch_size,
            num_workers=self.options.num_workers,
            collate_fn=list,
        )

    def _look_at(self, samples: Sequence[Sample]) -> VisionOutput:
        with torch.inference_mode():
            return self.network.encode(torch.stack([sample.face for sample in samples]).to(self.device))

    def _au_features(self, vision: VisionOutput) -> Tensor:
        """Return the features of the AUs asked for, as their decoder reads them, (B, N, L, d)."""
        return vision.au_features(self._columns.expand(len(vision.stem_features), -1))


def known_of(manifest: Manifest) -> dict[str, Any]:
    """Return what `Predictions` holds whatever the network says: AUs, images, people, folds, occurrence."""
    frames = manifest.frames
    states = [[UNKNOWN if state is None else int(state.active) for state in frame.states] for frame in frames]
    return {
        "au_ids": manifest.au_ids,
        "images": tuple(_relative(frame, manifest.path.parent) for frame in frames),
        "subject_ids": tuple(frame.subject_id for frame in frames),
        "genders": tuple(GENDER_LETTERS[frame.gender] for frame in frames),
        "folds": tuple(frame.fold or 0 for frame in frames),
        "occurrence": np.array(states, np.int8),
    }


def _fill(captions: list[tuple[str, ...]] | list[str], places: Sequence[int], texts: Sequence[object]) -> None:
    for place, text in zip(places, texts, strict=True):
        captions[place] = text  # type: ignore[call-overload]


def _relative(frame: Frame, folder: Path) -> str:
    return (frame.image.relative_to(folder) if frame.image.is_relative_to(folder) else frame.image).as_posix()
