"""What a visitor sent, told from what the visitor says of it, and what a visitor is told when something fails.

A path, a name and a type come from the visitor and may be anything: the path must lie among the uploads, the name is
for display only, and the type is read from the content. Our messages about what visitors sent are shown to them, of
everything else nothing.
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

from vlfau.errors import ConfigError, ImageError, InputError, VideoError
from vlfau.files.names import printable
from vlfau.media.images import Picture, read_picture

__all__ = [
    "NEUTRAL",
    "PublicError",
    "Upload",
    "UploadError",
    "camera_picture",
    "check_is_video",
    "for_visitors",
    "public_text",
    "received",
]

NEUTRAL: Final = "Something went wrong on the server, and was logged there. Try again, or try another file."
_MAX_NAME: Final = 80
_NAME: Final = "upload"
_TS_PACKET: Final = 188
_SIGNATURES: Final = (
    *((4, box) for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),  # MP4, QuickTime
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"OggS"),
    (0, b"FLV\x01"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # Windows Media
    (0, b"\x00\x00\x01\xba"),  # MPEG
    (0, b"\x00\x00\x01\xb3"),
)

_log = logging.getLogger("vlfau.app")


class UploadError(InputError):
    """A request names no file that was uploaded."""


_VISITORS: Final = (UploadError, ImageError, VideoError, ConfigError)
"""What a visitor can mend; other errors of ours speak of the model or of the server's disk."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a visitor.

    Attributes:
        path: Where it lies.
        name: What the visitor calls it, fit for display and for tables.
    """

    path: Path
    name: str

    @property
    def stem(self) -> str:
        """The name without its ending, fit for names of files."""
        return re.sub(r"[^\w-]+", "_", PurePosixPath(self.name).stem).strip("_")[:40] or _NAME


def received(payload: Any, folder: Path) -> Upload:
    """Return the file that a request names.

    Args:
        payload: What the request says: a path and perhaps a name; None without a file.
        folder: Where uploads lie; the only place that a request may name.

    Raises:
        UploadError: There is no such upload.
    """
    if payload is None:
        raise UploadError("no file was given; choose one first")
    said = payload if isinstance(payload, Mapping) else {}
    path = _inside(said.get("path"), folder.resolve())
    return Upload(path, _shown(said.get("orig_name")) or _shown(path.name) or _NAME)


def check_is_video(upload: Upload) -> None:
    """Look at the first bytes of a file.

    A reader of videos also takes playlists, which name other files; here only containers are let through.

    Raises:
        VideoError: It is none of the kinds of video that are known.
    """
    with upload.path.open("rb") as stream:
        head = stream.read(3 * _TS_PACKET + 1)
    is_known = any(head.startswith(magic, offset) for offset, magic in _SIGNATURES)
    is_transport_stream = head[::_TS_PACKET] == b"GGGG"
    if not (is_known or is_transport_stream):
        raise VideoError(
            f"{upload.name} is no video of a known kind; give an MP4, QuickTime, WebM, Matroska or AVI file"
        )


def camera_picture(payload: Any, folder: Path) -> Picture:
    """Return the frame that a camera sent as a data URL.

    Raises:
        ImageError: It is no picture.
    """
    url = payload.get("url") if isinstance(payload, Mapping) else None
    head, _, body = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise ImageError("the camera sent no picture; reload the page")
    try:
        content = base64.b64decode(body, validate=True)
    except binascii.Error:
        raise ImageError("the camera sent a damaged picture; reload the page") from None
    with TemporaryDirectory(dir=folder) as name:
        path = Path(name, "frame")
        path.write_bytes(content)
        return read_picture(path)


class PublicError(Exception):
    """An error whose message may be shown to anyone."""


@contextmanager
def for_visitors(upload: Upload | None = None) -> Iterator[None]:
    """Turn every error into one that may be shown.

    Args:
        upload: The file that is worked on; messages speak of its name, not of where it lies.

    Raises:
        PublicError: Something failed. What the visitor cannot mend is in the log only.
    """
    try:
        yield
    except PublicError:
        raise
    except _VISITORS as error:
        raise PublicError(public_text(error, upload)) from None
    except Exception:
        _log.exception("a request failed")
        raise PublicError(NEUTRAL) from None


def public_text(error: InputError, upload: Upload | None = None) -> str:
    """Return the message of an error with no path of the server in it."""
    text = str(error)
    if upload is not None:
        text = text.replace(printable(upload.path), upload.name)
    return f"{text}."


def _inside(path: Any, folder: Path) -> Path:
    """Return a path that was checked: a file in the folder, and no link that leads out of it."""
    try:
        found = Path(path).resolve(strict=True)
        if found.is_relative_to(folder) and found.is_file():
            return found
    except (OSError, TypeError, ValueError):
        pass
    raise UploadError(
        "the request names no file that was uploaded here, or one that is deleted by now; upload it again"
    )


def _shown(name: Any) -> str:
    """Return the last part of a name, without what cannot be shown; empty if there is none."""
    text = re.split(r"[/\\]", name)[-1] if isinstance(name, str) else ""
    return "".join(sign for sign in text if sign.isprintable()).strip()[:_MAX_NAME]
