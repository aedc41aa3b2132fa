"""What the grammar would have said: the texts that captions are compared with."""

from collections.abc import Sequence

import numpy as np

from vlfau.data import Frame
from vlfau.language import Descriptions, global_description
from vlfau.language.grammar import local_descriptions

__all__ = ["global_references", "local_references"]

GLOBAL_REFERENCES = 5


def local_references(frame: Frame, descriptions: Descriptions | None = None) -> list[tuple[str, ...] | None]:
    """Return every description of the true state of each AU, N; None where nobody annotated.

    Args:
        frame: The frame.
        descriptions: The texts that the network learned; None means the package's own, here and below.
    """
    return [None if state is None else local_descriptions(state, descriptions) for state in frame.states]


def global_references(frame: Frame, seed: int, descriptions: Descriptions | None = None) -> tuple[str, ...]:
    """Return the canonical description of a face and some of its paraphrases, of which there are too many for all."""
    rng = np.random.default_rng(seed)
    states = [state for state in frame.states if state is not None]
    draws: Sequence[np.random.Generator | None] = (None, *([rng] * (GLOBAL_REFERENCES - 1)))
    return tuple(dict.fromkeys(global_description(states, frame.gender, draw, descriptions) for draw in draws))
