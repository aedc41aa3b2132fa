"""A bundle asked about the frames of manifests, in numbers and in words.

Dimensions: F frames, B faces of a batch, N AUs, S sequences, L locations, d channels, T words, W vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from vlfau.data import FrameDataset, Manifest
from vlfau.data.dataset import Sample
from vlfau.evaluation import EvalOptions, Predictions
from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.prediction_runner import known_of
from vlfau.evaluation.word_accuracy import WordAccuracy
from vlfau.inference.au_scores import AUScores
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle
from vlfau.inference.captioner import Captioner
from vlfau.inference.predictor import Predictor
from vlfau.language import Vocabulary
from vlfau.language.decoding import CaptionStepper

__all__ = ["BundleAnswerer"]

BEAM_SIZE = 3


class BundleAnswerer:
    """Runs a bundle over the frames of manifests, as `PredictionRunner` runs a checkpoint.

    Args:
        bundle: The bundle.
        au_ids: The AUs asked for, among the bundle's.
        options: How to look; it runs on the CPU.
    """

    def __init__(self, bundle: Bundle, au_ids: Sequence[int], options: EvalOptions) -> None:
        self.bundle, self.au_ids, self.options = bundle, tuple(au_ids), options
        self._predictor = Predictor(bundle, describe="never")
        self._columns = [bundle.info.au_ids.index(au_id) for au_id in self.au_ids]
        # Words may name a gender, as those that they are compared with do.
        backend = self._predictor.backend
        captioner = partial(Captioner, bundle, backend, describe="every", beam_size=BEAM_SIZE, gendered=True)
        self._free, self._held = captioner(), captioner(consistent=True)
        self._vocabulary = (
            Vocabulary.from_list(bundle.info.vocabulary) if self.speaks else Vocabulary.for_aus(bundle.info.au_ids)
        )
        self._word_accuracy = WordAccuracy(_Decoders.of(bundle, backend), self._vocabulary, bundle.info.descriptions)

    @property
    def speaks(self) -> bool:
        """Whether the bundle has words at all."""
        return self.bundle.has_local_captions or self.bundle.has_global_captions

    def word_shares(self) -> dict[str, float]:
        """Return the top-5 word accuracies of the true words that `speak` watched."""
        return self._word_accuracy.shares()

    def run(self, manifest: Manifest) -> Predictions:
        """Return the predictions in numbers; there are no captions yet.

        Args:
            manifest: Frames with this runner's AUs.
        """
        probs, features, maps, levels = [], [], [], []
        done = 0
        for samples in self._batches(manifest, range(len(manifest.frames)), words=False):
            scores = self._judge(samples)
            vision = scores.vision
            probs.append(scores.au_probs[:, self._columns].astype(np.float32))
            features.append(vision.au_features[:, self._columns].mean(2).astype(np.float16))
            maps.append(vision.attention_maps[:, self._columns].astype(np.float16))
            if vision.au_intensities is not None:
                levels.append(vision.au_intensities[:, self._columns])
            done += len(samples)
            self.options.progress(done, len(manifest.frames))
        return Predictions(
            **known_of(manifest),
            au_probs=np.concatenate(probs),
            au_features=np.concatenate(features),
            attention_maps=np.concatenate(maps),
            local_captions=None,
            global_captions=None,
            consistent_captions=None,
            au_intensities=np.concatenate(levels) if levels else None,
            intensity=np.array([frame.intensities for frame in manifest.frames], np.float32) if levels else None,
            descriptions=self.bundle.info.descriptions,
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
            watch_words: Whether to add the true words to the word accuracy.
        """
        if not self.speaks:
            return predictions
        nothing = ("",) * len(self.au_ids)
        local, held, face = [nothing] * len(predictions), [nothing] * len(predictions), [""] * len(predictions)
        done = 0
        for samples in self._batches(manifest, places, words=watch_words):
            chosen = places[done : done + len(samples)]
            scores = self._judge(samples)
            features, stem_features = scores.vision.au_features, scores.vision.stem_features
            states = scores.au_states.copy()
            states[:, self._columns] = predictions.au_probs[chosen] >= threshold
            for texts, captioner in ((local, self._free), (held, self._held)) if consistent else ((local, self._free),):
                for place, own in zip(chosen, captioner.describe_aus(features, states), strict=True):
                    texts[place] = tuple(own[column] or "" for column in self._columns)
            for place, text in zip(chosen, self._free.describe_faces(stem_features, states), strict=True):
                face[place] = text or ""
            if watch_words:
                frames = [manifest.frames[place] for place in chosen]
                asked = torch.from_numpy(features[:, self._columns])
                self._word_accuracy.add(torch.from_numpy(stem_features), asked, samples, frames, chosen)
            done += len(samples)
            self.options.progress(done, len(places))
        has_local = self.bundle.has_local_captions
        return replace(
            predictions,
            local_captions=tuple(local) if has_local else None,
            consistent_captions=tuple(held) if has_local and consistent else None,
            global_captions=tuple(face) if self.bundle.has_global_captions else None,
        )

    def _batches(self, manifest: Manifest, places: Sequence[int], *, words: bool) -> Iterator[list[Sample]]:
        crop = self.bundle.info.crop
        dataset = FrameDataset(
            manifest,
            self._vocabulary,
            crop_size=crop.crop_size,
            aligned_size=crop.aligned_size,
            words=words,
            descriptions=self.bundle.info.descriptions,
        )
        yield from DataLoader(
            Subset(dataset, places),
            batch_size=self.options.batch_size,
            num_workers=self.options.num_workers,
            collate_fn=list,
        )

    def _judge(self, samples: Sequence[Sample]) -> AUScores:
        return self._predictor.score_crops(np.stack([sample.face.permute(1, 2, 0).numpy() for sample in samples]))


@dataclass(frozen=True)
class _Taught:
    """What a decoder says of given captions: `logits` (S, T, W)."""

    logits: Tensor


@dataclass(frozen=True)
class _TaughtGraphs:
    """A caption decoder's graphs, to be read given captions word by word."""

    bind: Callable[[NDArray[np.float32]], CaptionStepper]

    def __call__(self, features: Tensor, token_ids: Tensor, /) -> _Taught:
        """Score every next word of captions (S, T) about features (S, L, d)."""
        stepper = self.bind(features.numpy())
        hidden, cell = (state[:, None] for state in stepper.start())
        rows, logits = np.arange(len(features)), []
        for words in token_ids.numpy().T:
            output = stepper.step(words[:, None], hidden, cell, rows)
            hidden, cell = output.hidden, output.cell
            logits.append(torch.from_numpy(output.logits[:, 0]))
        return _Taught(torch.stack(logits, dim=1))


@dataclass(frozen=True)
class _Decoders:
    """A bundle's decoders as `WordAccuracy` asks for them; None where it has none."""

    local_decoder: _TaughtGraphs | None
    global_decoder: _TaughtGraphs | None

    @classmethod
    def of(cls, bundle: Bundle, backend: Backend) -> "_Decoders":
        return cls(
            _TaughtGraphs(backend.local_stepper) if bundle.has_local_captions else None,
            _TaughtGraphs(backend.global_stepper) if bundle.has_global_captions else None,
        )
