"""Faces followed through a video, each under its own number."""

from dataclasses import dataclass, field
from itertools import combinations, count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import Face, FaceFinder

__all__ = ["FaceTracker", "Motion", "TrackedFace", "centre", "size"]

_SMOOTHING_S: Final = 0.2
"""Time over which speed is averaged: longer than the landmarks' jitter, shorter than a turn."""


def centre(face: Face) -> NDArray[np.float64]:
    """Return the middle of the landmarks, (2,), in pixels."""
    middle: NDArray[np.float64] = face.landmarks_xy.mean(0, dtype=np.float64)
    return middle


def size(face: Face) -> float:
    """Return the side, in pixels, of a square as large as the face's box."""
    return float(np.sqrt(np.clip(face.face_box_xyxy[2:] - face.face_box_xyxy[:2], 1, None).prod()))


@dataclass(slots=True)
class Motion:
    """A face's place, size and speed, from its own sightings only.

    Attributes:
        centre_xy: (2,), in pixels, at `time_s`.
        size: In pixels.
        time_s: Of the last sighting.
        velocity_xy: (2,), pixels a second.
    """

    centre_xy: NDArray[np.float64]
    size: float
    time_s: float
    velocity_xy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    @classmethod
    def of(cls, face: Face, time_s: float) -> "Motion":
        """Return the motion of a face that was not seen before."""
        return cls(centre(face), size(face), time_s)

    def update(self, face: Face, time_s: float) -> None:
        """Take in where the face is now."""
        now, elapsed = centre(face), time_s - self.time_s
        if elapsed > 0:
            weight = 1 - np.exp(-elapsed / _SMOOTHING_S)
            self.velocity_xy = self.velocity_xy + weight * ((now - self.centre_xy) / elapsed - self.velocity_xy)
        self.centre_xy, self.size, self.time_s = now, size(face), time_s

    def expected(self, time_s: float) -> NDArray[np.float64]:
        """Return where the face should be, (2,), if it goes on as it went."""
        return self.centre_xy + (time_s - self.time_s) * self.velocity_xy

    def surprise(self, face: Face, time_s: float) -> float:
        """Return how far a face is from where this one should be, in sizes of a face."""
        return float(np.linalg.norm(centre(face) - self.expected(time_s))) / max(self.size, 1.0)


_TOUCHING: Final = 1.2
"""Faces whose centres are nearer than this many sizes may cover each other: their speeds are no evidence then."""
_SAME: Final = 0.4
"""Two faces whose centres are nearer than this many sizes are one."""
_NEAR: Final = 1.5
"""A lost face may come back within so many sizes of its place, or of where it was going."""
_MAX_GROWTH: Final = 2.0
"""A lost face comes back at most this many times as large, or as small."""
_YOUNG_S: Final = 0.5
"""A track this young may be a second one of a face that moved fast."""
_SHORT_S: Final = 0.1
"""Steps between glances while something is lost or nothing is followed."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face in one frame of a video.

    Attributes:
        face_id: Its number, from 1, the same in every frame.
        face: Where it is now.
    """

    face_id: int
    face: Face


@dataclass(slots=True, eq=False)
class _Track:
    face_id: int
    face: Face
    motion: Motion
    born_s: float
    seen_s: float

    def is_young(self, time_s: float) -> bool:
        return time_s - self.born_s < _YOUNG_S


