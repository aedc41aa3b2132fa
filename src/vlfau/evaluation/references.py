"""What the grammar would have said: the texts that captions are compared with."""

from collections.abc import Sequence

import numpy as np

from vlfau.data import Frame
from vlfau.language import global_description
from vlfau.language.grammar import local_descriptions

__all__ = ["global_references", "local_references"]

GLOBAL_REFERENCES = 5


def local_references(frame: Frame) -> list[tuple[str, ...] | None]:
    """Return every description of the true state of each AU, N; None where nobody annotated."""
    return [None if state is None else local_descriptions(state) for state in frame.states]


def global_references(frame: Frame, seed: int) -> tuple[str, ...]:
    """Return the canonical description of a face and some of its paraphrases, of which there are too many for all."""
    rng = np.random.default_rng(seed)
    states = [state for state in frame.states if state is not None]
    draws: Sequence[np.random.Generator | None] = (None, *([rng] * (GLOBAL_REFERENCES - 1)))
    return tuple(dict.fromkeys(global_description(states, frame.gender, draw) for draw in draws))
