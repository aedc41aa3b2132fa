"""Numbers to words: which captions are wanted, and their search.

Dimensions: B faces, N AUs, L locations, d channels.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import DescriptionError
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle
from vlfau.language import Vocabulary
from vlfau.language.decided import decided_descriptions, decided_slots
from vlfau.language.decoding import CaptionStepper, DecodingOptions, choose_captions, decode_captions
from vlfau.language.descriptions import default_descriptions
from vlfau.language.gender import Gender
from vlfau.language.slots import SlotText

__all__ = ["Captioner", "Describe"]

Describe = Literal["active", "every", "never"]


class Captioner:
    """Writes the captions of a bundle that its user asks for.

    Args:
        bundle: Says which captions there are.
        backend: Runs the caption decoders.
        describe: Which AUs get words: the active ones, every one, or none (and the face none either).
        beam_size: Hypotheses of the search.
        consistent: Whether captions must state what the model decided: only those texts are searched that the grammar
            has for the decided states, with any degree and side.
        gendered: Whether the caption of a face may guess a gender; otherwise it speaks of "this person".
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: Backend,
        *,
        describe: Describe,
        beam_size: int,
        gendered: bool,
        consistent: bool = False,
    ) -> None:
        self.bundle, self.backend = bundle, backend
        self.describe, self.beam_size, self.gendered, self.consistent = describe, beam_size, gendered, consistent

    def describe_aus(
        self, au_features: NDArray[np.float32], au_states: NDArray[np.bool_], describe: Describe | None = None
    ) -> list[list[str | None]]:
        """Describe the AUs that are wanted.

        Args:
            au_features: (B, N, L, d).
            au_states: (B, N), which AUs are active.
            describe: Replaces the captioner's own choice of AUs.

        Returns:
            N captions for each of B faces, None where none is wanted.
        """
        captions: list[list[str | None]] = [[None] * au_states.shape[1] for _ in au_states]
        describe = describe or self.describe
        if describe == "never" or not self.bundle.has_local_captions:
            return captions
        wanted = au_states if describe == "active" else np.ones_like(au_states)
        rows, columns = np.nonzero(wanted)
        if len(rows):
            stepper = self.backend.local_stepper(au_features[rows, columns])  # (S, L, d)
            if self.consistent:
                au_ids = [self.bundle.info.au_ids[column] for column in columns]
                texts = self._choose(stepper, list(zip(au_ids, au_states[rows, columns].tolist(), strict=True)))
            else:
                texts = self._decode(stepper, self.bundle.info.max_local_length)
            for row, column, text in zip(rows, columns, texts, strict=True):
                captions[row][column] = text
        return captions

    def describe_faces(
        self, stem_features: NDArray[np.float32], au_states: NDArray[np.bool_], describe: Describe | None = None
    ) -> list[str | None]:
        """Describe every face as a whole.

        Args:
            stem_features: (B, L, d).
            au_states: (B, N), which AUs are active.
            describe: Replaces the captioner's own choice.

        Returns:
            B captions, None where none is wanted.
        """
        if (describe or self.describe) == "never" or not len(stem_features) or not self.bundle.has_global_captions:
            return [None] * len(stem_features)
        stepper = self.backend.global_stepper(stem_features)
        prefix = [] if self.gendered else self._neutral_subject
        shapes = [self._shape(states) for states in au_states] if self.consistent else None
        longest = max([self.bundle.info.max_global_length, *(shape.longest for shape in shapes or ())])
        return list(self._decode(stepper, longest, prefix, shapes))

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.from_list(self.bundle.info.vocabulary)

    @cached_property
    def _neutral_subject(self) -> list[int]:
        return self._vocabulary.encode_words(default_descriptions().wording.subjects[None])

    def _shape(self, au_states: NDArray[np.bool_]) -> SlotText:
        """Return the texts that say of a face just what was decided."""
        active = np.array(self.bundle.info.au_ids)[au_states].tolist()
        slots = decided_slots(active, (*Gender, None) if self.gendered else (None,))
        return SlotText([*map(self._encoded, slots), [[self._vocabulary.eos_id]]])

    def _encoded(self, texts: Sequence[str]) -> list[list[int]]:
        """Return as token ids those of some texts whose words the bundle knows.

        Raises:
            DescriptionError: It knows none.
        """
        known, unknown = [], None
        for text in texts:
            try:
                known.append(self._vocabulary.encode_words(text))
            except DescriptionError as error:
                unknown = error
        if not known and unknown:
            raise unknown
        return known

    def _choose(self, stepper: CaptionStepper, decisions: Sequence[tuple[int, bool]]) -> list[str]:
        """Choose the likeliest text of the grammar for every (AU, active)."""
        texts = [decided_descriptions(au_id, active) for au_id, active in decisions]
        token_ids = [[self._vocabulary.encode(text) for text in each] for each in texts]
        places = choose_captions(stepper, token_ids, bos_id=self._vocabulary.bos_id)
        return [each[place] for each, place in zip(texts, places, strict=True)]

    def _decode(
        self,
        stepper: CaptionStepper,
        max_length: int,
        prefix: Iterable[int] = (),
        shapes: Sequence[SlotText] | None = None,
    ) -> list[str]:
        vocabulary = self._vocabulary
        results = decode_captions(
            stepper,
            bos_id=vocabulary.bos_id,
            eos_id=vocabulary.eos_id,
            options=DecodingOptions(max_length=max_length, beam_size=self.beam_size),
            prefix=tuple(prefix),
            banned_ids=(vocabulary.pad_id,),
            shapes=shapes,
        )
        return [vocabulary.decode(result.token_ids) for result in results]
