"""Annotated videos: H.264 that browsers play, with the source's timestamps and without sound."""

import errno
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from vlfau.drawing.overlay import Overlay
from vlfau.errors import ConfigError, InputError, OutputError, VideoError
from vlfau.files.atomic import replacing
from vlfau.inference.results import PictureResult
from vlfau.media.frames import VideoFrame

__all__ = ["VideoWriter"]

_MAX_COLUMNS: Final = 3

# Divides the durations of 24, 25, 30, 50 and 60 frames a second, their NTSC variants, and milliseconds.
_TICKS_PER_SECOND: Final = 360_000
_USUAL_RATE: Final = 30  # For the encoder to begin with; the timestamps decide.
_MAX_GAP_TICKS: Final = 24 * 3600 * _TICKS_PER_SECOND
_ERRORS_OF_THE_DISK: Final = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EPIPE, errno.ENODEV, errno.ENXIO),
    *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EMFILE, errno.ENFILE),
}
"""Errors of a disk or a folder; any other error is about the frames."""
_FRAMES_BETWEEN_KEYS: Final = 60  # A player can jump to a key frame only.
_OPTIONS: Final = {"preset": "veryfast", "crf": "21"}


class VideoWriter:
    """Writes the frames of a video with their faces boxed and a panel of AUs and words beside them.

    The file appears when the block ends without an error; otherwise an existing file stays as it was. Frames are shown
    as long as in the source. Only the current frame is kept in memory.

    Args:
        path: The file, MP4.
        au_ids: The AUs of the panel, `Predictor.au_ids`.
        columns: Number of faces that fit into the panel, 1 to 3; None takes the number in the first frame.
        note: A line at the bottom of the panel.
        start_s: The time of the source at which the written video starts; the first frame is shown from then on, so
            that the sound of the source fits. None takes the time of the first frame.

    Raises:
        ConfigError: `columns` is out of range.
        OutputError: The file cannot be written.
        InputError: There was no frame, or one that a video cannot hold.

    >>> with VideoWriter(Path("me.mp4"), au_ids=predictor.au_ids) as writer:  # doctest: +SKIP
    ...     for frame, result in stream(predictor, "me.mov"):
    ...         writer.write(frame, result)
    """

    def __init__(
        self,
        path: Path,
        *,
        au_ids: Sequence[int],
        columns: int | None = None,
        note: str = "",
        start_s: float | None = None,
    ) -> None:
        if columns is not None and not 1 <= columns <= _MAX_COLUMNS:
            raise ConfigError(f"columns is {columns}; give a number from 1 to {_MAX_COLUMNS}")
        self.path, self.au_ids, self.columns, self.note = path, tuple(au_ids), columns, note
        self._opened = ExitStack()
        self._overlay: Overlay | None = None
        self._start_s, self._last_tick = start_s, -1

    def __enter__(self) -> Self:
        """Open the file under a temporary name."""
        # Closed in reverse order: the file is renamed after the encoder has written everything.
        temporary = self._opened.enter_context(replacing(self.path))
        self._temporary = temporary
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what the encoder still holds and rename the file, or remove it after an error."""
        try:
            if kind is None:
                self._finish()
        except BaseException as failure:
            self._opened.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._opened.__exit__(kind, error, traceback)

    def write(self, frame: VideoFrame, result: PictureResult) -> None:
        """Draw a frame and write it.

        Args:
            frame: A frame, later than the one before.
            result: Its faces.

        Raises:
            OutputError: The file cannot be written.
            VideoError: A video cannot hold the times of the frames.
        """
        if self._overlay is None:
            self._overlay = self._open(frame, result)
        drawing = self._overlay.draw(frame.pixels, result.faces, frame.time_s)
        since_start_s = 0.0 if self._start_s is None or self._last_tick < 0 else frame.time_s - self._start_s
        self._start_s = frame.time_s if self._start_s is None else self._start_s
        tick = max(round(since_start_s * _TICKS_PER_SECOND), self._last_tick + 1)
        if tick - self._last_tick > _MAX_GAP_TICKS:
            raise VideoError(
                f"{result.file}: the clock jumps to {frame.time_s:.0f} s, which an annotated video cannot follow; "
                "convert the video so that its times are regular"
            )
        self._last_tick = tick
        self._encode(_converted(drawing, tick))

    def _open(self, frame: VideoFrame, result: PictureResult) -> Overlay:
        columns = self.columns or min(max(1, len(result.faces)), _MAX_COLUMNS)
        height, width = frame.pixels.shape[:2]
        overlay = Overlay(width, height, au_ids=self.au_ids, columns=columns, note=self.note)
        try:
            self._container = self._opened.enter_context(
                av.open(str(self._temporary), "w", format="mp4", options={"movflags": "+faststart"})
            )
        except (av.FFmpegError, OSError) as error:
            raise self._unwritable(error) from None
        self._stream = self._container.add_stream("libx264", rate=_USUAL_RATE, options=dict(_OPTIONS))
        self._stream.width, self._stream.height = overlay.size
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, _TICKS_PER_SECOND)
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_SECOND)
        context.gop_size = _FRAMES_BETWEEN_KEYS
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return overlay

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise self._unwritable(error) from None

    def _finish(self) -> None:
        if self._overlay is None:
            raise InputError(
                f"there was no frame for {self.path}, so it was not written; check the start and end times"
            )
        self._encode(None)
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError | av.FFmpegError) -> InputError:
        if error.errno in _ERRORS_OF_THE_DISK:
            return OutputError(f"cannot write {self.path} ({error.strerror or error}); choose another folder")
        return VideoError(
            f"the frames for {self.path.name} cannot be encoded ({error.strerror or error}); convert the video, or "
            "leave out --annotate"
        )


def _converted(drawing: NDArray[np.uint8], tick: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(drawing, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    frame.pts, frame.time_base = tick, Fraction(1, _TICKS_PER_SECOND)
    return frame
