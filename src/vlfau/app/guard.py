"""A filter in front of Gradio that passes only the requests that the page and its interface need.

Gradio's server has many more routes, some of which fetch other pages for the caller, and reads JSON of any size.
Responses get headers that keep the browser from contacting other servers.
"""

from pathlib import Path
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vlfau.app.site import PageLimits
from vlfau.files.records import parse_json

__all__ = ["Guard"]

_API: Final = "/gradio_api"
_READ: Final = (
    *("/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json", "/assets/", "/static/"),
    *(f"{_API}/{name}" for name in ("info", "theme.css", "app_id", "startup-events", "upload_progress")),
    *(f"{_API}/{name}/" for name in ("heartbeat", "call")),
    f"{_API}/queue/data",
)
_SENT: Final = tuple(f"{_API}/{name}" for name in ("queue/join", "call/", "stream/", "cancel", "reset"))
_UPLOAD: Final = f"{_API}/upload"
_FILE: Final = f"{_API}/file="
_MAX_JSON: Final = 8_000_000
"""Maximum size of JSON; camera frames are sent as JSON."""
_FORM: Final = 100_000
"""Overhead of a form besides its file."""
_OWN: Final = "'self' data: blob:"
_POLICY: Final = (
    f"default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    f"img-src {_OWN}; media-src {_OWN}; connect-src {_OWN}; font-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Guard:
    """ASGI middleware around the server.

    Args:
        app: The server.
        limits: Limits of the page.
        folder: Folder of uploads and results, the only files that are served.
    """

    def __init__(self, app: ASGIApp, *, limits: PageLimits, folder: Path) -> None:
        self._app, self._limits, self._folder = app, limits, folder

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

        refusal, receive = await self._checked(scope, path, receive)
        await (refusal or self._app)(scope, receive, send_with_headers)

    async def _checked(self, scope: Scope, path: str, receive: Receive) -> tuple[PlainTextResponse | None, Receive]:
        """Return why a request is refused, if it is, and where to read its body from."""
        match scope["method"]:
            case "GET" | "HEAD":
                return (None if self._may_read(path) else _refusal(404, "not found")), receive
            case "POST" if path == _UPLOAD:
                return self._upload_refusal(scope), receive
            case "POST" if path.startswith(_SENT):
                return await _checked_json(scope, receive)
            case "POST":
                return _refusal(404, "not found"), receive
            case _:
                return _refusal(405, "method not allowed"), receive

    def _may_read(self, path: str) -> bool:
        if path.startswith(_FILE):
            named = Path(path.removeprefix(_FILE))  # as this system writes paths
            return self._folder in named.parents and ".." not in named.parts
        return path == "/" or path.startswith(_READ)

    def _upload_refusal(self, scope: Scope) -> PlainTextResponse | None:
        length = _length(scope)
        if length is None:
            return _refusal(411, "say how long the request is")
        if length > self._limits.max_upload_bytes + _FORM:
            return _refusal(413, f"the file is larger than {self._limits.max_upload_mb:g} MB")
        kept = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
        if kept + length > self._limits.max_kept_mb * 1e6:
            return _refusal(503, "the server holds as many files as it can; try again in some minutes")
        return None


async def _checked_json(scope: Scope, receive: Receive) -> tuple[PlainTextResponse | None, Receive]:
    """Read a small body, and refuse it if it would make the server fetch something."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_JSON or message["type"] == "http.disconnect":
            return _refusal(413, "the request is too large"), receive
        if not message.get("more_body"):
            break
    try:
        document = parse_json(body or b"{}")
    except ValueError:
        return _refusal(400, "the request is no JSON"), receive
    if _names_address(document):
        return _refusal(400, "files are uploaded, not named by an address"), receive
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return None, receive_again


def _names_address(document: Any) -> bool:
    """Say whether any file of a request lies elsewhere."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            path = item.get("path")
            if isinstance(path, str) and "://" in path:
                return True
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False


def _length(scope: Scope) -> int | None:
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isdecimal() else None


def _refusal(status: int, text: str) -> PlainTextResponse:
    return PlainTextResponse(text, status_code=status)
