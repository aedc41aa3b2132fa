"""What must be done to the frames of a file before they are pictures: square pixels, whole frames, upright, SDR.

A player does all of this, and a network needs it too: a face in pixels that are not square is too narrow, one in the
two fields of an interlaced frame has combed edges, and HDR without tone mapping is dark and pale. An ordinary file
(square pixels, progressive, SDR) is converted to RGB and nothing else.
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Self, cast

import av
import cv2
import numpy as np
from av import VideoStream
from av.buffer import Buffer
from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

__all__ = ["AS_STORED", "Converter", "Orientation", "Treatment", "deinterlaced"]

_MAX_STRETCH: Final = 4
"""Pixels that are longer than this are an error of the file."""
_MIN_CHANGE: Final = 0.005
"""A smaller change of the shape is due to rounded numbers in the file."""
_HDR: Final = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}
_INTERLACED: Final = frozenset({2, 3, 4, 5})
"""FFmpeg's orders of fields; 0 is unknown and 1 progressive."""
_TURNS: Final = {
    (False, True, True): cv2.ROTATE_180,
    (True, False, True): cv2.ROTATE_90_COUNTERCLOCKWISE,
    (True, True, False): cv2.ROTATE_90_CLOCKWISE,
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored frame is brought upright: first transposed, then flipped. All eight ways are possible.

    Attributes:
        transposed: Whether rows become columns.
        right_to_left: Whether left and right are exchanged afterwards.
        upside_down: Whether top and bottom are exchanged afterwards.
    """

    transposed: bool = False
    right_to_left: bool = False
    upside_down: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Self:
        """Return what the display matrix of a frame says; a slanted one counts as the nearest of the eight ways."""
        # `frame.side_data` keeps a reference to the frame in the frame: megabytes that wait for Python's collector.
        side_data = cast("Mapping[object, Buffer]", SideDataContainer(frame))  # type: ignore[call-arg]
        if SideData.DISPLAYMATRIX not in side_data:
            return cls()
        # Stored (x, y) is shown at (a x + c y, b x + d y), with the matrix a, b, u, c, d, v, x, y, w.
        a, b, _, c, d = np.frombuffer(bytes(side_data[SideData.DISPLAYMATRIX]), np.int32)[:5].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    @property
    def is_mirrored(self) -> bool:
        """Whether a turn alone does not bring the frame upright."""
        return (self.transposed + self.right_to_left + self.upside_down) % 2 == 1

    def upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an upright copy of (H, W, 3), or the array itself if it is upright."""
        way = (self.transposed, self.right_to_left, self.upside_down)
        if not any(way):
            return pixels
        if way in _TURNS:
            return np.asarray(cv2.rotate(pixels, _TURNS[way]), np.uint8)
        turned = pixels.swapaxes(0, 1) if self.transposed else pixels
        return np.ascontiguousarray(turned[:: -1 if self.upside_down else 1, :: -1 if self.right_to_left else 1])


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to every frame of a file.

    Attributes:
        pixel_shape: Width of a stored pixel by its height; 1 for square ones.
        interlaced: Whether frames consist of two fields, recorded one after the other.
        hdr: The transfer function, `PQ` or `HLG`; empty for SDR.
        mirrored: Whether frames are stored mirrored.
    """

    pixel_shape: Fraction = Fraction(1)
    interlaced: bool = False
    hdr: str = ""
    mirrored: bool = False

    @classmethod
    def of(cls, stream: VideoStream, frame: av.VideoFrame) -> Self:
        """Return what a stream needs, from its first frame."""
        shape = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
        sensible = Fraction(1, _MAX_STRETCH) <= shape <= _MAX_STRETCH and abs(shape - 1) >= _MIN_CHANGE
        return cls(
            pixel_shape=shape if sensible else Fraction(1),
            interlaced=frame.interlaced_frame or stream.codec_context.field_order in _INTERLACED,
            hdr=_HDR.get(ColorTrc(frame.color_trc), "") if frame.color_trc in set(_HDR) else "",
            mirrored=Orientation.of(frame).is_mirrored,
        )

    def within(self, width: int, height: int, max_pixels: int) -> Self:
        """Return the same without square pixels if those would be more than `max_pixels`."""
        wide, high = self.square_size(width, height)
        return self if wide * high <= max_pixels else replace(self, pixel_shape=Fraction(1))

    def square_size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height in square pixels: one side grows, so that nothing is lost.

        >>> Treatment(Fraction(4, 3)).square_size(1440, 1080), Treatment(Fraction(8, 9)).square_size(720, 480)
        ((1920, 1080), (720, 540))
        """
        if self.pixel_shape > 1:
            return round(width * self.pixel_shape), height
        return width, round(height / self.pixel_shape)

    def notes(self, width: int, height: int) -> tuple[str, ...]:
        """Say what is done, in a few words each; nothing for an ordinary file.

        Args:
            width: Of the stored frames.
            height: Likewise.
        """
        wide, high = self.square_size(width, height)
        done = {
            f"deinterlaced {width} x {height}": self.interlaced,
            f"made the pixels square ({width} x {height} to {wide} x {high})": self.pixel_shape != 1,
            f"tone-mapped {self.hdr} to SDR": self.hdr,
            "mirrored as the file says": self.mirrored,
        }
        return tuple(text for text, is_done in done.items() if is_done)


AS_STORED: Final = Treatment()


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
        return Orientation.of(frame).upright(self._stored_rgb(frame))

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
