"""Top-5 word accuracy (Table 4): how often the next word is among the five likeliest, earlier words given.

Dimensions: B faces, N AUs, S sequences, K captions of each, L locations, d channels, T words, W vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vlfau.data.dataset import Sample
from vlfau.data.manifest import Frame
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle
from vlfau.language import Vocabulary, global_description, local_description
from vlfau.language.decoding import CaptionStepper

__all__ = ["WordAccuracy"]

TOP = 5
KINDS = ("", "_canonical")
"""What follows the names of the figures of paraphrases, and of canonical texts."""


@dataclass(frozen=True, slots=True)
class _Captions:
    """A frame's captions as token ids: one per AU, empty where nobody annotated it, and one of the face."""

    local: Sequence[Sequence[int]]
    whole: Sequence[int]


class WordAccuracy:
    """Counts words over batches; the end of a caption is a word, padding is none.

    Every caption is read twice: as one paraphrase of the true state, drawn with a seed, and as its canonical text,
    the only one that a network without paraphrases knows and so what the paper's figures compare with.

    Args:
        bundle: A bundle or a checkpoint.
        backend: The same, opened.
    """

    def __init__(self, bundle: Bundle, backend: Backend) -> None:
        self.bundle, self.backend = bundle, backend
        self._hits: dict[str, int] = {}
        self._words: dict[str, int] = {}

    def add(
        self,
        stem_features: NDArray[np.float32],
        au_features: NDArray[np.float32] | None,
        samples: Sequence[Sample],
        frames: Sequence[Frame],
        seeds: Sequence[int],
    ) -> None:
        """Count the words of a batch.

        Args:
            stem_features: (B, L, d), as the decoder of the face reads them.
            au_features: (B, N, L, d), of the frames' AUs; None where no local captions are wanted.
            samples: (B,), with canonical captions.
            frames: (B,), the same frames.
            seeds: (B,), of the paraphrases.
        """
        drawn = [self._paraphrased(frame, seed) for frame, seed in zip(frames, seeds, strict=True)]
        canonical = [_Captions(sample.local_captions, sample.global_caption) for sample in samples]
        both = drawn, canonical
        if self.bundle.has_local_captions and au_features is not None:
            stepper = self.backend.local_stepper(au_features.reshape(-1, *au_features.shape[2:]))
            self._read("local_top5", stepper, [[each for one in kind for each in one.local] for kind in both])
        if self.bundle.has_global_captions:
            stepper = self.backend.global_stepper(stem_features)
            self._read("global_top5", stepper, [[one.whole for one in kind] for kind in both])

    def shares(self) -> dict[str, float]:
        """Return the share of right words by name, such as `local_top5_canonical`."""
        names = [f"{part}_top5{kind}" for kind in KINDS for part in ("local", "global")]
        return {name: self._hits[name] / self._words[name] for name in names if self._words.get(name)}

    def _read(self, name: str, stepper: CaptionStepper, captions: Sequence[Sequence[Sequence[int]]]) -> None:
        """Let a decoder read K captions of each of S sequences, K x S, and count the words that it expected."""
        true = self._padded(captions)  # (S, K, T)
        lengths = (true != Vocabulary.pad_id).sum(2).max(1)  # (S,), of the longer one
        hidden, cell = (np.repeat(state[:, None], len(captions), axis=1) for state in stepper.start())  # (S, K, h)
        rows: NDArray[np.int64] = np.arange(len(true))
        words = np.full(true.shape[:2], Vocabulary.bos_id, np.int64)
        hits, total = np.zeros(len(captions), int), np.zeros(len(captions), int)
        for step in range(true.shape[2]):
            live = lengths[rows] > step
            if not live.all():  # Sequences of which both captions have ended need no further step.
                rows, words, hidden, cell = rows[live], words[live], hidden[live], cell[live]
            if not len(rows):
                break
            output = stepper.step(words, hidden, cell, rows)
            words, hidden, cell = true[rows, :, step], output.hidden, output.cell
            likelier = output.logits > np.take_along_axis(output.logits, words[..., None], axis=2)  # (S', K, W)
            is_word = words != Vocabulary.pad_id
            hits += ((likelier.sum(2) < TOP) & is_word).sum(0)
            total += is_word.sum(0)
        for kind, right, count in zip(KINDS, hits.tolist(), total.tolist(), strict=True):
            self._hits[name + kind] = self._hits.get(name + kind, 0) + right
            self._words[name + kind] = self._words.get(name + kind, 0) + count

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.from_list(self.bundle.info.vocabulary)

    def _padded(self, captions: Sequence[Sequence[Sequence[int]]]) -> NDArray[np.int64]:
        longest = max(len(each) for kind in captions for each in kind)
        padded = np.full((len(captions[0]), len(captions), longest), Vocabulary.pad_id, np.int64)
        for column, kind in enumerate(captions):
            for row, caption in enumerate(kind):
                padded[row, column, : len(caption)] = caption
        return padded

    def _paraphrased(self, frame: Frame, seed: int) -> _Captions:
        rng, descriptions = np.random.default_rng(seed), self.bundle.info.descriptions
        known = [state for state in frame.states if state is not None]
        encode = self._vocabulary.encode
        return _Captions(
            [[] if state is None else encode(local_description(state, rng, descriptions)) for state in frame.states],
            encode(global_description(known, frame.gender, rng, descriptions)) if frame.can_be_described else [],
        )
