"""Probabilities over time without flicker: a causal and a centred filter.

Compression makes the scores of a still face tremble, and one that rests near its threshold comes and goes. Both filters
work on logits, face by face, and begin anew when a face was lost.

* The **causal** one uses the past only, as a live display must: the One Euro filter (Casiez, Roussel and Vogel, CHI
  2012), which smooths slow changes much and fast ones little.
* The **centred** one uses as much future as past and so delays nothing: a Savitzky-Golay filter, the value at the frame
  of a parabola through the frames around it, at their true times (Savitzky and Golay, Analytical Chemistry, 1964).
"""

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.inference.au_scores import logit, sigmoid
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.frames import VideoFrame

__all__ = ["OneEuro", "parabola_at", "smoothed", "steady"]

FloatArray = NDArray[np.float64]
Frames = Iterable[tuple[VideoFrame, PictureResult]]

_REACH_S: Final = 0.3
"""How far the centred filter looks to either side."""
_MAX_WAITING: Final = 120
"""Frames that wait for the future at most, at any frame rate."""
_MIN_CUTOFF_HZ: Final = 0.5
_BETA: Final = 0.1
"""Rise of the cut-off per logit and second."""
_SPEED_CUTOFF_HZ: Final = 1.0
_MIN_POINTS: Final = 4
"""With fewer frames in reach, a parabola would follow them all, so the centred value is their mean."""
_LIMIT: Final = 12.0
"""Logits are cut off here: beyond it, probabilities are 0 or 1 in every table."""


class OneEuro:
    """The One Euro filter of one face, for all its AUs at once."""

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._value: FloatArray = np.empty(0)
        self._speed: FloatArray = np.empty(0)

    def __call__(self, value: FloatArray, time_s: float) -> FloatArray:
        """Take the next values, (N,), and return the smoothed ones."""
        if self._time_s is None or time_s <= self._time_s:
            self._value, self._speed = value, np.zeros_like(value)
        else:
            step_s = time_s - self._time_s
            speed = (value - self._value) / step_s
            self._speed = self._speed + _weight(step_s, np.float64(_SPEED_CUTOFF_HZ)) * (speed - self._speed)
            cutoff = _MIN_CUTOFF_HZ + _BETA * np.abs(self._speed)
            self._value = self._value + _weight(step_s, cutoff) * (value - self._value)
        self._time_s = time_s
        return self._value


def parabola_at(values: FloatArray, times_s: FloatArray, time_s: float) -> FloatArray:
    """Return the value at a time of the parabola that is nearest to some points, (N,).

    Args:
        values: (T, N), values over time.
        times_s: (T,), their times; at any distances.
        time_s: The time.
    """
    if len(times_s) < _MIN_POINTS:
        return np.asarray(values.mean(0))
    offset = times_s - time_s
    scaled = offset / max(float(np.abs(offset).max()), 1e-9)
    design = np.stack([np.ones_like(scaled), scaled, scaled**2], axis=1)
    return np.asarray(np.linalg.pinv(design)[0] @ values)


@dataclass(eq=False)
class _Waiting:
    """A frame that waits for those after it; logits and stretches by face."""

    frame: VideoFrame
    result: PictureResult
    logits: dict[int, FloatArray]
    causal: dict[int, FloatArray]
    stretch: dict[int, int]


def smoothed(frames: Frames, thresholds: Sequence[float]) -> Generator[tuple[VideoFrame, PictureResult]]:
    """Add smoothed probabilities to the AUs of the faces of a video; every frame comes 0.3 s later.

    Args:
        frames: Frames with their results, in order of time.
        thresholds: (N,), the probability from which each AU counts as active.
    """
    window: deque[_Waiting] = deque()  # Frames before and after the next one to leave.
    filters: dict[int, OneEuro] = {}
    stretches: dict[int, int] = {}
    ready = began = 0  # How many of the window have left; how many stretches there were.
    for frame, result in frames:
        faces = {face.face_id: face for face in result.faces if face.face_id is not None}
        filters = {face_id: filters.get(face_id) or OneEuro() for face_id in faces}
        for face_id in faces.keys() - stretches.keys():
            began += 1
            stretches[face_id] = began
        stretches = {face_id: stretches[face_id] for face_id in faces}
        logits = {face_id: np.clip(logit(face.probs), -_LIMIT, _LIMIT) for face_id, face in faces.items()}
        causal = {face_id: filters[face_id](values, frame.time_s) for face_id, values in logits.items()}
        window.append(_Waiting(frame, result, logits, causal, dict(stretches)))
        while ready < len(window) and (
            frame.time_s - window[ready].frame.time_s >= _REACH_S or len(window) - ready > _MAX_WAITING
        ):
            yield _finished(window, ready, thresholds)
            ready += 1
        while ready and window[ready - 1].frame.time_s - window[0].frame.time_s > _REACH_S:
            window.popleft()
            ready -= 1
    for place in range(ready, len(window)):
        yield _finished(window, place, thresholds)


def steady(result: PictureResult) -> PictureResult:
    """Return a result of `smoothed` with the centred probabilities and states in place of the frame's own."""
    return replace(
        result,
        faces=tuple(
            replace(
                face,
                aus=tuple(
                    au if au.prob_centred is None else replace(au, prob=au.prob_centred, state=bool(au.state_centred))
                    for au in face.aus
                ),
            )
            for face in result.faces
        ),
    )


def _finished(window: deque[_Waiting], place: int, thresholds: Sequence[float]) -> tuple[VideoFrame, PictureResult]:
    waiting = window[place]
    faces = tuple(_smoothed_face(window, waiting, face, thresholds) for face in waiting.result.faces)
    return waiting.frame, replace(waiting.result, faces=faces)


def _smoothed_face(
    window: deque[_Waiting], waiting: _Waiting, face: FaceResult, thresholds: Sequence[float]
) -> FaceResult:
    if (face_id := face.face_id) is None:
        return face
    now_s = waiting.frame.time_s
    near = [
        other
        for other in window
        if other.stretch.get(face_id) == waiting.stretch[face_id] and abs(other.frame.time_s - now_s) <= _REACH_S + 1e-6
    ]
    # As many frames before as after, so that no end pulls the parabola.
    before = sum(other.frame.time_s < now_s for other in near)
    reach = min(before, len(near) - before - 1)
    near = near[before - reach : before + reach + 1]
    values = np.stack([other.logits[face_id] for other in near])
    times_s = np.array([other.frame.time_s for other in near])
    centred = sigmoid(parabola_at(values, times_s, now_s)).tolist()
    causal = sigmoid(waiting.causal[face_id]).tolist()
    aus = tuple(
        replace(au, prob_causal=past, prob_centred=around, state_centred=around >= threshold)
        for au, past, around, threshold in zip(face.aus, causal, centred, thresholds, strict=True)
    )
    return replace(face, aus=aus)


def _weight(step_s: float, cutoff_hz: NDArray[np.float64] | np.float64) -> FloatArray:
    """Return the share of a new value, for a low-pass filter of a cut-off frequency."""
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s)))
