"""Live results: each frame's rows are sent as soon as it is judged, and the time that this took is measured."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import numpy as np

from vlfau.errors import ConfigError
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import PictureResult
from vlfau.media.frames import VideoFrame
from vlfau.tables.table import Table

__all__ = ["STANDARD_OUTPUT", "Destination", "LiveFrame", "LiveOutput", "Sender"]

STANDARD_OUTPUT: Final = "-"
_DEFAULT_PORTS: Final = {"osc": 9000, "zmq": 5556, "ws": 8765}
_LOCAL: Final = "127.0.0.1"
_CHOICES: Final = "-, lsl, or osc, zmq or ws with an address such as ws://127.0.0.1:8765"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where live results go.

    Attributes:
        kind: One of -, lsl, osc, zmq and ws.
        host: The machine to send to (osc) or the interface to serve on (zmq, ws).
        port: Its port; 0 for - and lsl.
        name: Name of the LSL stream.
    """

    kind: str
    host: str = _LOCAL
    port: int = 0
    name: str = "vlfau"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a destination as a user writes it.

        Raises:
            ConfigError: It is not a destination.

        >>> Destination.parse("osc")
        Destination(kind='osc', host='127.0.0.1', port=9000, name='vlfau')
        >>> Destination.parse("lsl:room 2").name
        'room 2'
        """
        kind, _, rest = text.partition(":")
        if text == STANDARD_OUTPUT:
            return cls(kind)
        if kind == "lsl":
            return cls(kind, name=rest.strip("/") or "vlfau")
        if kind in _DEFAULT_PORTS and (not rest or rest.startswith("//")):
            parts = urlsplit(rest)
            try:
                host, port = parts.hostname or _LOCAL, parts.port or _DEFAULT_PORTS[kind]
            except ValueError:
                raise ConfigError(f"--live {text} has an invalid port; give a number from 1 to 65535") from None
            if parts.path.strip("/") == "":
                return cls(kind, host, port)
        raise ConfigError(f"--live takes {_CHOICES}, not '{text[:60]}'")


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """What is sent of one picture or frame.

    Attributes:
        result: The result.
        rows: Its rows, with the columns of the native table, then `captured_unix_s` and `latency_ms`.
        age_s: Seconds since a camera gave the frame; None for a file.
    """

    result: PictureResult
    rows: Sequence[dict[str, Any]]
    age_s: float | None


class Sender(Protocol):
    """Sends frames to one destination."""

    def send(self, frame: LiveFrame) -> None:
        """Send a frame."""

    def close(self) -> None:
        """Close the connection."""


@dataclass(slots=True)
class _Timing:
    """Times of the frames of one video."""

    began_s: float | None = None
    ended_s: float = 0.0
    sent: int = 0
    last_number: int = -1
    first_number: int | None = None
    latencies_s: list[float] = field(default_factory=list)


class LiveOutput:
    """Sends results to all destinations of a run.

    Args:
        destinations: As the user wrote them.
        model: Metadata of the model.
        groups: Groups of further columns of the rows.
        max_faces: Number of faces for which LSL streams are made; None makes one.

    Raises:
        ConfigError: A destination is invalid, or its address is in use.
        MissingExtraError: The package of a destination is not installed.
    """

    def __init__(
        self,
        destinations: Sequence[str],
        model: BundleInfo,
        *,
        groups: Sequence[str] = (),
        max_faces: int | None = None,
    ) -> None:
        self._model, self._groups = model, groups
        self._timing = _Timing()
        self._senders: list[Sender] = []
        self._opened = ExitStack()
        parsed = [Destination.parse(text) for text in dict.fromkeys(destinations)]
        if not parsed:
            return
        from vlfau.runs import live_senders

        with ExitStack() as opened:
            for destination in parsed:
                sender = live_senders.open_sender(destination, model, max_faces=max_faces)
                opened.callback(sender.close)
                self._senders.append(sender)
            self._opened = opened.pop_all()

    @cached_property
    def _table(self) -> Table:
        return Table("native", self._model, groups=self._groups)

    def __bool__(self) -> bool:
        """Return whether there is any destination."""
        return bool(self._senders)

    def __enter__(self) -> Self:
        """Return the output itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._opened.close()

    def send(self, result: PictureResult, frame: VideoFrame | None = None) -> None:
        """Send the rows of a picture, or of a frame of a video.

        Args:
            result: The result.
            frame: The frame, if it is one.
        """
        if not self._senders:
            return
        rows: list[dict[str, Any]] = [dict(row) for row in self._table.rows(result)]
        arrived_s = None if frame is None else frame.arrived_s
        age_s = None if arrived_s is None else time.monotonic() - arrived_s
        captured_unix_s = None if age_s is None else round(time.time() - age_s, 4)
        latency_ms = None if age_s is None else round(1e3 * age_s, 1)
        for row in rows:
            row.update(captured_unix_s=captured_unix_s, latency_ms=latency_ms)
        for sender in self._senders:
            sender.send(LiveFrame(result, rows, age_s))
        self._note(frame, arrived_s)

    def _note(self, frame: VideoFrame | None, arrived_s: float | None) -> None:
        timing, now = self._timing, time.monotonic()
        timing.began_s = now if timing.began_s is None else timing.began_s
        timing.ended_s = now
        timing.sent += 1
        if frame is not None:
            timing.first_number = frame.number if timing.first_number is None else timing.first_number
            timing.last_number = frame.number
        if arrived_s is not None:
            timing.latencies_s.append(now - arrived_s)

    def report(self) -> str:
        """Return the frame rate and the latency since the last report, as a sentence; empty if nothing was sent."""
        timing, self._timing = self._timing, _Timing()
        if not timing.sent or timing.began_s is None:
            return ""
        parts = [f"live: {timing.sent:,} frame{'' if timing.sent == 1 else 's'}"]
        if timing.sent > 1:
            rate = (timing.sent - 1) / max(timing.ended_s - timing.began_s, 1e-9)
            parts.append(f"{rate:.1f} frames/s")
        if timing.latencies_s:
            median, high, highest = 1e3 * np.quantile(timing.latencies_s, (0.5, 0.95, 1.0))
            parts.append(
                f"from frame to message {median:.0f} ms (median), {high:.0f} ms (95 % of frames), {highest:.0f} ms "
                "(longest)"
            )
            passed_by = timing.last_number - (timing.first_number or 0) + 1 - timing.sent
            if passed_by > 0:
                parts.append(f"{passed_by:,} frames of the camera were left out, because newer ones had come")
        return ", ".join(parts)
