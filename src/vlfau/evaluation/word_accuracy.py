"""Top-5 word accuracy (Table 4): how often the next word is among the five likeliest, earlier words given."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vlfau.data import Frame
from vlfau.data.dataset import Batch, Sample, collate
from vlfau.language import Descriptions, Vocabulary, global_description, local_description
from vlfau.model import VLFAU
from vlfau.model.caption_decoder import CaptionDecoder

__all__ = ["WordAccuracy"]

TOP = 5


class WordAccuracy:
    """Counts words over batches; the end of a caption is a word, padding is none.

    Every caption is read twice: as one paraphrase of the true state, drawn with a seed, and as its canonical text,
    the only one that a network without paraphrases knows and so what the paper's figures compare with.

    Args:
        network: In evaluation mode.
        vocabulary: Of its decoders.
        descriptions: The texts that it learned; None means the package's own.
    """

    def __init__(self, network: VLFAU, vocabulary: Vocabulary, descriptions: Descriptions | None = None) -> None:
        self.network, self.vocabulary, self.descriptions = network, vocabulary, descriptions
        self._hits: dict[str, int] = {}
        self._words: dict[str, int] = {}

    def add(
        self,
        face_features: Tensor,
        au_features: Tensor | None,
        samples: Sequence[Sample],
        frames: Sequence[Frame],
        seeds: Sequence[int],
    ) -> None:
        """Count the words of a batch.

        Args:
            face_features: (B, L, d), as the decoder of the face reads them.
            au_features: (B, N, L, d), of the frames' AUs; None where no local captions are wanted.
            samples: (B,), with canonical captions.
            frames: (B,), the same frames.
            seeds: (B,), of the paraphrases.
        """
        drawn = [
            self._paraphrased(sample, frame, seed) for sample, frame, seed in zip(samples, frames, seeds, strict=True)
        ]
        for ending, chosen in (("", drawn), ("_canonical", samples)):
            batch = collate(chosen, pad_id=self.vocabulary.pad_id).to(face_features.device)
            self._add(batch, face_features, au_features, ending)

    def shares(self) -> dict[str, float]:
        """Return the share of right words by name, such as `local_top5_canonical`."""
        return {name: self._hits[name] / words for name, words in self._words.items() if words}

    def _add(self, batch: Batch, face_features: Tensor, au_features: Tensor | None, ending: str) -> None:
        if self.network.local_decoder is not None and au_features is not None:
            captions = batch.local_captions.flatten(0, 1)
            self._read(f"local_top5{ending}", self.network.local_decoder, au_features.flatten(0, 1), captions)
        if self.network.global_decoder is not None:
            self._read(f"global_top5{ending}", self.network.global_decoder, face_features, batch.global_captions)

    def _read(self, name: str, decoder: CaptionDecoder, features: Tensor, captions: Tensor) -> None:
        start = torch.full_like(captions[:, :1], self.vocabulary.bos_id)
        with torch.inference_mode():
            logits = decoder(features, torch.cat([start, captions[:, :-1]], 1)).logits  # (S, T, W)
        top = logits.topk(min(TOP, logits.shape[-1])).indices
        real = captions != self.vocabulary.pad_id
        hits = (top == captions[..., None]).any(-1) & real
        self._hits[name] = self._hits.get(name, 0) + int(hits.sum())
        self._words[name] = self._words.get(name, 0) + int(real.sum())

    def _paraphrased(self, sample: Sample, frame: Frame, seed: int) -> Sample:
        rng = np.random.default_rng(seed)
        known = [state for state in frame.states if state is not None]
        encode = self.vocabulary.encode
        return replace(
            sample,
            local_captions=[
                [] if state is None else encode(local_description(state, rng, self.descriptions))
                for state in frame.states
            ],
            global_caption=encode(global_description(known, frame.gender, rng, self.descriptions))
            if frame.can_be_described
            else [],
        )
