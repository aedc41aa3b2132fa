"""The server's connections: how many may be open, and how long a request may take to arrive.

uvicorn has neither a limit on connections that send nothing nor timeouts on headers and bodies.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import h11
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from vlfau.app.site import PageLimits

__all__ = ["PageServer", "connection_limit"]

_BACKLOG: Final = 64
_SURPLUS: Final = 64
"""Connections above the limit that are told so; further ones are closed without an answer."""
_STALLED_S: Final = 30.0
"""How long a visitor may take no byte of an answer."""
_LINGER_S: Final = 5.0
"""How long the rest of a refused body is read, so that the answer arrives before the connection is closed."""
_OTHER_FILES: Final = 64
"""Open files of the page besides those of connections."""
_TOO_LATE: Final = b"the request took too long to arrive"

_log = logging.getLogger("vlfau.app")


def connection_limit(wanted: int) -> int:
    """Return how many connections may be open so that the process does not run out of files.

    Each connection may need a second file, for its upload. Where the system allows it, the limit on open files is
    raised first.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return wanted
    need = 2 * (wanted + _SURPLUS) + 2 * _BACKLOG + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < need:
        with suppress(ValueError, OSError):
            soft = need if hard == resource.RLIM_INFINITY else min(need, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if soft < need:
            return max(4, (soft - _OTHER_FILES) // 4)
    return wanted


class PageServer(uvicorn.Server):
    """A server with limits on its connections.

    Args:
        app: The ASGI application.
        limits: Limits of the page.
        each_second: Called once a second in the server's event loop.
        on_stop: Called there before the server stops.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: PageLimits,
        each_second: Callable[[], Awaitable[None]],
        on_stop: Callable[[], None],
    ) -> None:
        protocol: Any = partial(_Connection, limits=limits, most=connection_limit(limits.connections))
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=1,
            )
        )
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # It warns of each malformed request.
        self._each_second, self._on_stop = each_second, on_stop
        self._last_warning_s = -60.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and log repeated failures of the event loop only once a minute."""
        asyncio.get_running_loop().set_exception_handler(self._warn)
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Close overdue connections, ten times a second."""
        now = time.monotonic()
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Connection):
                connection.close_if_overdue(now)
        if counter % 10 == 0:
            try:
                await self._each_second()
            except Exception:
                _log.exception("cancelling abandoned jobs failed")
        ends: bool = await super().on_tick(counter)
        return ends

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End open answers, then stop."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # It tells of each answer that is broken off.
        self._on_stop()
        await super().shutdown(sockets)

    def _warn(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), OSError):
            loop.default_exception_handler(context)
        elif time.monotonic() - self._last_warning_s > 60:
            self._last_warning_s = time.monotonic()
            _log.warning("%s: %s", context.get("message"), context["exception"])


class _Connection(H11Protocol):
    """A connection that is closed when it is overdue, or the oldest idle one when there are too many."""

    def __init__(self, *, limits: PageLimits, most: int, **others: Any) -> None:
        super().__init__(**others)
        self._limits, self._most = limits, most
        self._since = time.monotonic()
        self._received, self._received_at = 0, 0.0
        self._request: Any = None
        self._unsent, self._unsent_since = 0, 0.0
        self._is_closing = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        _watch(transport)
        open_ones = [each for each in self.connections if isinstance(each, _Connection) and not each._is_closing]
        if len(open_ones) <= self._most:
            return
        idle = min((each for each in open_ones if each is not self and each._is_idle), key=_age, default=None)
        if idle is not None:
            idle._close(b"")
        elif len(open_ones) <= self._most + _SURPLUS:
            self.app = _tell_busy
        else:
            self._close(b"")

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._received_at = time.monotonic()
        super().data_received(data)
        self._note_request()

    def on_response_complete(self) -> None:
        self._since = time.monotonic()
        super().on_response_complete()
        self._note_request()

    def close_if_overdue(self, now: float) -> None:
        """Close the connection if its request, or the visitor's reading of the answer, takes too long."""
        waited = now - self._since
        if self._is_closing:
            return
        if self._is_idle:
            late = waited > self._limits.headers_s
        elif self.cycle.response_complete:
            late = waited > _LINGER_S
        elif self.cycle.more_body and not self.flow.read_paused:
            body_s = self._limits.body_s
            is_slow = waited > body_s + self._received / self._limits.min_bytes_per_s
            late = is_slow or now - self._received_at > body_s
        else:
            late = self._is_stalled(now)
        if late:
            has_begun = self._received > 0 if self.cycle is None else not self.cycle.response_started
            self._close(_TOO_LATE if has_begun else b"")

    @property
    def _is_idle(self) -> bool:
        """Whether no request is there yet, or none after the last answer."""
        done = self.cycle is None or self.cycle.response_complete
        return done and self.conn.their_state is not h11.SEND_BODY

    def _note_request(self) -> None:
        if self.cycle is not self._request:
            self._request, self._received, self._since = self.cycle, 0, time.monotonic()

    def _is_stalled(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        return now - self._unsent_since > _STALLED_S and unsent > 0

    def _close(self, why: bytes) -> None:
        self._is_closing = True
        if why:
            head = f"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\nContent-Length: {len(why)}\r\n"
            self.transport.write(head.encode() + b"Connection: close\r\n\r\n" + why)
            self.transport.close()
        else:
            self.transport.abort()


def _age(connection: _Connection) -> float:
    return connection._since


def _watch(transport: asyncio.Transport) -> None:
    """Let the system notice a visitor whose network is gone."""
    connected = transport.get_extra_info("socket")
    if connected is None:
        return
    with suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * _STALLED_S))


async def _tell_busy(scope: Scope, receive: Receive, send: Send) -> None:
    answer = PlainTextResponse(
        "the server has as many visitors as it can serve; try again in a minute",
        status_code=503,
        headers={"Connection": "close", "Retry-After": "60"},
    )
    await answer(scope, receive, send)
