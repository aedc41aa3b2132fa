"""Validation of uploads, and the errors that visitors see.

Path, name and type come from the visitor and are not trusted: the path must be inside the uploads folder, the name is
for display only, and the type is detected from the content. Visitors see only messages about their own uploads.
"""

import base64
import binascii
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

from vlfau.app.disk import FullError
from vlfau.errors import ConfigError, ImageError, InputError, VideoError
from vlfau.files.names import printable
from vlfau.media.images import Picture, read_picture
from vlfau.media.kinds import looks_like_video

__all__ = [
    "NEUTRAL",
    "PublicError",
    "Upload",
    "UploadError",
    "camera_picture",
    "check_is_video",
    "for_visitors",
    "received",
]

NEUTRAL: Final = "Something went wrong on the server, and was logged there. Try again, or try another file."
_MAX_NAME: Final = 80
_NAME: Final = "upload"

_log = logging.getLogger("vlfau.app")


class UploadError(InputError):
    """A request does not name an uploaded file."""


_VISITORS: Final = (UploadError, ImageError, VideoError, ConfigError)
"""Errors that visitors can fix; others concern the model or the server's disk."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file.

    Attributes:
        path: Its path on the server.
        name: The visitor's name for it, cleaned for display and tables.
    """

    path: Path
    name: str

    @property
    def stem(self) -> str:
        """The name without its suffix, cleaned for use in file names."""
        return re.sub(r"[^\w-]+", "_", PurePosixPath(self.name).stem).strip("_")[:40] or _NAME


def received(payload: Any, folder: Path) -> Upload:
    """Return the uploaded file that a request names.

    Args:
        payload: A path and perhaps a name, from the request; None without a file.
        folder: The uploads folder; requests may name only files in it.

    Raises:
        UploadError: There is no such upload.
    """
    if payload is None:
        raise UploadError("no file was given; choose one first")
    said = payload if isinstance(payload, Mapping) else {}
    path = _inside(said.get("path"), folder.resolve())
    return Upload(path, _shown(said.get("orig_name")) or _shown(path.name) or _NAME)


def check_is_video(upload: Upload) -> None:
    """Check the first bytes of a file.

    Video readers also accept playlists, which name other files; only containers are allowed here.

    Raises:
        VideoError: It is not a supported video container.
    """
    if not looks_like_video(upload.path):
        raise VideoError(f"{upload.name} is not a supported video; give an MP4, QuickTime, WebM, Matroska or AVI file")


def camera_picture(payload: Any, folder: Path) -> Picture:
    """Return a camera frame sent as a data URL.

    Raises:
        ImageError: It is not a picture.
    """
    url = payload.get("url") if isinstance(payload, Mapping) else None
    head, _, body = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise ImageError("the camera did not send a picture; reload the page")
    try:
        content = base64.b64decode(body, validate=True)
    except binascii.Error:
        raise ImageError("the camera sent a damaged picture; reload the page") from None
    with TemporaryDirectory(dir=folder) as name:
        path = Path(name, "frame")
        path.write_bytes(content)
        return read_picture(path)


class PublicError(Exception):
    """An error whose message may be shown to visitors."""


@contextmanager
def for_visitors(upload: Upload | None = None) -> Iterator[None]:
    """Convert every error to one that may be shown to visitors.

    Args:
        upload: The current file; messages use its name instead of its path.

    Raises:
        PublicError: Something failed. Errors that the visitor cannot fix are only logged.
    """
    try:
        yield
    except PublicError:
        raise
    except _VISITORS as error:
        raise PublicError(_public_text(error, upload)) from None
    except FullError as error:
        raise PublicError(str(error)) from None
    except Exception:
        _log.exception("a request failed")
        raise PublicError(NEUTRAL) from None


def _public_text(error: InputError, upload: Upload | None = None) -> str:
    """Return the message of an error without paths of the server."""
    text = str(error)
    if upload is not None:
        text = text.replace(printable(upload.path), upload.name)
    return f"{text}."


def _inside(path: Any, folder: Path) -> Path:
    """Return a checked path: a file in the folder, not a link that leads out of it."""
    try:
        found = Path(path).resolve(strict=True)
        if found.is_relative_to(folder) and found.is_file():
            return found
    except (OSError, TypeError, ValueError):
        pass
    raise UploadError("the request does not name a file that was uploaded here and still exists; upload it again")


def _shown(name: Any) -> str:
    """Return the last part of a name, without unprintable characters; empty if there is none."""
    text = re.split(r"[/\\]", name)[-1] if isinstance(name, str) else ""
    return "".join(sign for sign in text if sign.isprintable()).strip()[:_MAX_NAME]
