"""Video files: which are opened, which of their streams is read, and what is known before that."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import av
from av import VideoStream
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.stream import Disposition

from vlfau.errors import VideoError
from vlfau.files.names import printable
from vlfau.media.conversion import orientation_of, treatment_of
from vlfau.media.frames import VideoInfo
from vlfau.media.inputs import check_is_file

__all__ = ["MAX_PIXELS", "opened", "probe", "stated_duration"]

FORMATS: Final = (
    *("asf", "avi", "dv", "flv", "gif", "h264", "hevc", "ivf", "m4v", "matroska", "mjpeg", "mov", "mp4", "mpeg"),
    *("mpegts", "mpegvideo", "mxf", "obu", "ogg", "rm", "wtv", "yuv4mpegpipe", "apng", "cine", "gxf", "nut", "vc1"),
    *("av1", "dhav", "h261", "h263", "live_flv", "swf", "vvc"),
)
"""FFmpeg's names of the formats that are read: containers and plain streams, no playlists, which name other files."""

MAX_PIXELS: Final = 67_108_864
"""Per frame: 8192 x 8192, which takes 200 MB as RGB."""


def probe(path: Path, max_pixels: int = MAX_PIXELS, stream_number: int | None = None) -> VideoInfo:
    """Return what is known of a video file before it is read.

    Args:
        path: The file.
        max_pixels: Largest frame; a larger one is not decoded.
        stream_number: Which of its video streams, from 1; None takes the largest.

    Raises:
        VideoError: It is missing, empty, not a video, has no such stream, or its first frame is too large or cannot be
            decoded.
    """
    check_is_file(path, "video", VideoError)
    with opened(path, max_pixels=max_pixels, stream_number=stream_number) as (container, stream):
        frame = _first_frame(container, stream)
        if frame is None:
            raise VideoError(f"video {printable(path)} has no frame that can be decoded; copy it again, or convert it")
        treatment = treatment_of(stream, frame).within(frame.width, frame.height, max_pixels)
        width, height = treatment.square_size(frame.width, frame.height)
        if orientation_of(frame).transposed:
            width, height = height, width
        rate = (stream.average_rate if container.duration else None) or stream.guessed_rate
        return VideoInfo(
            width=width,
            height=height,
            frame_rate=float(rate) if rate else 0.0,
            duration_s=stated_duration(container, stream),
            frames=stream.frames or None,
            treatment=treatment,
            notes=(
                *_stream_note(_video_streams(container), stream, stream_number),
                *treatment.notes(frame.width, frame.height),
            ),
        )


@contextmanager
def opened(
    path: Path, threads: int | None = None, max_pixels: int = MAX_PIXELS, stream_number: int | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and choose one of its video streams; see `probe` and `read_frames`."""
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
        stream = _chosen(name, _video_streams(container), stream_number)
        # With threads, decoding runs ahead of the networks.
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads or 0
        stream.codec_context.options = limits  # The decoder refuses larger frames before it allocates memory.
        yield container, stream


def stated_duration(container: InputContainer, stream: VideoStream) -> float | None:
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


def _video_streams(container: InputContainer) -> list[VideoStream]:
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _chosen(name: str, streams: Sequence[VideoStream], number: int | None) -> VideoStream:
    if not streams:
        raise VideoError(f"{name} has sound or other data, but no video; name another file")
    if number is None:
        stream = max(streams, key=_area)
    elif 1 <= number <= len(streams):
        stream = streams[number - 1]
    else:
        raise VideoError(f"{name} has no video stream {number}, only {len(streams)}; choose one of those")
    if getattr(stream, "codec_context", None) is None:
        raise VideoError(f"video {name} has an unknown codec; convert it")
    return stream


def _area(stream: VideoStream) -> int:
    context = getattr(stream, "codec_context", None)  # None of an unknown codec
    return 0 if context is None else context.width * context.height


def _stream_note(streams: Sequence[VideoStream], stream: VideoStream, asked: int | None) -> Iterator[str]:
    """Say which of several streams is read."""
    if len(streams) > 1:
        context = stream.codec_context
        number = next(number for number, other in enumerate(streams, 1) if other.index == stream.index)
        why = ", the largest (--stream chooses another)" if asked is None else ""
        yield f"took video stream {number} of {len(streams)}, {context.width} x {context.height}{why}"


def _first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    try:
        for packet in container.demux(stream):
            with suppress(InvalidDataError):
                for frame in packet.decode():
                    return frame
    except FFmpegError:
        return None
    return None
