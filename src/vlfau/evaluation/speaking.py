"""The words of a network: captions by beam search, and captions that cannot contradict the decided states.

Dimensions: B faces, N AUs, L locations, d channels.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vlfau.language import Descriptions, Vocabulary, max_global_length, max_local_length
from vlfau.language.captions import search_captions
from vlfau.language.constrained_decoding import DecidedShapes, SlotText
from vlfau.model import VLFAU
from vlfau.model.caption_decoder import CaptionDecoder
from vlfau.model.stepper import TorchStepper

__all__ = ["Speaker"]


class Speaker:
    """Makes captions of features.

    Args:
        network: In evaluation mode.
        vocabulary: Of its decoders.
        known_au_ids: The AUs of its branches.
        beam_size: Hypotheses of the search.
        descriptions: The texts that the network learned; None means the package's own.
    """

    def __init__(
        self,
        network: VLFAU,
        vocabulary: Vocabulary,
        known_au_ids: Sequence[int],
        *,
        beam_size: int = 3,
        descriptions: Descriptions | None = None,
    ) -> None:
        self.network, self.vocabulary, self.beam_size = network, vocabulary, beam_size
        self._shapes = DecidedShapes(vocabulary, descriptions)
        self._local_length = max_local_length(known_au_ids, descriptions)
        self._global_length = max_global_length(known_au_ids, descriptions)

    def describe_aus(self, au_features: Tensor) -> list[tuple[str, ...]]:
        """Describe every AU of (B, N, L, d) freely: N captions for each of B faces."""
        assert self.network.local_decoder is not None
        num_aus = au_features.shape[1]
        texts = self._search(self.network.local_decoder, au_features.flatten(0, 1), self._local_length)
        return [tuple(texts[start : start + num_aus]) for start in range(0, len(texts), num_aus)]

    def describe_faces(self, face_features: Tensor) -> list[str]:
        """Describe every face of (B, L, d) freely."""
        assert self.network.global_decoder is not None
        return self._search(self.network.global_decoder, face_features, self._global_length)

    def state_decisions(
        self, au_features: Tensor, au_ids: Sequence[int], au_states: NDArray[np.bool_]
    ) -> list[tuple[str, ...]]:
        """Describe every AU with a text that states what was decided.

        Args:
            au_features: (B, N, L, d).
            au_ids: (N,), the AUs of these branches.
            au_states: (B, N), which are active.

        Returns:
            N captions for each of B faces.
        """
        assert self.network.local_decoder is not None
        shapes = [
            self._shapes.of_au(au_id, active)
            for states in au_states.tolist()
            for au_id, active in zip(au_ids, states, strict=True)
        ]
        texts = self._search(self.network.local_decoder, au_features.flatten(0, 1), self._local_length, shapes)
        return [tuple(texts[start : start + len(au_ids)]) for start in range(0, len(texts), len(au_ids))]

    def _search(
        self,
        decoder: CaptionDecoder,
        features: Tensor,
        max_length: int,
        shapes: Sequence[SlotText] | None = None,
    ) -> list[str]:
        return search_captions(
            TorchStepper(decoder, features),
            self.vocabulary,
            max_length=max_length,
            beam_size=self.beam_size,
            shapes=shapes,
        )
