"""AU states to words: one local description per AU, one global description per face."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np

from vlfau.errors import DescriptionError
from vlfau.facs import AUState
from vlfau.language.descriptions import Descriptions, default_descriptions
from vlfau.language.wording import Gender, Wording

__all__ = [
    "active_states",
    "even_sizes",
    "global_description",
    "global_phrases",
    "local_description",
    "local_descriptions",
    "mirrored",
    "restated",
    "sentence_sizes",
]


StateT = TypeVar("StateT", AUState, AUState | None)

_MAX_PHRASES: Final = 4
"""Maximum number of verb phrases in one sentence of a global description."""


def local_descriptions(state: AUState, descriptions: Descriptions | None = None) -> tuple[str, ...]:
    """Return every local description of a state; the first is the canonical one.

    Args:
        state: The state of the AU.
        descriptions: The texts; None means the package's own, here and below.

    Raises:
        DescriptionError: The descriptions have no texts for the AU.
    """
    return _local_descriptions(state, descriptions or default_descriptions())


@lru_cache(maxsize=1 << 14)
def _local_descriptions(state: AUState, descriptions: Descriptions) -> tuple[str, ...]:
    templates = descriptions.unit(state.au_id).local(state)
    return tuple(template.fill(descriptions.wording, state.intensity, state.side) for template in templates)


def restated(text: str, old: AUState, new: AUState, descriptions: Descriptions | None = None) -> str | None:
    """Return the local description of another state of an AU that corresponds to a text.

    Args:
        text: A text.
        old: The state that it describes.
        new: The state to describe.
        descriptions: The texts.

    Returns:
        None if it is no local description of the old state.

    >>> restated(local_description(AUState(17, True, 2)), AUState(17, True, 2), AUState(17, True, 3)).split(" by ")[0]
    'The chin is markedly pushed up'
    """
    texts, others = local_descriptions(old, descriptions), local_descriptions(new, descriptions)
    return others[texts.index(text) % len(others)] if text in texts else None


def global_phrases(state: AUState, descriptions: Descriptions | None = None) -> tuple[str, ...]:
    """Return every verb phrase of an active state; the first is the canonical one.

    Raises:
        DescriptionError: The AU is inactive, or has no texts.
    """
    return _global_phrases(state, descriptions or default_descriptions())


@lru_cache(maxsize=1 << 14)
def _global_phrases(state: AUState, descriptions: Descriptions) -> tuple[str, ...]:
    if not state.active:
        raise DescriptionError(f"AU{state.au_id} is inactive, so no global phrase fits; leave it out")
    templates = descriptions.unit(state.au_id).phrases
    return tuple(template.fill(descriptions.wording, state.intensity, state.side) for template in templates)


def local_description(
    state: AUState, rng: np.random.Generator | None = None, descriptions: Descriptions | None = None
) -> str:
    """Describe one AU, active or not.

    Args:
        state: The state of the AU.
        rng: Chooses a paraphrase; None takes the canonical one.
        descriptions: The texts.

    >>> local_description(AUState(24, active=False)).split(".")[0]
    'The lips are not pressed together by the orbicularis oris'
    """
    return _choose(local_descriptions(state, descriptions), rng)


def global_description(
    states: Sequence[AUState],
    gender: Gender | None = None,
    rng: np.random.Generator | None = None,
    descriptions: Descriptions | None = None,
) -> str:
    """Describe a face by its active AUs, in catalogue order.

    Args:
        states: The state of each AU; inactive ones are not mentioned.
        gender: Names the subject "woman" or "man"; None says "person".
        rng: Chooses paraphrases; None takes the canonical ones.
        descriptions: The texts.

    Raises:
        DescriptionError: An AU is given twice.

    >>> global_description([AUState(12, True, 2), AUState(25, True)], Gender.MAN)
    'This man slightly pulls the lip corners up and parts the lips.'
    """
    phrases = [global_phrases(state, descriptions) for state in active_states(states)]
    wording = (descriptions or default_descriptions()).wording
    slots = _slots(
        wording.subjects[gender],
        phrases,
        wording,
        trace=any(state.trace for state in states),
        opening=0 if rng is None else int(rng.integers(len(wording.follow_ups))),
    )
    return " ".join(_choose(texts, rng) for texts in slots).replace(" ,", ",").replace(" .", ".")


def active_states(states: Sequence[AUState]) -> tuple[AUState, ...]:
    """Return the active states in catalogue order.

    Raises:
        DescriptionError: An AU is given twice.
    """
    au_ids = [state.au_id for state in states]
    if len(set(au_ids)) != len(au_ids):
        raise DescriptionError(f"an AU is given twice in {au_ids}; give one state per AU")
    return tuple(sorted((state for state in states if state.active), key=lambda state: state.au_id))


def mirrored(states: Sequence[StateT]) -> tuple[StateT, ...]:
    """Return the states of the horizontally flipped picture: left and right are swapped.

    Args:
        states: The state of each AU; None without annotation.
    """
    return tuple(
        replace(state, side=state.side.mirrored()) if state is not None and state.side is not None else state
        for state in states
    )


def sentence_sizes(num_phrases: int) -> tuple[int, ...]:
    """Return how many phrases each sentence of a global description holds, as evenly as possible.

    >>> sentence_sizes(9)
    (3, 3, 3)
    """
    return even_sizes(num_phrases, _MAX_PHRASES)


def even_sizes(count: int, maximum: int) -> tuple[int, ...]:
    """Return the sizes of the fewest parts of at most `maximum` items, as evenly as possible, larger ones first."""
    parts = -(-count // maximum)
    return tuple((count + parts - 1 - index) // parts for index in range(parts))


def _slots(
    subject: str, phrases: Sequence[Sequence[str]], wording: Wording, *, trace: bool, opening: int
) -> list[Sequence[str]]:
    """Return the slots of a global description: the texts that may fill each, in order.

    Args:
        subject: How it begins.
        phrases: For every active AU, in catalogue order, the verb phrases that may stand for it.
        wording: The words that all AUs share.
        trace: Whether a face without an active AU may show a trace of one.
        opening: Index of the second sentence's opening; later sentences take the next ones in turn, so that
            neighbours differ.
    """
    if not phrases:
        return [(subject,), wording.trace if trace and wording.trace else wording.no_action, (".",)]
    slots: list[Sequence[str]] = []
    rest = iter(phrases)
    for index, size in enumerate(sentence_sizes(len(phrases))):
        follow_up = wording.follow_ups[(opening + index - 1) % len(wording.follow_ups)]
        slots.append((follow_up if index else subject,))
        for left in reversed(range(size)):
            slots += [next(rest), (".",) if left == 0 else ("and",) if left == 1 else (",",)]
    return slots


def _choose(texts: Sequence[str], rng: np.random.Generator | None) -> str:
    return texts[0 if rng is None else int(rng.integers(len(texts)))]
