"""Results of each face of a video over time, as arrays that fit in memory.

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
        time_s: (T,) float64, the time of each frame in seconds; never decreasing, at any frame rate.
        probs: (T, N) float32, the probability of each AU.
        states: (T, N), whether each AU is active.
        intensities: (T, N) float32, 0 to 5; None for a model without intensities.
        au_ids: (N,), FACS numbers.
        doubtful: (T, N), whether each AU could not be seen well enough; None if unknown.
        lost: (T,), whether the face was lost between the previous frame and this one; None if it was never lost.

    Raises:
        InputError: The arrays do not fit together, or the times decrease.
    """

    face_id: int
    time_s: NDArray[np.float64]
    probs: NDArray[np.float32]
    states: NDArray[np.bool_]
    intensities: NDArray[np.float32] | None
    au_ids: tuple[int, ...]
    lost: NDArray[np.bool_] | None = None
    doubtful: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        expected = (len(self.time_s), len(self.au_ids))
        given = [self.probs.shape, self.states.shape]
        given += [each.shape for each in (self.intensities, self.doubtful) if each is not None]
        lost_fits = self.lost is None or self.lost.shape == expected[:1]
        if self.time_s.ndim != 1 or not len(self.time_s) or set(given) != {expected} or not lost_fits:
            raise InputError(
                f"face {self.face_id}: expected {expected} numbers, frames by AUs, of at least one frame, "
                f"got {', '.join(map(str, given))}; give every array the same frames and AUs"
            )
        if not np.isfinite(self.time_s).all() or (np.diff(self.time_s) < 0).any():
            raise InputError(f"face {self.face_id}: the times of its frames decrease; give the frames in order of time")

    @property
    def starts(self) -> NDArray[np.bool_]:
        """Whether a stretch in which the face was seen in every frame begins here, (T,)."""
        starts = np.zeros(len(self.time_s), bool) if self.lost is None else self.lost.copy()
        starts[0] = True
        return starts

    @property
    def frame_s(self) -> NDArray[np.float64]:
        """How long each frame lasts in seconds, (T,); the last of a stretch lasts as long as the median frame."""
        lengths, in_stretch = np.diff(self.time_s), ~self.starts[1:]
        usual = float(np.median(lengths[in_stretch])) if in_stretch.any() else 0.0
        return np.append(np.where(in_stretch, lengths, usual), usual)

    @property
    def active_share(self) -> NDArray[np.float64]:
        """The share of the time seen for which each AU is active, (N,), 0 to 1."""
        frame_s = self.frame_s
        weights = frame_s if frame_s.any() else np.ones_like(frame_s)
        return np.asarray(np.average(self.states, axis=0, weights=weights))


@dataclass
class _TrackBuffer:
    """A track that is being built, in at most 10 bytes per AU and frame."""

    time_s: "array[float]" = field(default_factory=lambda: array("d"))
    probs: "array[float]" = field(default_factory=lambda: array("f"))
    states: bytearray = field(default_factory=bytearray)
    intensities: "array[float]" = field(default_factory=lambda: array("f"))
    lost: bytearray = field(default_factory=bytearray)
    doubtful: bytearray = field(default_factory=bytearray)
    last_seen: int = 0


class TrackBuilder:
    """Collects the results of a video frame by frame into tracks.

    Args:
        au_ids: The AUs to keep, in the order of the tracks.

    Attributes:
        frames: How many frames were added.
        start_s: The time of the first frame in seconds; None if there is none yet.
        end_s: The time of the last frame; None likewise.
    """

    def __init__(self, au_ids: Sequence[int]) -> None:
        self.au_ids = check_au_ids(au_ids)
        self.frames = 0
        self.start_s: float | None = None
        self.end_s: float | None = None
        self._buffers: dict[int, _TrackBuffer] = {}

    def add(self, result: PictureResult) -> None:
        """Add the next frame, even one without a face.

        Raises:
            InputError: The result is not a frame of a video, is out of order, or lacks an AU.
        """
        if result.time_s is None:
            raise _not_a_video_frame(result)
        if self.end_s is not None and result.time_s < self.end_s:
            raise InputError(
                f"{result.file}: the frame at {result.time_s:.3f} s follows one at {self.end_s:.3f} s; "
                "give the frames of one video in order of time"
            )
        for face in result.faces:
            if face.face_id is None:
                raise _not_a_video_frame(result)
            buffer = self._buffers.setdefault(face.face_id, _TrackBuffer())
            buffer.lost.append(bool(buffer.time_s) and buffer.last_seen != self.frames - 1)
            buffer.last_seen = self.frames
            buffer.time_s.append(result.time_s)
            self._add_aus(buffer, face, result.file)
        self.frames += 1
        self.start_s = result.time_s if self.start_s is None else self.start_s
        self.end_s = result.time_s

    def build(self) -> list[Track]:
        """Return one track per face, by `face_id`."""
        return [self._track(face_id, buffer) for face_id, buffer in sorted(self._buffers.items())]

    def _add_aus(self, buffer: _TrackBuffer, face: FaceResult, file: str) -> None:
        by_id = {au.au_id: au for au in face.aus}
        if missing := [au_id for au_id in self.au_ids if au_id not in by_id]:
            raise InputError(f"{file}: a result lacks AU {missing[0]}; choose AUs that the model has")
        aus = [by_id[au_id] for au_id in self.au_ids]
        buffer.probs.extend(au.prob for au in aus)
        buffer.states.extend(au.state for au in aus)
        buffer.doubtful.extend(au.doubtful for au in aus)
        buffer.intensities.extend(au.intensity for au in aus if au.intensity is not None)

    def _track(self, face_id: int, buffer: _TrackBuffer) -> Track:
        shape = (len(buffer.time_s), len(self.au_ids))
        return Track(
            face_id=face_id,
            time_s=np.array(buffer.time_s, np.float64),
            probs=np.array(buffer.probs, np.float32).reshape(shape),
            states=np.array(buffer.states, bool).reshape(shape),
            # A model gives the intensities of all AUs or of none.
            intensities=np.array(buffer.intensities, np.float32).reshape(shape) if buffer.intensities else None,
            au_ids=self.au_ids,
            lost=np.array(buffer.lost, bool),
            doubtful=np.array(buffer.doubtful, bool).reshape(shape),
        )


def _not_a_video_frame(result: PictureResult) -> InputError:
    return InputError(
        f"{result.file}: expected frames of a video, whose results have a time and whose faces have a number, "
        "got a picture; analyse a video instead"
    )


def tracks(results: Iterable[PictureResult], au_ids: Sequence[int]) -> list[Track]:
    """Return the tracks of one video from its results.

    Args:
        results: The results of all frames in order of time, including frames without a face.
        au_ids: The AUs to keep, in the order of the tracks.

    Returns:
        One track per face, by `face_id`; none if no face was seen.

    Raises:
        InputError: A result is not a frame of a video, is out of order, or lacks an AU.
    """
    builder = TrackBuilder(au_ids)
    for result in results:
        builder.add(result)
    return builder.build()
