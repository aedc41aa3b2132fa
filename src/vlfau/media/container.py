"""Video files as upright RGB frames."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av import VideoStream
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.stream import Disposition
from numpy.typing import NDArray

from vlfau.errors import VideoError
from vlfau.files.names import printable
from vlfau.media.frames import VideoFrame, VideoInfo
from vlfau.media.inputs import check_is_file
from vlfau.media.schedule import Picker, Schedule, VideoPacket

__all__ = ["MAX_PIXELS", "probe", "read_frames"]

FORMATS: Final = (
    *("asf", "avi", "dv", "flv", "gif", "h264", "hevc", "ivf", "m4v", "matroska", "mjpeg", "mov", "mp4", "mpeg"),
    *("mpegts", "mpegvideo", "mxf", "obu", "ogg", "rm", "wtv", "yuv4mpegpipe", "apng", "cine", "gxf", "nut", "vc1"),
    *("av1", "dhav", "h261", "h263", "live_flv", "swf", "vvc"),
)
"""FFmpeg's names of the formats that are read: containers and plain streams, no playlists, which name other files."""

_TURNS: Final = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
_MISSING_S: Final = 0.5
"""A video that ends this long before the duration in its header was cut off."""
_USUAL_RATE: Final = Fraction(30)
MAX_PIXELS: Final = 67_108_864
"""Per frame: 8192 x 8192, which takes 200 MB as RGB."""
_MAX_FALL_S: Final = 1.0
"""Decoding times should never fall; some writers are untidy and let them fall by less than this."""


def probe(path: Path, max_pixels: int = MAX_PIXELS) -> VideoInfo:
    """Return what is known of a video file before it is read.

    Args:
        path: The file.
        max_pixels: Largest frame; a larger one is not decoded.

    Raises:
        VideoError: It is missing, empty, not a video, or its first frame is too large or cannot be decoded.
    """
    check_is_file(path, "video", VideoError)
    with _opened(path, max_pixels=max_pixels) as (container, stream):
        frame = _first_frame(container, stream)
        if frame is None:
            raise VideoError(f"video {printable(path)} has no frame that can be decoded; copy it again, or convert it")
        turned = _quarter_turns(frame) in {90, 270}
        width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
        rate = (stream.average_rate if container.duration else None) or stream.guessed_rate
        return VideoInfo(
            width=width,
            height=height,
            frame_rate=float(rate) if rate else 0.0,
            duration_s=_duration(container, stream),
            frames=stream.frames or None,
        )


def read_frames(
    path: Path, picker: Picker, threads: int | None = None, max_pixels: int = MAX_PIXELS
) -> Generator[VideoFrame]:
    """Decode the wanted frames, and as few others as the codec allows.

    Args:
        path: The file.
        picker: Chooses the frames.
        threads: Number of threads for decoding; None lets the codec choose.
        max_pixels: Largest frame; a larger one counts as damaged and is never decoded.

    Raises:
        VideoError: The file breaks off, is damaged, or has no wanted frame; the frames that can be read are yielded
            first.
    """
    check_is_file(path, "video", VideoError)
    with _opened(path, threads, max_pixels) as (container, stream):
        yield from _Reading(path, container, stream, picker).frames()


class _Reading:
    """One pass through a file."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream, picker: Picker) -> None:
        self._name, self._container, self._stream, self._picker = printable(path), container, stream, picker
        self._schedule = Schedule(picker, stream.time_base or Fraction(1, av.time_base))
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
            place = self._schedule.take(frame.pts) if frame.pts is not None else None
            if place is not None:
                yield self._finished(frame, *place)

    def _untimed(self, packets: Iterable[VideoPacket]) -> Iterator[VideoFrame]:
        """Decode a stream whose packets have no times, which its frame rate then gives."""
        number, rate = 0, self._stream.guessed_rate or self._stream.average_rate or _USUAL_RATE
        for packet in chain(packets, [None]):
            for frame in self._decoded(packet):
                self._schedule.last_s = time_s = float(number / rate)
                if self._picker.wants(time_s):
                    yield self._finished(frame, number, time_s)
                number += 1
            if self._picker.ended:
                return

    def _decoded(self, packet: VideoPacket | None) -> list[av.VideoFrame]:
        try:
            return [frame for frame in self._stream.codec_context.decode(packet) if not frame.is_corrupt]
        except EOFError:  # The decoder was already flushed.
            return []
        except FFmpegError:
            self._damaged += 1
            return []

    def _finished(self, frame: av.VideoFrame, number: int, time_s: float) -> VideoFrame:
        self._last_s = time_s
        return VideoFrame(number, time_s, _upright_rgb(frame))

    def _check_all_came(self, reason: str) -> None:
        promised_s, came_s = _duration(self._container, self._stream), self._schedule.last_s
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


@contextmanager
def _opened(
    path: Path, threads: int | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[tuple[InputContainer, VideoStream]]:
    name = printable(path)
    try:
        # "file:" and the protocol keep a name from opening anything but a file; the formats exclude playlists.
        options = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
        limits = {"max_pixels": str(max_pixels)}
        container = av.open(f"file:{path}", metadata_errors="replace", options=options | limits)
    except PermissionError:
        raise VideoError(f"video {name} cannot be read for lack of permission; change its permissions") from None
    except (FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VideoError(f"{name} is not a video that can be read ({reason}); copy it again, or convert it") from None
    with container:
        streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not streams:
            raise VideoError(f"{name} has sound or other data, but no video; name another file")
        if getattr(streams[0], "codec_context", None) is None:
            raise VideoError(f"video {name} has an unknown codec; convert it")
        # With threads, decoding runs ahead of the networks.
        streams[0].thread_type = "AUTO"
        streams[0].codec_context.thread_count = threads or 0
        streams[0].codec_context.options = limits  # The decoder refuses larger frames before it allocates memory.
        yield container, streams[0]


def _first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    try:
        for packet in container.demux(stream):
            with suppress(InvalidDataError):
                for frame in packet.decode():
                    return frame
    except FFmpegError:
        return None
    return None


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Return how long the video should be, in seconds: the shortest duration that the file states."""
    promises = []
    if container.duration:
        promises.append(container.duration / av.time_base)
    if stream.duration and stream.time_base:
        promises.append(float(stream.duration * stream.time_base))
    tag = stream.metadata.get("DURATION", "").split(":")  # of Matroska, as in 00:01:02.345
    with suppress(ValueError):
        hours, minutes, seconds = map(float, tag)
        promises.append(3600 * hours + 60 * minutes + seconds)
    if container.format.name == "avi" and stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate)  # The other values depend on the size of the file.
    return min(promises, default=None)


def _upright_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    turns = _quarter_turns(frame)
    return np.asarray(cv2.rotate(pixels, _TURNS[turns]), np.uint8) if turns else pixels


def _quarter_turns(frame: av.VideoFrame) -> int:
    """Return by how many degrees counter-clockwise a frame must be turned: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) * 90 % 360
