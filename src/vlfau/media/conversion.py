"""Brings decoded frames into the form in which they are analysed: upright RGB in square pixels, by FFmpeg."""

from collections.abc import Generator, Iterable, Mapping
from fractions import Fraction
from typing import Final, cast

import av
import numpy as np
from av import VideoStream
from av.buffer import Buffer
from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from vlfau.media.treatment import Orientation, Treatment

__all__ = ["Converter", "deinterlaced", "orientation_of", "treatment_of"]

_MAX_STRETCH: Final = 4
"""Pixels that are longer than this are an error of the file."""
_MIN_CHANGE: Final = 0.005
"""A smaller change of the shape is due to rounded numbers in the file."""
_HDR: Final = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}
_INTERLACED: Final = frozenset({2, 3, 4, 5})
"""FFmpeg's orders of fields; 0 is unknown and 1 progressive."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Return what the display matrix of a frame says; a slanted one counts as the nearest of the eight ways."""
    # `frame.side_data` keeps a reference to the frame in the frame: megabytes that wait for Python's collector.
    side_data = cast("Mapping[object, Buffer]", SideDataContainer(frame))  # type: ignore[call-arg]
    if SideData.DISPLAYMATRIX not in side_data:
        return Orientation()
    # Stored (x, y) is shown at (a x + c y, b x + d y), with the matrix a, b, u, c, d, v, x, y, w.
    a, b, _, c, d = np.frombuffer(bytes(side_data[SideData.DISPLAYMATRIX]), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


def treatment_of(stream: VideoStream, frame: av.VideoFrame) -> Treatment:
    """Return what a stream needs, from its first frame."""
    shape = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
    sensible = Fraction(1, _MAX_STRETCH) <= shape <= _MAX_STRETCH and abs(shape - 1) >= _MIN_CHANGE
    return Treatment(
        pixel_shape=shape if sensible else Fraction(1),
        interlaced=frame.interlaced_frame or stream.codec_context.field_order in _INTERLACED,
        hdr=_HDR.get(ColorTrc(frame.color_trc), "") if frame.color_trc in set(_HDR) else "",
        mirrored=orientation_of(frame).is_mirrored,
    )


class Converter:
    """Converts decoded frames to upright RGB.

    Args:
        treatment: What the file needs.
    """

    def __init__(self, treatment: Treatment) -> None:
        self._treatment = treatment
        self._reformatter = VideoReformatter()  # Kept, because a table of colours takes it seconds.

    def rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8, upright, in square pixels."""
        return orientation_of(frame).upright(self._stored_rgb(frame))

    def _stored_rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        treatment = self._treatment
        if treatment.pixel_shape == 1 and not treatment.hdr:
            return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        width, height = treatment.square_size(frame.width, frame.height)
        # FFmpeg maps brightness and colours when the new transfer function and primaries differ from the frame's.
        colours = {"dst_color_trc": ColorTrc.IEC61966_2_1, "dst_color_primaries": ColorPrimaries.BT709}
        made = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            interpolation=Interpolation.BICUBIC,
            **(colours if treatment.hdr else {}),
        )
        return np.asarray(made.to_ndarray(), np.uint8)


def deinterlaced(stream: VideoStream) -> Generator[list[av.VideoFrame], av.VideoFrame | None, None]:
    """Make whole frames of frames of two fields (FFmpeg's bwdif), one for each.

    Start it with `next`, send every decoded frame in order, then None at the end. Each answer holds the frames that are
    finished: usually the one before, since bwdif looks at both neighbours.

    Args:
        stream: The stream that the frames come from.
    """
    graph: Graph | None = None
    kind: tuple[int, int, str] | None = None
    finished: list[av.VideoFrame] = []
    while True:
        frame = yield finished
        finished = []
        now = None if frame is None else (frame.width, frame.height, frame.format.name)
        if graph is not None and now != kind:
            graph.vpush(None)
            finished += _pulled(graph)
            graph = None
        if frame is None:
            continue
        if graph is None:
            graph, kind = _graph(stream, frame), now
        graph.vpush(frame)
        finished += _pulled(graph)


def _graph(stream: VideoStream, frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or stream.time_base
    )
    # Frames that are not marked as interlaced pass unchanged.
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph


def _pulled(graph: Graph) -> Iterable[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):  # It waits for more, or has ended.
            return
