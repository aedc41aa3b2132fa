"""Constrained decoding: the decoder chooses among texts that state what was predicted, and cannot say anything else.

The texts of an AU are its learned ones for the predicted state, degree and side. The decoder takes a step only as long
as it has a choice: where one text is left, its rest is forced.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vlfau.errors import DescriptionError
from vlfau.facs import AUState
from vlfau.language.decoding import CaptionStepper, IntArray
from vlfau.language.descriptions import Descriptions
from vlfau.language.grammar import local_descriptions
from vlfau.language.vocabulary import Vocabulary

__all__ = ["AllowedTexts", "StateConstraints", "allowed_local_descriptions", "choose_texts"]


class AllowedTexts:
    """Texts that a decoder may choose from, as a tree of tokens.

    Args:
        texts: Distinct token ids, each with the end token.
    """

    def __init__(self, texts: Sequence[Sequence[int]]) -> None:
        self.root: dict[int, Any] = {}
        for text in texts:
            node = self.root
            for token_id in text:
                node = node.setdefault(token_id, {})

    @staticmethod
    def forced(node: dict[int, Any]) -> tuple[int, ...] | None:
        """Return the tokens that must follow a node up to the end; None if a choice is left."""
        tokens: list[int] = []
        while node:
            if len(node) > 1:
                return None
            ((token_id, node),) = node.items()
            tokens.append(token_id)
        return tuple(tokens)


def choose_texts(
    allowed: Sequence[AllowedTexts], open_stepper: Callable[[IntArray], CaptionStepper], *, bos_id: int
) -> list[tuple[int, ...]]:
    """Let a decoder choose a text for every sequence: at each branch, the likeliest of the allowed tokens.

    Args:
        allowed: The texts of S sequences.
        open_stepper: Binds the decoder to some of the sequences, given their indices (S',); called only if any has a
            choice.
        bos_id: The token that starts a text.

    Returns:
        The token ids of S texts, with the end token.
    """
    chosen: list[list[int]] = [[] for _ in allowed]
    nodes = [each.root for each in allowed]
    sequences: IntArray = np.array([i for i, node in enumerate(nodes) if AllowedTexts.forced(node) is None], np.int64)
    if len(sequences):
        stepper = open_stepper(sequences)
        hidden, cell = stepper.start()  # (S', h)
        rows: IntArray = np.arange(len(sequences))
        token_ids = np.full((len(rows), 1), bos_id, np.int64)
        hidden, cell = hidden[:, None], cell[:, None]
        while len(rows):
            output = stepper.step(token_ids, hidden, cell, rows)
            for logits, sequence in zip(output.logits[:, 0], sequences[rows].tolist(), strict=True):
                token_id = max(nodes[sequence], key=logits.__getitem__)
                nodes[sequence] = nodes[sequence][token_id]
                chosen[sequence].append(token_id)
            live = np.array([AllowedTexts.forced(nodes[sequence]) is None for sequence in sequences[rows]], bool)
            hidden, cell = output.hidden[live], output.cell[live]
            rows = rows if live.all() else rows[live]
            token_ids = np.array([[chosen[sequence][-1]] for sequence in sequences[rows]], np.int64)
    return [(*tokens, *(AllowedTexts.forced(node) or ())) for tokens, node in zip(chosen, nodes, strict=True)]


def allowed_local_descriptions(
    state: AUState, descriptions: Descriptions | None = None, *, either: bool = False
) -> tuple[str, ...]:
    """Return every local description that states a state, with its degree and its side, and no others.

    Args:
        state: The state that the texts must have.
        descriptions: The texts; None means the package's own.
        either: Whether texts for rest and for a trace are both allowed of an inactive AU, because nothing tells them
            apart.

    >>> all("markedly" in text for text in allowed_local_descriptions(AUState(12, True, 3)))
    True
    """
    if state.active or not either:
        return local_descriptions(state, descriptions)
    both = (AUState(state.au_id, active=False, trace=trace) for trace in (False, True))
    return tuple(dict.fromkeys(text for each in both for text in local_descriptions(each, descriptions)))


class StateConstraints:
    """Makes the constraints of captions that must state given AU states.

    Args:
        vocabulary: That of the decoder. Texts with words that it lacks are left out.
        descriptions: The texts that the decoder learned; None means the package's own.
    """

    def __init__(self, vocabulary: Vocabulary, descriptions: Descriptions | None = None) -> None:
        self._vocabulary, self._descriptions = vocabulary, descriptions
        self._by_state: dict[tuple[AUState, bool], AllowedTexts] = {}

    def for_au(self, state: AUState, *, either: bool = False) -> AllowedTexts:
        """Return the texts that a local caption may be; see `allowed_local_descriptions`.

        Raises:
            DescriptionError: The vocabulary lacks words of every such text.
        """
        if (state, either) not in self._by_state:
            texts = allowed_local_descriptions(state, self._descriptions, either=either)
            self._by_state[state, either] = self.among(texts)
        return self._by_state[state, either]

    def among(self, texts: Sequence[str]) -> AllowedTexts:
        """Return those of the texts whose words the vocabulary has.

        Raises:
            DescriptionError: There are none.
        """
        known, unknown = [], None
        for text in texts:
            try:
                known.append(self._vocabulary.encode(text))
            except DescriptionError as error:
                unknown = error
        if not known and unknown:
            raise unknown
        return AllowedTexts(known)
