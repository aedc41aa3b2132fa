"""Faces through time: what vlfau said of each face of a video, as numbers that fit in memory.

Dimensions: T frames in which the face was seen, N AUs.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import InputError
from vlfau.facs import check_au_ids
from vlfau.inference.results import FaceResult, PictureResult

__all__ = ["Track", "TrackBuilder", "tracks"]


@dataclass(frozen=True, eq=False)
class Track:
    """One face of a video.

    Attributes:
        face_id: Its number in the video.
        time_s: (T,) float64, when each frame is shown, in seconds; never falling, at any frame rate.
        probs: (T, N) float32, the probability of each AU.
        states: (T, N), whether each AU occurs.
        intensities: (T, N) float32, 0 to 5; None from a model that has no intensities.
        au_ids: (N,), FACS numbers.
        lost: (T,), whether a frame without this face lies between the one before and this one; None where the
            face was never lost.

    Raises:
        InputError: The arrays do not fit together, or the times fall.
    """

    face_id: int
    time_s: NDArray[np.float64]
    probs: NDArray[np.float32]
    states: NDArray[np.bool_]
    intensities: NDArray[np.float32] | None
    au_ids: tuple[int, ...]
    lost: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        expected = (len(self.time_s), len(self.au_ids))
        given = [self.probs.shape, self.states.shape]
        given += [] if self.intensities is None else [self.intensities.shape]
        lost_fits = self.lost is None or self.lost.shape == expected[:1]
        if self.time_s.ndim != 1 or not len(self.time_s) or set(given) != {expected} or not lost_fits:
            raise InputError(
                f"face {self.face_id}: expected {expected} numbers, frames by AUs, of at least one frame, "
                f"got {', '.join(map(str, given))}; give every array the same frames and AUs"
            )
        if not np.isfinite(self.time_s).all() or (np.diff(self.time_s) < 0).any():
            raise InputError(f"face {self.face_id}: the times of its frames fall; give the frames in order of time")

    @property
    def starts(self) -> NDArray[np.bool_]:
        """Where a stretch begins in which the face was seen in every frame, (T,)."""
        starts = np.zeros(len(self.time_s), bool) if self.lost is None else self.lost.copy()
        starts[0] = True
        return starts

    @property
    def frame_s(self) -> NDArray[np.float64]:
        """How long each frame is shown in seconds, (T,); the last of a stretch counts as long as most frames do."""
        lengths, in_stretch = np.diff(self.time_s), ~self.starts[1:]
        usual = float(np.median(lengths[in_stretch])) if in_stretch.any() else 0.0
        return np.append(np.where(in_stretch, lengths, usual), usual)

    @property
    def active_share(self) -> NDArray[np.float64]:
        """The share of the time seen in which each AU occurs, (N,), 0 to 1."""
        frame_s = self.frame_s
        weights = frame_s if frame_s.any() else np.ones_like(frame_s)
        return np.asarray(np.average(self.states, axis=0, weights=weights))


@dataclass
class _Growing:
    """A track that still grows, in 9 bytes an AU and frame at most."""

    time_s: "array[float]" = field(default_factory=lambda: array("d"))
    probs: "array[float]" = field(default_factory=lambda: array("f"))
    states: bytearray = field(default_factory=bytearray)
    intensities: "array[float]" = field(default_factory=lambda: array("f"))
    lost: bytearray = field(default_factory=bytearray)
    last_seen: int = 0


class TrackBuilder:
    """Takes the results of a video frame by frame and keeps their numbers.

    Args:
        au_ids: The AUs to keep, in the order that the tracks shall have.

    Attributes:
        frames: How many frames were added.
        start_s: The time of the first one in seconds; None before it.
        end_s: Likewise of the last one.
    """

    def __init__(self, au_ids: Sequence[int]) -> None:
        self.au_ids = check_au_ids(au_ids)
        self.frames = 0
        self.start_s: float | None = None
        self.end_s: float | None = None
        self._growing: dict[int, _Growing] = {}

    def add(self, result: PictureResult) -> None:
        """Add the next frame, also one without a face.

        Raises:
            InputError: The result is no frame of a video, is out of order, or lacks an AU.
        """
        if result.time_s is None:
            raise _no_frame(result)
        if self.end_s is not None and result.time_s < self.end_s:
            raise InputError(
                f"{result.file}: the frame at {result.time_s:.3f} s follows one at {self.end_s:.3f} s; "
                "give the frames of one video in order of time"
            )
        for face in result.faces:
            if face.face_id is None:
                raise _no_frame(result)
            growing = self._growing.setdefault(face.face_id, _Growing())
            growing.lost.append(bool(growing.time_s) and growing.last_seen != self.frames - 1)
            growing.last_seen = self.frames
            growing.time_s.append(result.time_s)
            self._add_aus(growing, face, result.file)
        self.frames += 1
        self.start_s = result.time_s if self.start_s is None else self.start_s
        self.end_s = result.time_s

    def build(self) -> list[Track]:
        """Return one track a face, by `face_id`."""
        return [self._track(face_id, growing) for face_id, growing in sorted(self._growing.items())]

    def _add_aus(self, growing: _Growing, face: FaceResult, file: str) -> None:
        by_id = {au.au_id: au for au in face.aus}
        if missing := [au_id for au_id in self.au_ids if au_id not in by_id]:
            raise InputError(f"{file}: a result lacks AU {missing[0]}; ask for AUs that the model knows")
        aus = [by_id[au_id] for au_id in self.au_ids]
        growing.probs.extend(au.prob for au in aus)
        growing.states.extend(au.state for au in aus)
        growing.intensities.extend(au.intensity for au in aus if au.intensity is not None)

    def _track(self, face_id: int, growing: _Growing) -> Track:
        shape = (len(growing.time_s), len(self.au_ids))
        return Track(
            face_id=face_id,
            time_s=np.array(growing.time_s, np.float64),
            probs=np.array(growing.probs, np.float32).reshape(shape),
            states=np.array(growing.states, bool).reshape(shape),
            # A model gives the intensities of all AUs or of none.
            intensities=np.array(growing.intensities, np.float32).reshape(shape) if growing.intensities else None,
            au_ids=self.au_ids,
            lost=np.array(growing.lost, bool),
        )


def _no_frame(result: PictureResult) -> InputError:
    return InputError(
        f"{result.file}: expected frames of a video, whose results have a time and whose faces have a number, "
        "got a picture; follow the faces of a video first"
    )


def tracks(results: Iterable[PictureResult], au_ids: Sequence[int]) -> list[Track]:
    """Gather the results of one video by face.

    Args:
        results: Those of every frame in order of time, the frames without a face among them.
        au_ids: The AUs to keep, in the order that the tracks shall have.

    Returns:
        One track a face, by `face_id`; none if no face was seen.

    Raises:
        InputError: A result is no frame of a video, is out of order, or lacks an AU.
    """
    builder = TrackBuilder(au_ids)
    for result in results:
        builder.add(result)
    return builder.build()
