"""Tracks the faces of a video, each under its own number."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import Face, FaceFinder
from vlfau.faces.identity import SAME_PERSON, IdentityNetwork, portrait
from vlfau.video.cuts import CutDetector, has_another_look, look_of

__all__ = ["FaceTracker", "Motion", "TrackedFace", "centre", "size"]

_SMOOTHING_S: Final = 0.2
"""Time over which speed is averaged: longer than the landmarks' jitter, shorter than a turn of the head."""


def centre(face: Face) -> NDArray[np.float64]:
    """Return the middle of the landmarks, (2,), in pixels."""
    middle: NDArray[np.float64] = face.landmarks_xy.mean(0, dtype=np.float64)
    return middle


def size(face: Face) -> float:
    """Return the side, in pixels, of a square as large as the face's box."""
    return float(np.sqrt(np.clip(face.face_box_xyxy[2:] - face.face_box_xyxy[:2], 1, None).prod()))


@dataclass(slots=True)
class Motion:
    """A face's position, size and speed, from its own detections only.

    Attributes:
        centre_xy: (2,), in pixels, at `time_s`.
        size: In pixels.
        time_s: Time of the last detection.
        velocity_xy: (2,), pixels per second.
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
        """Update the motion with the current face."""
        now, elapsed = centre(face), time_s - self.time_s
        if elapsed > 0:
            weight = 1 - np.exp(-elapsed / _SMOOTHING_S)
            self.velocity_xy = self.velocity_xy + weight * ((now - self.centre_xy) / elapsed - self.velocity_xy)
        self.centre_xy, self.size, self.time_s = now, size(face), time_s

    def expected(self, time_s: float) -> NDArray[np.float64]:
        """Return the expected centre, (2,), at constant velocity."""
        return self.centre_xy + (time_s - self.time_s) * self.velocity_xy

    def deviation(self, face: Face, time_s: float) -> float:
        """Return the distance of a face from the expected centre, in sizes of this face."""
        return float(np.linalg.norm(centre(face) - self.expected(time_s))) / max(self.size, 1.0)


_OVERLAP_DISTANCE: Final = 1.2
"""Faces whose centres are closer than this many sizes may cover each other, so their speeds are not updated."""
_SAME_DISTANCE: Final = 0.4
"""Two faces whose centres are closer than this many sizes are one."""
_MAX_RETURN_DISTANCE: Final = 1.5
"""A lost face may return within this many sizes of its last or expected centre."""
_MAX_GROWTH: Final = 2.0
"""A lost face returns at most this many times as large, or as small."""
_MIN_AGE_S: Final = 0.5
"""A younger track may be a duplicate of a face that moved fast."""
_SETTLING_READINGS: Final = 2
_SHORT_STEP_S: Final = 0.25
_SAME_PERSON_LATER: Final = 0.65
"""A person may have turned in a longer step, so embeddings must be further apart for another one."""
_LOST_INTERVAL_S: Final = 0.1
"""Seconds between detections while a face is lost or none is tracked."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face in one frame of a video.

    Attributes:
        face_id: Its number, from 1, the same in every frame.
        face: The face in this frame.
        portrait: (S, S, 3) uint8 RGB, the face as `IdentityNetwork` sees it.
    """

    face_id: int
    face: Face
    portrait: NDArray[np.uint8] = field(repr=False, compare=False)


@dataclass(slots=True, eq=False)
class _Track:
    face_id: int
    face: Face
    motion: Motion
    born_s: float
    seen_s: float
    portrait: NDArray[np.uint8]
    look: NDArray[np.float32]
    embedding: NDArray[np.float32] | None = None

    def show(self, portrait: NDArray[np.uint8]) -> None:
        """Take a portrait, to which the next is compared."""
        self.portrait, self.look = portrait, look_of(portrait)

    def is_young(self, time_s: float) -> bool:
        return time_s - self.born_s < _MIN_AGE_S


class FaceTracker:
    """Tracks faces by their meshes, and detects new ones at intervals.

    In most frames each face costs one run of FaceMesh. Twice a second, and more often while a face is lost, the
    detector runs once on the whole frame and once around each lost face; every two seconds the finder searches for
    small faces too. A face that returns near its last or expected centre keeps its number. When two tracks meet on one
    face, the one that moved as expected keeps it; the other counts as lost behind it.

    A hard cut ends all tracks (see `vlfau.video.cuts`). A face that looks different from one frame to the next, without
    a cut of the whole picture, is compared with its track by `IdentityNetwork`: another person gets a new number.

    Args:
        finder: Finds faces; its `max_faces` applies here too.
        glance_s: Seconds of the video between detections of larger faces.
        search_s: Seconds of the video between searches for faces of all sizes.
        memory_s: How long a lost face is remembered, in seconds.
        ids: The numbers of new faces; None counts from 1.
    """

    def __init__(
        self,
        finder: FaceFinder,
        *,
        glance_s: float = 0.5,
        search_s: float = 2.0,
        memory_s: float = 2.0,
        ids: Iterator[int] | None = None,
    ) -> None:
        self._finder, self._glance_s, self._search_s, self._memory_s = finder, glance_s, search_s, memory_s
        self._followed: list[_Track] = []
        self._lost: list[_Track] = []
        self._ids = count(1) if ids is None else ids
        self._cuts = CutDetector()
        self._time_s = self._glanced_s = self._searched_s = -np.inf

    def follow(self, pixels: NDArray[np.uint8], time_s: float) -> list[TrackedFace]:
        """Return the faces of the next frame, by number.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            time_s: The frame's time; later than that of the last frame.
        """
        is_cut = self._cuts.is_cut(pixels)
        has_lost = self._update(pixels, time_s)
        has_lost |= self._end_other_people(pixels, time_s, is_cut=is_cut)
        # If frames are far apart, a lost face must not be forgotten before the next detection.
        step_s = time_s - self._time_s
        self._lost = [track for track in self._lost if time_s - track.seen_s <= self._memory_s + step_s]
        for face in self._find_new(pixels, time_s, immediately=has_lost):
            self._add_face(face, portrait(pixels, face), time_s)
        self._time_s = time_s
        self._followed.sort(key=lambda track: track.face_id)
        return [TrackedFace(track.face_id, track.face, track.portrait) for track in self._followed]

    def _update(self, pixels: NDArray[np.uint8], time_s: float) -> bool:
        """Track the known faces; return whether one was lost."""
        tracks = self._followed
        faces = self._finder.follow(pixels, [track.face for track in tracks])
        seen = [(track, face) for track, face in zip(tracks, faces, strict=True) if face is not None]
        hidden: list[_Track] = []
        for pair in combinations(seen, 2):
            (one, one_face), (other, other_face) = pair
            if one not in hidden and other not in hidden and _distance(one_face, other_face) < _SAME_DISTANCE:
                loser = max(pair, key=lambda each: _mismatch(each[0], each[1], time_s))[0]
                hidden.append(loser)
                # A young track that meets an older one was a duplicate.
                if not loser.is_young(time_s) or (one.is_young(time_s) and other.is_young(time_s)):
                    self._lost.append(loser)
        self._followed = [track for track, _ in seen if track not in hidden]
        self._lost += [track for track, face in zip(tracks, faces, strict=True) if face is None]
        for track, face in seen:
            if track not in hidden:
                track.face, track.seen_s = face, time_s
        for track in self._followed:
            if not self._may_be_covered(track):
                track.motion.update(track.face, time_s)
        return len(self._followed) < len(tracks)

    @cached_property
    def _network(self) -> IdentityNetwork:
        return IdentityNetwork()

    def _end_other_people(self, pixels: NDArray[np.uint8], time_s: float, *, is_cut: bool) -> bool:
        """Compare the looks of the followed faces with those before, and begin new tracks for other people.

        Args:
            pixels: The frame.
            time_s: Its time.
            is_cut: Whether the whole picture changed.

        Returns:
            Whether the faces must be searched anew.
        """
        portraits = [portrait(pixels, track.face) for track in self._followed]
        looks = [look_of(now) for now in portraits]
        changed = [has_another_look(look, track.look) for track, look in zip(self._followed, looks, strict=True)]
        if is_cut and all(changed):
            self._followed, self._lost, self._searched_s = [], [], -np.inf
            return True
        for place, (track, now) in enumerate(zip(self._followed, portraits, strict=True)):
            if self._may_be_covered(track):
                continue
            step_s = time_s - self._time_s
            if changed[place] and not track.is_young(time_s):
                settled = self._settled(pixels, track)
                if self._is_another_person(track, settled, step_s):
                    self._followed[place] = self._new_track(track.face, settled, time_s)
                track.show(settled)
            else:
                track.portrait, track.look = now, looks[place]
        return False

    def _settled(self, pixels: NDArray[np.uint8], track: _Track) -> NDArray[np.uint8]:
        """Find a face again from where it is now, and return its portrait: a mesh that came from afar fits badly."""
        for _ in range(_SETTLING_READINGS):
            face = self._finder.follow(pixels, [track.face])[0]
            track.face = track.face if face is None else face
        return portrait(pixels, track.face)

    def _is_another_person(self, track: _Track, now: NDArray[np.uint8], step_s: float) -> bool:
        if track.embedding is None:
            track.embedding = self._network([track.portrait])[0]
        embedding = self._network([now])[0]
        nearest = SAME_PERSON if step_s <= _SHORT_STEP_S else _SAME_PERSON_LATER
        if float(np.linalg.norm(embedding - track.embedding)) >= nearest:
            return True
        track.embedding = embedding
        return False

    def _new_track(self, face: Face, portrait: NDArray[np.uint8], time_s: float) -> _Track:
        return _Track(next(self._ids), face, Motion.of(face, time_s), time_s, time_s, portrait, look_of(portrait))

    def _may_be_covered(self, track: _Track) -> bool:
        return any(_distance(track.face, other.face) < _OVERLAP_DISTANCE for other in self._others(track))

    def _others(self, track: _Track) -> list[_Track]:
        return [other for other in (*self._followed, *self._lost) if other is not track]

    def _find_new(self, pixels: NDArray[np.uint8], time_s: float, *, immediately: bool) -> list[Face]:
        """Return faces that are not tracked yet, largest first, if a detection is due."""
        interval_s = self._glance_s if self._followed and not self._lost else min(_LOST_INTERVAL_S, self._glance_s)
        # Times are rounded: a detection that is due within a millisecond is due.
        if time_s - self._searched_s > self._search_s - 1e-3:
            self._searched_s = self._glanced_s = time_s
            found = self._finder.find(pixels)
        elif immediately or time_s - self._glanced_s > interval_s - 1e-3:
            self._glanced_s = time_s
            known, lost = ([track.face for track in tracks] for tracks in (self._followed, self._lost))
            found = self._finder.glance(pixels, known, lost)
        else:
            return []
        return [
            face for face in found if all(_distance(face, track.face) >= _SAME_DISTANCE for track in self._followed)
        ]

    def _add_face(self, face: Face, portrait: NDArray[np.uint8], time_s: float) -> None:
        """Track a face that was found, as a lost one that returned or as a new one, if there is room."""
        smallest = min(self._followed, key=lambda track: size(track.face), default=None)
        if smallest is not None and len(self._followed) == self._finder.max_faces:
            if size(face) < _MAX_GROWTH * size(smallest.face):
                return
            self._followed.remove(smallest)
        returning = min(
            (track for track in self._lost if _may_be_same(track, face, time_s)),
            key=lambda track: track.motion.deviation(face, time_s),
            default=None,
        )
        if returning is None:
            returning = self._new_track(face, portrait, time_s)
        else:
            self._lost.remove(returning)
            returning.face, returning.seen_s, returning.motion = face, time_s, Motion.of(face, time_s)
        self._followed.append(returning)


def _distance(one: Face, other: Face) -> float:
    """Return the distance of two faces in sizes of the smaller."""
    return float(np.linalg.norm(centre(one) - centre(other))) / min(size(one), size(other))


def _mismatch(track: _Track, face: Face, time_s: float) -> tuple[bool, float]:
    """Return how badly a face fits a track, to compare tracks."""
    return track.is_young(time_s), track.motion.deviation(face, time_s)


def _may_be_same(track: _Track, face: Face, time_s: float) -> bool:
    growth = size(face) / track.motion.size
    distance = min(track.motion.deviation(face, time_s), _distance(face, track.face))
    return 1 / _MAX_GROWTH <= growth <= _MAX_GROWTH and distance <= _MAX_RETURN_DISTANCE
