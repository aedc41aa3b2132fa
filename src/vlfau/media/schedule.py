"""Which frames of a video are wanted, and which packets must be decoded to see them.

Packets come in decoding order and state when their frame is shown. No packet has a presentation time before the
decoding time of an earlier one. So the order of presentation, the number of every frame and the choice of frames are
known before anything is decoded.
"""

import heapq
from collections import deque
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Final, TypeAlias

from av import Packet, VideoStream

__all__ = ["Picker", "Schedule", "VideoPacket"]

if TYPE_CHECKING:
    VideoPacket: TypeAlias = Packet[VideoStream]
else:  # Packets are generic for type checkers only.
    VideoPacket = Packet

_TOLERANCE_S: Final = 0.002
"""Some formats round times to milliseconds."""
_MAX_HELD: Final = 600
"""Packets that are held back until a key frame makes them useless; some videos have only one key frame."""


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


class Schedule:
    """Plans what to decode, packet by packet, for packets that all have presentation times.

    Args:
        picker: Chooses the frames.
        time_base: Seconds per tick.

    Attributes:
        count: Number of frames whose index in the video is known.
        last_s: Time of the last of them, in seconds from the first frame; None before that.
        end_s: The same time on the clock of the file.
    """

    def __init__(self, picker: Picker, time_base: Fraction) -> None:
        self.count = 0
        self.last_s: float | None = None
        self.end_s = 0.0
        self._picker, self._time_base = picker, time_base
        self._origin: int | None = None
        self._held: deque[VideoPacket] = deque()
        self._unnumbered: list[int] = []
        self._wanted: dict[int, tuple[int, float]] = {}  # by tick: number and time, in order of time

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

    def take(self, tick: int) -> tuple[int, float] | None:
        """Return the number and the time of a decoded frame, or None if it is not wanted."""
        for earlier in [wanted for wanted in self._wanted if wanted < tick]:
            del self._wanted[earlier]  # These could not be decoded.
        return self._wanted.pop(tick, None)

    def _number(self, *, before: int | None) -> None:
        while self._unnumbered and (before is None or self._unnumbered[0] < before):
            tick = heapq.heappop(self._unnumbered)
            if self._origin is None:
                self._origin = tick
            self.last_s, self.end_s = self._seconds(tick), float(tick * self._time_base)
            if self._picker.wants(self.last_s):
                self._wanted[tick] = (self.count, self.last_s)
            self.count += 1

    def _starts_anew(self, packet: VideoPacket) -> bool:
        """Return whether no wanted frame needs the packets before this one."""
        if not packet.is_keyframe or packet.pts is None or self._origin is None:
            return False
        if self._seconds(packet.pts) > self._picker.next_s + 2 * _TOLERANCE_S:
            return False
        may_be_wanted = {
            *self._wanted,
            *(tick for tick in self._unnumbered if self._seconds(tick) >= self._picker.next_s),
        }
        return not any(held.pts in may_be_wanted for held in self._held)

    def _release(self) -> list[tuple[VideoPacket, bool]]:
        count = 0
        if len(self._held) > _MAX_HELD:
            count = len(self._held)
        elif self._wanted:
            count = 1 + max((index for index, held in enumerate(self._held) if held.pts in self._wanted), default=-1)
        released = [self._held.popleft() for _ in range(count)]
        return [(held, held.pts not in self._wanted and held.pts not in self._unnumbered) for held in released]

    def _seconds(self, tick: int) -> float:
        return float((tick - (self._origin or 0)) * self._time_base)
