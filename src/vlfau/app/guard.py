"""A filter in front of Gradio that passes only the requests that the page and its interface need.

Gradio's server has many more routes, some of which fetch other pages for the caller, and reads JSON of any size.
Responses get headers that keep the browser from contacting other servers.
"""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vlfau.app.disk import Disk
from vlfau.app.hosts import Hosts
from vlfau.app.json_requests import JobNoter, checked_json
from vlfau.app.receiving import declared_length, receive_upload, refusal
from vlfau.app.site import PageLimits
from vlfau.app.visitors import Visitors

__all__ = ["Guard"]

_API: Final = "/gradio_api"
_QUEUE: Final = f"{_API}/queue/data"
_CALL: Final = f"{_API}/call/"
_READ: Final = (
    *("/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json", "/assets/", "/static/"),
    *(f"{_API}/{name}" for name in ("info", "theme.css", "app_id", "startup-events", "upload_progress")),
    *(f"{_API}/{name}/" for name in ("heartbeat", "call")),
    _QUEUE,
)
_JOB: Final = tuple(f"{_API}/{name}" for name in ("queue/join", "call/"))
_SENT: Final = (*_JOB, *(f"{_API}/{name}" for name in ("stream/", "cancel", "reset")))
_HEARTBEAT: Final = f"{_API}/heartbeat/"
_UPLOAD: Final = f"{_API}/upload"
_FILE: Final = f"{_API}/file="
_MAX_JSON: Final = 8_000_000
"""Maximum size of JSON; camera frames are sent as JSON."""
_OWN: Final = "'self' data: blob:"
_POLICY: Final = (
    f"default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    f"img-src {_OWN}; media-src {_OWN}; connect-src {_OWN}; font-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_BUSY: Final = "too many requests are waiting; try again in a minute"


class Guard:
    """ASGI middleware around the server.

    Args:
        app: The server.
        limits: Limits of the page.
        disk: Folder of uploads and results, the only files that are served.
        hosts: The names under which the page may be asked for.
        visitors: Who waits for answers.
    """

    def __init__(self, app: ASGIApp, *, limits: PageLimits, disk: Disk, hosts: Hosts, visitors: Visitors) -> None:
        self._app, self._limits, self._disk, self._hosts, self._visitors = app, limits, disk, hosts, visitors
        self._heartbeats = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        is_file = path.startswith(_FILE)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Content-Security-Policy"] = "sandbox; default-src 'none'" if is_file else _POLICY
            await send(message)

        headers = Headers(scope=scope)
        asked = (headers.get("host", ""), headers.get("x-forwarded-host", ""), headers.get("origin"))
        if why := self._hosts.refusal(*asked):
            await refusal(403, why)(scope, receive, send_with_headers)
            return
        match scope["method"]:
            case "GET" | "HEAD":
                await self._read(scope, path, receive, send_with_headers)
            case "POST" if path == _UPLOAD:
                answer = await receive_upload(scope, receive, disk=self._disk, limits=self._limits)
                await answer(scope, receive, send_with_headers)
            case "POST" if path.startswith(_SENT):
                await self._pass_json(scope, path, receive, send_with_headers)
            case method:
                answer = refusal(404, "not found") if method == "POST" else refusal(405, "method not allowed")
                await answer(scope, receive, send_with_headers)

    async def _read(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        if not self._may_read(path):
            await refusal(404, "not found")(scope, receive, send)
        elif path.startswith(_HEARTBEAT):
            if self._heartbeats >= self._limits.connections // 2:  # They stay open as long as the visitor wishes.
                await refusal(503, _BUSY)(scope, receive, send)
                return
            self._heartbeats += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._heartbeats -= 1
        elif key := _followed(path, scope):
            with self._visitors.waiting_for(key):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _may_read(self, path: str) -> bool:
        if path.startswith(_FILE):
            named = Path(path.removeprefix(_FILE))  # as this system writes paths
            return self._disk.folder in named.parents and ".." not in named.parts
        return path == "/" or path.startswith(_READ)

    async def _pass_json(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        """Pass a JSON request on; its memory is reserved before it arrives, and as long as its job waits or runs."""
        is_job = path.startswith(_JOB)
        length = declared_length(scope) or 0
        if answer := self._json_refusal(scope, is_job=is_job):
            await answer(scope, receive, send)
            return
        if not self._visitors.reserve(length):
            await refusal(503, _BUSY)(scope, receive, send)
            return
        noting = JobNoter(send)
        try:
            answer, receive = await checked_json(receive, length)
            await (answer or self._app)(scope, receive, noting.send)
        finally:
            self._visitors.release(length, job=noting.job if is_job else None)

    def _json_refusal(self, scope: Scope, *, is_job: bool) -> Response | None:
        length = declared_length(scope)
        if length is None:
            return refusal(411, "say how long the request is")
        if length > _MAX_JSON:
            return refusal(413, "the request is too large")
        return refusal(503, _BUSY) if is_job and self._visitors.is_queue_full else None


def _followed(path: str, scope: Scope) -> str | None:
    """Return the session or job for whose answer a request waits, if it does."""
    if path == _QUEUE:
        return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [])), None)
    return path.rstrip("/").rpartition("/")[2] if path.startswith(_CALL) else None
