"""Which frames of a video are wanted, and which packets must be decoded to see them.

Packets come in decoding order and state when their frame is shown. No packet has a presentation time before the
decoding time of an earlier one. So the order of presentation, the number of every frame and the choice of frames are
known before anything is decoded.
"""

import heapq
from collections import deque
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from av import Packet, VideoStream

    VideoPacket: TypeAlias = Packet[VideoStream]
else:  # Cameras need a picker and no PyAV.
    VideoPacket = Any

__all__ = ["Picker", "Place", "Schedule", "VideoPacket"]

_TOLERANCE_S: Final = 0.002
"""Some formats round times to milliseconds."""
_MAX_HELD: Final = 600
"""Packets that are held back until a key frame makes them useless; some videos have only one key frame."""
_START_ROUNDING: Final = Fraction(1, 100_000)
"""A file's start is given in whole microseconds."""


class Picker:
    """Chooses frames by their time: the first at `start_s`, and the first in every further step of `every_s`.

    Args:
        every_s: The step in seconds; None takes every frame.
        start_s: Start, in seconds.
        end_s: End in seconds, exclusive; None goes to the end.

    Attributes:
        next_s: No frame before this time is wanted any more.
        ended: Whether a frame at or after `end_s` has come.
    """

    def __init__(self, every_s: float | None, start_s: float, end_s: float | None) -> None:
        self.every_s, self.start_s, self.end_s = every_s, start_s, end_s
        self.next_s, self.ended = start_s - _TOLERANCE_S, False

    def wants(self, time_s: float) -> bool:
        """Return whether a frame is chosen; frames must come in order of time."""
        self.ended |= self.end_s is not None and time_s >= self.end_s - _TOLERANCE_S
        if self.ended or time_s < self.next_s:
            return False
        if self.every_s is not None:
            steps = floor((time_s + _TOLERANCE_S - self.start_s) / self.every_s) + 1
            self.next_s = self.start_s + steps * self.every_s - _TOLERANCE_S
        return True


class Place(NamedTuple):
    """Where a frame is in its video.

    Attributes:
        number: Its index, from 0.
        time_s: In seconds on the clock of the file, which begins with the earliest of its streams.
        since_first_s: In seconds from the first frame.
    """

    number: int
    time_s: float
    since_first_s: float


class Schedule:
    """Plans what to decode, packet by packet, for packets that all have presentation times.

    Args:
        picker: Chooses the frames.
        time_base: Seconds per tick.
        start: When the earliest stream of the file starts, in seconds; None if the file does not say.
        neighbours_s: Decode also all frames that are as near as this to a wanted one, in seconds.

    Attributes:
        count: Number of frames whose index in the video is known.
        last_s: Time of the last of them, in seconds on the clock of the file; None before that.
        end_s: The same time as the file states it.
    """

    def __init__(
        self, picker: Picker, time_base: Fraction, *, start: Fraction | None = None, neighbours_s: float = 0.0
    ) -> None:
        self.count = 0
        self.last_s: float | None = None
        self.end_s = 0.0
        self._picker, self._time_base, self._start, self._neighbours_s = picker, time_base, start, neighbours_s
        self._first: int | None = None
        self._origin = Fraction(0)
        self._last_wanted_s = float("-inf")
        self._held: deque[VideoPacket] = deque()
        self._unnumbered: list[int] = []
        self._wanted: dict[int, Place] = {}  # by tick, in order of time

    def add(self, packet: VideoPacket) -> list[tuple[VideoPacket, bool]]:
        """Take the next packet.

        Returns:
            The packets to decode now, in order; True beside those whose own frame is certainly not wanted.
        """
        if packet.pts is not None and not packet.is_discard:
            heapq.heappush(self._unnumbered, packet.pts)
        if packet.dts is not None:
            self._number(before=packet.dts)
        if self._starts_anew(packet):
            self._held.clear()
        self._held.append(packet)
        return self._release()

    def finish(self) -> list[tuple[VideoPacket, bool]]:
        """End the stream, and return the last packets to decode, as `add` does."""
        self._number(before=None)
        return self._release()

    def take(self, tick: int) -> Place | None:
        """Return the place of a decoded frame, or None if it is not wanted."""
        for earlier in [wanted for wanted in self._wanted if wanted < tick]:
            del self._wanted[earlier]  # These could not be decoded.
        return self._wanted.pop(tick, None)

    def _number(self, *, before: int | None) -> None:
        while self._unnumbered and (before is None or self._unnumbered[0] < before):
            tick = heapq.heappop(self._unnumbered)
            if self._first is None:
                self._first = tick
                self._origin = _origin(tick * self._time_base, self._start)
            self.last_s, self.end_s = self._seconds(tick), float(tick * self._time_base)
            if self._picker.wants(self.last_s):
                since_first_s = float((tick - self._first) * self._time_base)
                self._wanted[tick] = Place(self.count, self.last_s, since_first_s)
                self._last_wanted_s = self.last_s
            self.count += 1

    def _starts_anew(self, packet: VideoPacket) -> bool:
        """Return whether no wanted frame needs the packets before this one."""
        if not packet.is_keyframe or packet.pts is None or self._first is None:
            return False
        needed_from_s = self._picker.next_s - self._neighbours_s
        if self._seconds(packet.pts) > needed_from_s + 2 * _TOLERANCE_S:
            return False
        may_be_needed = {
            *self._wanted,
            *(tick for tick in self._unnumbered if self._seconds(tick) >= needed_from_s),
        }
        return not any(held.pts in may_be_needed for held in self._held)

    def _release(self) -> list[tuple[VideoPacket, bool]]:
        count = 0
        if len(self._held) > _MAX_HELD or (self._neighbours_s and self._held and self._is_near(self._held[-1])):
            count = len(self._held)
        elif self._wanted:
            count = 1 + max((index for index, held in enumerate(self._held) if held.pts in self._wanted), default=-1)
        released = [self._held.popleft() for _ in range(count)]
        if self._neighbours_s:
            return [(held, False) for held in released]
        return [(held, held.pts not in self._wanted and held.pts not in self._unnumbered) for held in released]

    def _is_near(self, packet: VideoPacket) -> bool:
        """Return whether a packet is near a wanted frame, or near where the next one may be."""
        if packet.pts is None or self._first is None:
            return True
        time_s = self._seconds(packet.pts)
        return time_s >= self._picker.next_s - self._neighbours_s or time_s <= self._last_wanted_s + self._neighbours_s

    def _seconds(self, tick: int) -> float:
        return float(tick * self._time_base - self._origin)


def _origin(first: Fraction, start: Fraction | None) -> Fraction:
    """Return where the clock of a file is at 0 s.

    Args:
        first: Time of the first frame.
        start: When the earliest stream of the file starts; None if the file does not say.
    """
    if start is None or abs(first - start) < _START_ROUNDING:
        return first
    # Sound often starts some milliseconds below 0, before what is to be heard.
    return start if start > 0 or first < 0 else Fraction(0)
