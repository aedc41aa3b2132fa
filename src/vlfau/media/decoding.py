"""The wanted frames of a video file, decoded: upright RGB in square pixels, with their times."""

from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

import av
from av import VideoStream
from av.container import InputContainer
from av.error import FFmpegError

from vlfau.errors import VideoError
from vlfau.files.names import printable
from vlfau.media.container import MAX_PIXELS, opened, stated_duration
from vlfau.media.conversion import Converter, deinterlaced
from vlfau.media.frames import VideoFrame
from vlfau.media.inputs import check_is_file
from vlfau.media.schedule import Picker, Place, Schedule, VideoPacket
from vlfau.media.treatment import AS_STORED, Treatment

__all__ = ["read_frames"]

_MISSING_S: Final = 0.5
"""A video that ends this long before the duration in its header was cut off."""
_USUAL_RATE: Final = Fraction(30)
_MAX_FALL_S: Final = 1.0
"""Decoding times should never fall; some writers are untidy and let them fall by less than this."""
_NEIGHBOURS_S: Final = 0.25
"""Around a wanted interlaced frame, all others are decoded: its neighbours show what moves."""


def read_frames(
    path: Path,
    picker: Picker,
    threads: int | None = None,
    max_pixels: int = MAX_PIXELS,
    *,
    stream_number: int | None = None,
    treatment: Treatment = AS_STORED,
) -> Generator[VideoFrame]:
    """Decode the wanted frames, and as few others as the codec allows.

    Args:
        path: The file.
        picker: Chooses the frames.
        threads: Number of threads for decoding; None lets the codec choose.
        max_pixels: Largest frame; a larger one counts as damaged and is never decoded.
        stream_number: Which of its video streams, from 1; None takes the largest.
        treatment: What `probe` found to be done to its frames.

    Raises:
        VideoError: The file breaks off, is damaged, or has no wanted frame; the frames that can be read are yielded
            first.
    """
    check_is_file(path, "video", VideoError)
    with opened(path, threads, max_pixels, stream_number) as (container, stream):
        yield from _Reading(path, container, stream, picker, treatment).frames()


