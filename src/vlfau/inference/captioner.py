"""Caption generation: selecting the AUs to describe, and the search.

Dimensions: B faces, N AUs, L locations, d channels.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle
from vlfau.language import Vocabulary
from vlfau.language.constrained_decoding import CaptionConstraint, StateConstraints
from vlfau.language.decoding import CaptionStepper, DecodingOptions, decode_captions
from vlfau.language.descriptions import default_descriptions
from vlfau.language.wording import Gender

__all__ = ["Captioner", "Describe"]

Describe = Literal["active", "every", "never"]


class Captioner:
    """Generates the captions of a model.

    Args:
        bundle: The model's metadata.
        backend: Runs the caption decoders.
        describe: Which AUs get captions: the active ones, every one, or none (and no global caption either).
        beam_size: Beam size of the search.
        consistent: Whether captions must agree with the predicted states: the search is constrained to the learned
            texts for these states, with any degree and side. Without effect on a model whose descriptions are unknown
            (see `BundleInfo`).
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

    def describe_aus(
        self, au_features: NDArray[np.float32], au_states: NDArray[np.bool_], describe: Describe | None = None
    ) -> list[list[str | None]]:
        """Caption the selected AUs.

        Args:
            au_features: (B, N, L, d).
            au_states: (B, N), which AUs are active.
            describe: Overrides the captioner's own setting.

        Returns:
            N captions for each of B faces, None where not requested.
        """
        captions: list[list[str | None]] = [[None] * au_states.shape[1] for _ in au_states]
        describe = describe or self.describe
        if describe == "never" or not self.bundle.has_local_captions:
            return captions
        wanted = au_states if describe == "active" else np.ones_like(au_states)
        rows, columns = np.nonzero(wanted)
        texts = self.describe_branches(
            au_features[rows, columns],
            [self.bundle.info.au_ids[column] for column in columns.tolist()],
            au_states[rows, columns].tolist(),
        )
        for row, column, text in zip(rows, columns, texts, strict=True):
            captions[row][column] = text
        return captions

    def describe_branches(
        self, features: NDArray[np.float32], au_ids: Sequence[int], active: Sequence[bool]
    ) -> list[str]:
        """Caption the given AUs.

        Args:
            features: (S, L, d), refined features of the AUs' branches.
            au_ids: (S,), their FACS numbers.
            active: (S,), whether they are active; used by consistent captions only.
        """
        if not len(features):
            return []
        constraints = None
        if self.consistent:
            constraints = [self._constraints.for_au(*decided) for decided in zip(au_ids, active, strict=True)]
        return self._decode(
            self.backend.local_stepper(features), self.bundle.info.max_local_length, constraints=constraints
        )

    def describe_faces(
        self, stem_features: NDArray[np.float32], au_states: NDArray[np.bool_], describe: Describe | None = None
    ) -> list[str | None]:
        """Caption every face as a whole.

        Args:
            stem_features: (B, L, d).
            au_states: (B, N), which AUs are active.
            describe: Overrides the captioner's own setting.

        Returns:
            B captions, None where not requested.
        """
        if (describe or self.describe) == "never" or not len(stem_features) or not self.bundle.has_global_captions:
            return [None] * len(stem_features)
        stepper = self.backend.global_stepper(stem_features)
        prefix = [] if self.gendered else self._neutral_subject
        constraints = [self._face_constraint(states) for states in au_states] if self.consistent else None
        return [*self._decode(stepper, self.bundle.info.max_global_length, prefix, constraints)]

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.from_list(self.bundle.info.vocabulary)

    @cached_property
    def _neutral_subject(self) -> list[int]:
        descriptions = self.bundle.info.descriptions or default_descriptions()
        return self._vocabulary.encode_words(descriptions.wording.subjects[None])

    @cached_property
    def _constraints(self) -> StateConstraints:
        return StateConstraints(self._vocabulary, self.bundle.info.descriptions)

    def _face_constraint(self, au_states: NDArray[np.bool_]) -> CaptionConstraint:
        """Return the texts that name exactly the active AUs of a face (N,)."""
        active = np.array(self.bundle.info.au_ids)[au_states].tolist()
        return self._constraints.for_face(active, (*Gender, None) if self.gendered else (None,))

    def _decode(
        self,
        stepper: CaptionStepper,
        max_length: int,
        prefix: Iterable[int] = (),
        constraints: Sequence[CaptionConstraint] | None = None,
    ) -> list[str]:
        """Search the caption of every sequence, among the texts that its constraint allows, and return it as text."""
        longest = max([max_length, *(constraint.max_length for constraint in constraints or ())])
        results = decode_captions(
            stepper,
            bos_id=self._vocabulary.bos_id,
            eos_id=self._vocabulary.eos_id,
            options=DecodingOptions(max_length=longest, beam_size=self.beam_size),
            prefix=tuple(prefix),
            banned_ids=(self._vocabulary.pad_id,),
            constraints=constraints,
        )
        return [self._vocabulary.decode(result.token_ids) for result in results]
