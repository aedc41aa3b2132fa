"""The faces at the strongest moments of a video, collected while it is read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.drawing.pixels import shrunk
from vlfau.inference.results import AUResult, FaceResult, PictureResult
from vlfau.video.events import Event

__all__ = ["KeyFrame", "KeyFrames", "event_strength"]

_THUMBNAIL_SIDE: Final = 320
_GAP_S: Final = 0.5  # After a longer rest an AU starts a new action.
_KEPT_AN_AU: Final = 2  # per face
_TOLERANCE_S: Final = 0.1  # Events are found in smoothed probabilities, so their edges may shift.


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """A face in the frame in which an action of one of its AUs was strongest.

    Attributes:
        time_s: When the frame is shown.
        au_id: The AU, FACS number.
        strength: Intensity of the AU if the model gives one, else its probability.
        face: The face with its crop, and the attention map of this AU alone.
        thumbnail: (H, W, 3) uint8 RGB, the whole frame, reduced.
        thumbnail_scale: Pixels of the thumbnail per pixel of the frame, along one side.
    """

    time_s: float
    au_id: int
    strength: float
    face: FaceResult = field(repr=False)
    thumbnail: NDArray[np.uint8] = field(repr=False)
    thumbnail_scale: float = 1.0


@dataclass
class _Acting:
    best: KeyFrame
    last_active_s: float


class KeyFrames:
    """Keeps the strongest frame of every action of an AU, and of these frames the strongest ones.

    Memory is bounded by `limit` and by the number of faces in a frame, however long the video is.

    Args:
        limit: Largest number of frames kept of finished actions.
    """

    def __init__(self, limit: int = 48) -> None:
        self._limit = limit
        self._acting: dict[tuple[int, int], _Acting] = {}
        self._kept: list[KeyFrame] = []

    def __len__(self) -> int:
        return len(self._kept) + len(self._acting)

    def add(self, pixels: NDArray[np.uint8], result: PictureResult) -> None:
        """Take the next frame.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            result: Its faces, with crops and attention maps.
        """
        time_s = result.time_s or 0.0
        for key, acting in list(self._acting.items()):
            if time_s - acting.last_active_s > _GAP_S:
                self._keep(key, self._acting.pop(key).best)
        thumbnail: tuple[NDArray[np.uint8], float] | None = None
        for face in result.faces:
            for au in face.active_aus:
                key = (face.face_id or 0, au.au_id)
                known = self._acting.get(key)
                if known is not None:
                    known.last_active_s = time_s
                    if _strength(au) <= known.best.strength:
                        continue
                thumbnail = thumbnail or shrunk(pixels, _THUMBNAIL_SIDE)
                best = KeyFrame(time_s, au.au_id, _strength(au), _lean(face, au.au_id), *thumbnail)
                self._acting[key] = _Acting(best, time_s)

    def choose(self, events: Iterable[Event], count: int) -> list[tuple[Event, KeyFrame]]:
        """Return the strongest events for which a frame was kept, in order of time.

        Every AU of every face is chosen once before any is chosen twice.

        Args:
            events: As `find_events` gives them.
            count: Largest number of events.
        """
        frames = [*self._kept, *(acting.best for acting in self._acting.values())]
        ranked = sorted(events, key=lambda event: (-event_strength(event), -event.duration_s))
        firsts: list[tuple[Event, KeyFrame]] = []
        others: list[tuple[Event, KeyFrame]] = []
        seen: set[tuple[int, int]] = set()
        for event in ranked:
            frame = _nearest(frames, event)
            if frame is not None:
                (others if (event.face_id, event.au_id) in seen else firsts).append((event, frame))
                seen.add((event.face_id, event.au_id))
        chosen = [*firsts, *others][:count]
        return sorted(chosen, key=lambda pair: (pair[1].time_s, pair[0].face_id, pair[0].au_id))

    def _keep(self, key: tuple[int, int], frame: KeyFrame) -> None:
        own = [kept for kept in self._kept if (kept.face.face_id or 0, kept.au_id) == key]
        self._kept.append(frame)
        if len(own) == _KEPT_AN_AU:
            self._drop_weakest([*own, frame])
        elif len(self._kept) > self._limit:
            self._drop_weakest(self._kept)

    def _drop_weakest(self, among: Sequence[KeyFrame]) -> None:
        weakest = min(among, key=lambda frame: frame.strength)
        self._kept = [frame for frame in self._kept if frame is not weakest]


def _strength(au: AUResult) -> float:
    return au.prob if au.intensity is None else au.intensity


def event_strength(event: Event) -> float:
    """Return the intensity of an event at its apex if the model gives one, else its probability."""
    return event.peak_prob if event.peak_intensity is None else event.peak_intensity


def _nearest(frames: Iterable[KeyFrame], event: Event) -> KeyFrame | None:
    inside = [
        frame
        for frame in frames
        if (frame.face.face_id or 0, frame.au_id) == (event.face_id, event.au_id)
        and event.onset_s - _TOLERANCE_S <= frame.time_s <= event.offset_s + _TOLERANCE_S
    ]
    return min(inside, key=lambda frame: abs(frame.time_s - event.apex_s), default=None)


def _lean(face: FaceResult, au_id: int) -> FaceResult:
    """Return a copy that shares no array with the other results of the frame."""
    aus = tuple(
        replace(au, attention_map=None if au.au_id != au_id or au.attention_map is None else au.attention_map.copy())
        for au in face.aus
    )
    lean = replace(face, aus=aus, crop=face.crop.copy(), landmarks_xy=face.landmarks_xy[:0].copy())
    return lean.measured_by(None if face.measured is None else face.measured.copied())
