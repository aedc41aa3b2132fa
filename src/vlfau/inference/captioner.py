"""Caption generation: selecting the AUs to describe, and the search.

Dimensions: B faces, N AUs, L locations, d channels.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import AUState
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle
from vlfau.language import Vocabulary
from vlfau.language.constrained_decoding import StateConstraints, choose_texts
from vlfau.language.decoding import CaptionStepper, DecodingOptions, decode_captions
from vlfau.language.descriptions import default_descriptions
from vlfau.language.face_notes import face_note
from vlfau.language.wording import Gender

__all__ = ["Captioner", "Describe"]

Describe = Literal["active", "every", "never"]


class Captioner:
    """Generates the captions of a model.

    Args:
        bundle: The model's metadata.
        backend: Runs the caption decoders.
        describe: Which AUs get captions: the active ones, every one, or none (and no global caption either).
        beam_size: Beam size of the search for free captions.
        consistent: Whether captions must state the predicted states, degrees and sides: the decoder chooses among the
            learned texts of an AU that do, and the global caption is a note composed from them. Without effect on a
            model whose descriptions are unknown (see `BundleInfo`).
        gendered: Whether the global caption may guess a gender; otherwise it says "this person".
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
        self.describe, self.beam_size, self.gendered = describe, beam_size, gendered
        self.consistent = consistent and bundle.info.descriptions is not None

    def told(self, states: Sequence[AUState]) -> tuple[AUState, ...]:
        """Return what captions depend on, of the states of a face: as long as it is the same, so are the captions."""
        active = tuple(state for state in states if state.active)
        if not self.consistent:
            return tuple(AUState(state.au_id, active=True) for state in active)
        return active if active and self.describe != "every" else tuple(states)

    def describe_aus(
        self,
        au_features: NDArray[np.float32],
        states: Sequence[Sequence[AUState]],
        describe: Describe | None = None,
        *,
        graded: bool = True,
    ) -> list[list[str | None]]:
        """Caption the selected AUs.

        Args:
            au_features: (B, N, L, d).
            states: B x N, the predicted states.
            describe: Overrides the captioner's own setting.
            graded: Whether the model predicts intensities; see `describe_branches`.

        Returns:
            N captions for each of B faces, None where not requested.
        """
        captions: list[list[str | None]] = [[None] * au_features.shape[1] for _ in states]
        describe = describe or self.describe
        if describe == "never" or not self.bundle.has_local_captions:
            return captions
        wanted = [
            (row, column)
            for row, face in enumerate(states)
            for column, state in enumerate(face)
            if describe == "every" or state.active
        ]
        texts = self.describe_branches(
            au_features[[row for row, _ in wanted], [column for _, column in wanted]],
            [states[row][column] for row, column in wanted],
            graded=graded,
        )
        for (row, column), text in zip(wanted, texts, strict=True):
            captions[row][column] = text
        return captions

    def describe_branches(
        self, features: NDArray[np.float32], states: Sequence[AUState], *, graded: bool = True
    ) -> list[str]:
        """Caption the given AUs.

        Args:
            features: (S, L, d), refined features of the AUs' branches.
            states: (S,), the predicted states; used by consistent captions only.
            graded: Whether the model predicts intensities. Without them nothing tells whether an inactive AU shows a
                trace, and the decoder chooses.
        """
        if not len(features):
            return []
        if not self.consistent:
            return self._decode(self.backend.local_stepper(features), self.bundle.info.max_local_length)
        chosen = choose_texts(
            [self._constraints.for_au(state, either=not graded) for state in states],
            lambda rows: self.backend.local_stepper(features[rows]),
            bos_id=self._vocabulary.bos_id,
        )
        return [self._vocabulary.decode(token_ids) for token_ids in chosen]

    def describe_faces(
        self,
        stem_features: NDArray[np.float32],
        states: Sequence[Sequence[AUState]],
        describe: Describe | None = None,
    ) -> list[str | None]:
        """Caption every face as a whole.

        Args:
            stem_features: (B, L, d).
            states: B x N, the predicted states.
            describe: Overrides the captioner's own setting.

        Returns:
            B captions, None where not requested.
        """
        if (describe or self.describe) == "never" or not len(stem_features) or not self.bundle.has_global_captions:
            return [None] * len(stem_features)
        if self.consistent:
            genders = self._genders(stem_features)
            return [face_note(face, gender) for face, gender in zip(states, genders, strict=True)]
        prefix = [] if self.gendered else self._vocabulary.encode_words(self._subjects[None])
        stepper = self.backend.global_stepper(stem_features)
        return [*self._decode(stepper, self.bundle.info.max_global_length, prefix)]

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.from_list(self.bundle.info.vocabulary)

    @cached_property
    def _subjects(self) -> Mapping[Gender | None, str]:
        return (self.bundle.info.descriptions or default_descriptions()).wording.subjects

    @cached_property
    def _constraints(self) -> StateConstraints:
        return StateConstraints(self._vocabulary, self.bundle.info.descriptions)

    def _genders(self, stem_features: NDArray[np.float32]) -> list[Gender | None]:
        """Return what the global decoder calls the subject of each face (B, L, d), if it may guess."""
        if not self.gendered:
            return [None] * len(stem_features)
        by_text = {self._vocabulary.decode(self._vocabulary.encode(text)): key for key, text in self._subjects.items()}
        chosen = choose_texts(
            [self._constraints.among(tuple(by_text))] * len(stem_features),
            lambda rows: self.backend.global_stepper(stem_features[rows]),
            bos_id=self._vocabulary.bos_id,
        )
        return [by_text[self._vocabulary.decode(token_ids)] for token_ids in chosen]

    def _decode(self, stepper: CaptionStepper, max_length: int, prefix: Iterable[int] = ()) -> list[str]:
        """Search the likeliest caption of every sequence, and return it as text."""
        results = decode_captions(
            stepper,
            bos_id=self._vocabulary.bos_id,
            eos_id=self._vocabulary.eos_id,
            options=DecodingOptions(max_length=max_length, beam_size=self.beam_size),
            prefix=tuple(prefix),
            banned_ids=(self._vocabulary.pad_id,),
        )
        return [self._vocabulary.decode(result.token_ids) for result in results]