class FaceTracker:
    """Follows faces by their meshes, and looks for new ones now and then.

    In most frames each face costs one run of FaceMesh. Twice a second, and more often while a face is lost, the
    detector has one look at the whole frame and one around each lost face; every two seconds the finder looks for small
    faces too. A face that comes back near to its place, or to where it was going, keeps its number. When two tracks
    meet on one face, the one that went on as before has it; the other is lost, behind it.

    Args:
        finder: Finds faces; its `max_faces` holds here too.
        glance_s: Seconds of the video between looks for larger faces.
        search_s: Seconds between searches for faces of all sizes.
        memory_s: How long a lost face is remembered.
    """

    def __init__(
        self, finder: FaceFinder, *, glance_s: float = 0.5, search_s: float = 2.0, memory_s: float = 2.0
    ) -> None:
        self._finder, self._glance_s, self._search_s, self._memory_s = finder, glance_s, search_s, memory_s
        self._followed: list[_Track] = []
        self._lost: list[_Track] = []
        self._ids = count(1)
        self._time_s = self._glanced_s = self._searched_s = -np.inf

    def follow(self, pixels: NDArray[np.uint8], time_s: float) -> list[TrackedFace]:
        """Return the faces of the next frame, by number.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            time_s: The frame's time; later than that of the last frame.
        """
        has_lost = self._update(pixels, time_s)
        # Frames that are far apart must not make a lost face forgotten before the next look.
        step_s = time_s - self._time_s
        self._lost = [track for track in self._lost if time_s - track.seen_s <= self._memory_s + step_s]
        for face in self._look(pixels, time_s, at_once=has_lost):
            self._welcome(face, time_s)
        self._time_s = time_s
        self._followed.sort(key=lambda track: track.face_id)
        return [TrackedFace(track.face_id, track.face) for track in self._followed]

    def _update(self, pixels: NDArray[np.uint8], time_s: float) -> bool:
        """Follow the known faces; return whether one was lost."""
        tracks = self._followed
        faces = self._finder.follow(pixels, [track.face for track in tracks])
        seen = [(track, face) for track, face in zip(tracks, faces, strict=True) if face is not None]
        hidden: list[_Track] = []
        for pair in combinations(seen, 2):
            (one, one_face), (other, other_face) = pair
            if one not in hidden and other not in hidden and _distance(one_face, other_face) < _SAME:
                loser = max(pair, key=lambda each: _doubt(each[0], each[1], time_s))[0]
                hidden.append(loser)
                # A young track that meets an older one was never a face of its own.
                if not loser.is_young(time_s) or (one.is_young(time_s) and other.is_young(time_s)):
                    self._lost.append(loser)
        self._followed = [track for track, _ in seen if track not in hidden]
        self._lost += [track for track, face in zip(tracks, faces, strict=True) if face is None]
        for track, face in seen:
            if track not in hidden:
                track.face, track.seen_s = face, time_s
        for track in self._followed:
            if not any(_distance(track.face, other.face) < _TOUCHING for other in self._others(track)):
                track.motion.update(track.face, time_s)
        return len(self._followed) < len(tracks)

    def _others(self, track: _Track) -> list[_Track]:
        return [other for other in (*self._followed, *self._lost) if other is not track]

    def _look(self, pixels: NDArray[np.uint8], time_s: float, *, at_once: bool) -> list[Face]:
        """Return faces that are not followed, largest first, if it is time to look for them."""
        interval_s = self._glance_s if self._followed and not self._lost else min(_SHORT_S, self._glance_s)
        # Times are rounded: a look that is due within a millisecond is due.
        if time_s - self._searched_s > self._search_s - 1e-3:
            self._searched_s = self._glanced_s = time_s
            found = self._finder.find(pixels)
        elif at_once or time_s - self._glanced_s > interval_s - 1e-3:
            self._glanced_s = time_s
            known, lost = ([track.face for track in tracks] for tracks in (self._followed, self._lost))
            found = self._finder.glance(pixels, known, lost)
        else:
            return []
        return [face for face in found if all(_distance(face, track.face) >= _SAME for track in self._followed)]

    def _welcome(self, face: Face, time_s: float) -> None:
        """Follow a face that was found, as the lost one that it is, or as a new one, if there is room."""
        smallest = min(self._followed, key=lambda track: size(track.face), default=None)
        if smallest is not None and len(self._followed) == self._finder.max_faces:
            if size(face) < _MAX_GROWTH * size(smallest.face):
                return
            self._followed.remove(smallest)
        back = min(
            (track for track in self._lost if _may_be(track, face, time_s)),
            key=lambda track: track.motion.surprise(face, time_s),
            default=None,
        )
        if back is None:
            back = _Track(next(self._ids), face, Motion.of(face, time_s), time_s, time_s)
        else:
            self._lost.remove(back)
            back.face, back.seen_s, back.motion = face, time_s, Motion.of(face, time_s)
        self._followed.append(back)


def _distance(one: Face, other: Face) -> float:
    """Return the distance of two faces in sizes of the smaller."""
    return float(np.linalg.norm(centre(one) - centre(other))) / min(size(one), size(other))


def _doubt(track: _Track, face: Face, time_s: float) -> tuple[bool, float]:
    """Return how much there is against a face being that of a track: more is more."""
    return track.is_young(time_s), track.motion.surprise(face, time_s)


def _may_be(track: _Track, face: Face, time_s: float) -> bool:
    growth = size(face) / track.motion.size
    away = min(track.motion.surprise(face, time_s), _distance(face, track.face))
    return 1 / _MAX_GROWTH <= growth <= _MAX_GROWTH and away <= _NEAR
