"""Cameras of the network, read frame by frame."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

import av
import numpy as np
from av.container import InputContainer

from vlfau.errors import VideoError
from vlfau.media.addresses import NetworkCamera
from vlfau.media.frames import VideoFrame, VideoInfo
from vlfau.media.schedule import Picker

__all__ = ["probe", "read_frames"]

_PATIENCE_S: Final = (10.0, 10.0)
"""Seconds to wait for the connection, and for each further packet."""
_OPTIONS: Final = {
    "rtsp_transport": "tcp",  # UDP loses packets, which damages pictures.
    "flags": "low_delay",
    # A playlist from the network must not name files of this machine.
    "protocol_whitelist": "crypto,data,hls,http,httpproxy,https,rtmp,rtmps,rtp,rtsp,rtsps,srt,tcp,tls,udp",
}


def probe(address: NetworkCamera) -> VideoInfo:
    """Return what is known of a camera.

    Raises:
        VideoError: It does not answer, or sends no video.
    """
    with _opened(address) as camera:
        stream = camera.streams.video[0]
        return VideoInfo(stream.width, stream.height, float(stream.average_rate or 0), None, None)


def read_frames(address: NetworkCamera, picker: Picker) -> Generator[VideoFrame]:
    """Yield the frames of a camera; times are seconds since the first frame came.

    Raises:
        VideoError: The camera does not answer, or the connection breaks off.
    """
    with _opened(address) as camera:
        began: float | None = None
        count = 0
        try:
            for frame in camera.decode(video=0):
                now = time.monotonic()
                began = now if began is None else began
                if picker.wants(now - began):
                    pixels = np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
                    yield VideoFrame(count, now - began, pixels, now - began, arrived_s=now)
                count += 1
                if picker.ended:
                    return
        except (av.FFmpegError, OSError) as error:
            raise VideoError(
                f"{address.public} gave {count} frames and then no more ({_reason(error)}); check the camera and the "
                "network"
            ) from None


@contextmanager
def _opened(address: NetworkCamera) -> Iterator[InputContainer]:
    try:
        camera = av.open(str(address), options=_OPTIONS, timeout=_PATIENCE_S)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{address.public} cannot be opened ({_reason(error)}); check the address, the password and the network"
        ) from None
    with camera:
        if not camera.streams.video:
            raise VideoError(f"{address.public} sends no video; name the address of its video stream")
        yield camera


def _reason(error: Exception) -> str:
    """Return why, without the address, which may hold a password."""
    return str(getattr(error, "strerror", None) or type(error).__name__)