class _Reading:
    """One pass through a file."""

    def __init__(
        self, path: Path, container: InputContainer, stream: VideoStream, picker: Picker, treatment: Treatment
    ) -> None:
        self._name, self._container, self._stream, self._picker = printable(path), container, stream, picker
        self._time_base = stream.time_base or Fraction(1, av.time_base)
        self._start = None if container.start_time is None else Fraction(container.start_time, av.time_base)
        neighbours_s = _NEIGHBOURS_S if treatment.interlaced else 0.0
        self._schedule = Schedule(picker, self._time_base, start=self._start, neighbours_s=neighbours_s)
        self._convert = Converter(treatment)
        self._whole_frames = deinterlaced(stream) if treatment.interlaced else None
        if self._whole_frames is not None:
            next(self._whole_frames)
        self._last_s: float | None = None
        self._damaged = 0

    def frames(self) -> Iterator[VideoFrame]:
        reason = ""
        try:
            packets = _on_one_clock(packet for packet in self._container.demux(self._stream) if packet.size)
            first = next(packets, None)
            if first is not None:
                is_timed = first.pts is not None and not self._has_guessed_times()
                yield from (self._timed if is_timed else self._untimed)(chain([first], packets))
        except FFmpegError as error:
            reason = error.strerror or "it is damaged"
        yield from self._planned(self._schedule.finish())
        yield from self._taken(self._decoded(None))
        self._check_all_came(reason)

    def _has_guessed_times(self) -> bool:
        """Return whether the times are wrong: AVI has none for codecs that reorder frames, but a constant rate."""
        return self._container.format.name == "avi" and self._stream.codec_context.name in {"h264", "hevc"}

    def _timed(self, packets: Iterable[VideoPacket]) -> Iterator[VideoFrame]:
        for packet in packets:
            yield from self._planned(self._schedule.add(packet))
            if self._picker.ended:
                return

    def _planned(self, plan: list[tuple[VideoPacket, bool]]) -> Iterator[VideoFrame]:
        for packet, is_unwanted in plan:
            self._stream.codec_context.skip_frame = "NONREF" if is_unwanted else "DEFAULT"
            yield from self._taken(self._decoded(packet))

    def _taken(self, decoded: list[av.VideoFrame]) -> Iterator[VideoFrame]:
        for frame in decoded:
            place = self._schedule.take(self._tick(frame)) if frame.pts is not None else None
            if place is not None:
                yield self._finished(frame, place)

    def _tick(self, frame: av.VideoFrame) -> int:
        """Return when a frame is shown on the clock of the stream; filters have clocks of their own."""
        assert frame.pts is not None
        if self._whole_frames is None or frame.time_base in {None, self._time_base}:
            return frame.pts
        return round(frame.pts * frame.time_base / self._time_base)

    def _untimed(self, packets: Iterable[VideoPacket]) -> Iterator[VideoFrame]:
        """Decode a stream whose packets have no times, which its frame rate then gives."""
        number, rate = 0, self._stream.guessed_rate or self._stream.average_rate or _USUAL_RATE
        delay = (self._stream.start_time or 0) * self._time_base - (self._start or 0)
        delay_s = max(float(delay), 0.0) if self._start is not None else 0.0
        for packet in chain(packets, [None]):
            for frame in self._decoded(packet):
                since_first_s = float(number / rate)
                self._schedule.last_s = time_s = delay_s + since_first_s
                if self._picker.wants(time_s):
                    yield self._finished(frame, Place(number, time_s, since_first_s))
                number += 1
            if self._picker.ended:
                return

    def _decoded(self, packet: VideoPacket | None) -> list[av.VideoFrame]:
        try:
            frames = [frame for frame in self._stream.codec_context.decode(packet) if not frame.is_corrupt]
        except EOFError:  # The decoder was already flushed.
            frames = []
        except FFmpegError:
            self._damaged += 1
            frames = []
        if self._whole_frames is None:
            return frames
        whole = [done for frame in frames for done in self._whole_frames.send(frame)]
        return whole + self._whole_frames.send(None) if packet is None else whole

    def _finished(self, frame: av.VideoFrame, place: Place) -> VideoFrame:
        self._last_s = place.time_s
        return VideoFrame(place.number, place.time_s, self._convert.rgb(frame), place.since_first_s)

    def _check_all_came(self, reason: str) -> None:
        promised_s, came_s = stated_duration(self._container, self._stream), self._schedule.last_s
        # Formats differ in whether the time before the first frame is included.
        is_short = (
            promised_s is not None
            and came_s is not None
            and max(came_s, self._schedule.end_s) + _MISSING_S < promised_s
        )
        if not self._picker.ended and (reason or is_short):
            length = f" of {promised_s:.1f}" if promised_s is not None else ""
            raise VideoError(
                f"video {self._name} breaks off after {came_s:.1f}{length} s ({reason or 'the file ends'}); "
                "the frames before are used; copy it again for the others"
            )
        if self._last_s is None:
            raise VideoError(
                f"video {self._name} has no frame from {self._picker.start_s:g} s on; choose an earlier start"
            )
        if self._damaged:
            raise VideoError(
                f"video {self._name} is damaged: {self._damaged} packets cannot be decoded; the other frames are "
                "used; copy it again for these"
            )


def _on_one_clock(packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
    """Keep time increasing where the clock of a stream restarts or stops, as in concatenated recordings."""
    shift, last, last_pts = 0, None, None
    for packet in packets:
        if packet.dts is not None and packet.pts is not None and packet.time_base:
            step = packet.duration or max(round(1 / (_USUAL_RATE * packet.time_base)), 1)
            fall = 0 if last is None else last - (packet.dts + shift)
            # A key frame that is shown before what was already decoded begins another recording, however short the
            # first was. Two frames at one time are those of a stream whose writer knew no times.
            is_earlier = last is not None and packet.is_keyframe and packet.pts + shift < last
            is_same = fall >= 0 and packet.pts + shift == last_pts
            if fall * packet.time_base > _MAX_FALL_S or is_earlier or is_same:
                shift += fall + step
            last, last_pts = packet.dts + shift, packet.pts + shift
        if shift:
            packet.dts = None if packet.dts is None else packet.dts + shift
            packet.pts = None if packet.pts is None else packet.pts + shift
        yield packet
