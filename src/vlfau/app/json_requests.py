"""JSON requests: read as a whole, checked, and followed to the job that they start."""

from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Send

from vlfau.app.receiving import refusal
from vlfau.files.records import parse_json

__all__ = ["JobNoter", "checked_json"]

_MAX_PATH: Final = 4_096
_MAX_ANSWER: Final = 1_000
"""Maximum size of an answer that names a job, in bytes."""


class JobNoter:
    """Passes an answer on, and notes the job that it names.

    Args:
        send: Where the answer goes.
    """

    def __init__(self, send: Send) -> None:
        self._send, self._body = send, b""

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.body" and len(self._body) < _MAX_ANSWER:
            self._body += message.get("body", b"")
        await self._send(message)

    @property
    def job(self) -> str | None:
        """The job that the request started, if it did."""
        try:
            answer = parse_json(self._body[:_MAX_ANSWER])
        except ValueError:
            return None
        job = answer.get("event_id") if isinstance(answer, dict) else None
        return job if isinstance(job, str) else None


async def checked_json(receive: Receive, length: int) -> tuple[PlainTextResponse | None, Receive]:
    """Read a body, and refuse it if it would make the server fetch something.

    Args:
        receive: Where the body comes from.
        length: Its declared length in bytes.

    Returns:
        Why the request is refused, or None; and where to read the body again.
    """
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or len(body) > length:
            return refusal(400, "the request was not finished"), receive
        if not message.get("more_body"):
            break
    try:
        document = parse_json(bytes(body) or b"{}")
    except ValueError:
        return refusal(400, "the request is no JSON"), receive
    if why := _path_refusal(document):
        return refusal(400, why), receive
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return None, receive_again


def _path_refusal(document: Any) -> str | None:
    """Say why a request may not name a file as it does: the file lies elsewhere, or its path would fill the log."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            path = item.get("path")
            if isinstance(path, str) and "://" in path:
                return "files are uploaded, not named by an address"
            if isinstance(path, str) and len(path) > _MAX_PATH:
                return "the path of a file is too long"
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return None
