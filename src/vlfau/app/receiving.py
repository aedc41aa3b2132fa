"""Receives uploads: their bytes are reserved before they arrive, and files that stay unfinished are deleted."""

import asyncio
import logging
from typing import Any, Final

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope

from vlfau.app.disk import Disk, FullError
from vlfau.app.site import PageLimits

__all__ = ["declared_length", "receive_upload", "refusal"]

_FORM: Final = 100_000
"""Overhead of a form besides its file."""
_PROGRESS_S: Final = 30.0
"""How long the browser may ask for the progress of an upload that has ended."""

_log = logging.getLogger("vlfau.app")


async def receive_upload(scope: Scope, receive: Receive, *, disk: Disk, limits: PageLimits) -> Response:
    """Store the files of a form, each upload in a folder of its own.

    Returns:
        A JSON list of paths, as Gradio answers; or why the upload is refused.
    """
    try:
        return await _receive(Request(scope, receive), disk, limits)
    except FullError as error:
        return refusal(503, str(error))
    except ClientDisconnect:
        return refusal(400, "the upload was not finished")
    except (HTTPException, MultiPartException, ValueError, TypeError, AttributeError):
        return refusal(
            400, "the upload is not a form with files"
        )  # Some have no error of their own in Gradio's parser.
    except OSError:
        _log.exception("an upload could not be stored")
        return refusal(503, "the file could not be stored; try again in some minutes")


async def _receive(request: Request, disk: Disk, limits: PageLimits) -> Response:
    length = declared_length(request.scope)
    if length is None:
        return refusal(411, "say how long the request is")
    if length > limits.max_upload_bytes + _FORM:
        return refusal(413, f"the file is larger than {limits.max_upload_mb:g} MB")
    with disk.new_folder(length) as folder:
        return JSONResponse(await _store(request, str(folder), limits))


async def _store(request: Request, folder: str, limits: PageLimits) -> Any:
    from gradio.route_utils import upload_fn  # noqa: PLC0415 - slow to import
    from gradio.routes import file_upload_statuses  # noqa: PLC0415

    upload_id = QueryParams(request.scope["query_string"]).get("upload_id")
    progress = file_upload_statuses if upload_id else None
    try:
        files, _, _ = await upload_fn(request, folder, limits.max_upload_bytes, upload_id, upload_progress=progress)
    finally:
        if upload_id:
            file_upload_statuses.set_done(upload_id)
            asyncio.get_running_loop().call_later(_PROGRESS_S, file_upload_statuses.stop_tracking, upload_id)
    return files


def declared_length(scope: Scope) -> int | None:
    """Return the length of a request's body in bytes, or None if it is not declared."""
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def refusal(status: int, text: str) -> PlainTextResponse:
    """Return why a request is refused."""
    return PlainTextResponse(text, status_code=status)
