"""People in a video: which faces are the same person's, although they have different numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.identity import SAME_PERSON, IdentityNetwork
from vlfau.video.tracker import TrackedFace

__all__ = ["People"]

_LOOK_AGAIN_S: Final = 1.0
"""Seconds between two embeddings of a face that stays in the picture."""
_MAX_WEIGHT: Final = 30
"""Embeddings after which newer ones replace older ones slowly."""


@dataclass(eq=False)
class _Person:
    """A person, by the mean of the embeddings."""

    number: int
    embedding: NDArray[np.float32]
    weight: int = 1

    def add(self, embedding: NDArray[np.float32]) -> None:
        self.weight = min(self.weight + 1, _MAX_WEIGHT)
        self.embedding = self.embedding + (embedding - self.embedding) * np.float32(1 / self.weight)


@dataclass(eq=False)
class _Known:
    person: _Person
    seen_s: float


@dataclass
class People:
    """Groups the faces of one video by their looks, as they come.

    A face that was not seen before is embedded at once. It is the nearest person who is not in the same frame, if near
    enough, and otherwise a new one. Embeddings are kept in memory only, while the video lasts.

    Attributes:
        network: Embeds faces.
    """

    network: IdentityNetwork
    _people: list[_Person] = field(default_factory=list)
    _known: dict[int, _Known] = field(default_factory=dict)

    def of(self, tracked: Sequence[TrackedFace], time_s: float) -> list[int]:
        """Return the person of every face of the next frame, numbered from 1."""
        due = [
            face
            for face in tracked
            if face.face_id not in self._known or time_s - self._known[face.face_id].seen_s >= _LOOK_AGAIN_S
        ]
        embeddings = self.network([face.portrait for face in due]) if due else ()
        for face, embedding in zip(due, embeddings, strict=True):
            known = self._known.get(face.face_id)
            if known is None:
                here = [self._known[other.face_id].person for other in tracked if other.face_id in self._known]
                self._known[face.face_id] = _Known(self._recognised(embedding, here), time_s)
            else:
                known.person.add(embedding)
                known.seen_s = time_s
        return [self._known[face.face_id].person.number for face in tracked]

    def _recognised(self, embedding: NDArray[np.float32], here: Sequence[_Person]) -> _Person:
        others = [person for person in self._people if person not in here]
        distances = [float(np.linalg.norm(person.embedding - embedding)) for person in others]
        if distances and min(distances) < SAME_PERSON:
            person = others[int(np.argmin(distances))]
            person.add(embedding)
            return person
        self._people.append(_Person(len(self._people) + 1, embedding))
        return self._people[-1]
