"""File names as text that can be shown and stored anywhere."""

import codecs
import os
import re
from collections.abc import Sequence
from typing import Final

from vlfau.errors import OutputError

__all__ = ["check_is_local", "is_url", "missing_file", "printable", "some_names"]

_SHOWN_AS_HEX: Final = "vlfau.hex"
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""Path makes one slash of two; a drive of Windows has one letter."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(path: str | os.PathLike[str]) -> str:
    r"""Return a path as text that can be written anywhere and that no other path has.

    A byte that is not valid UTF-8, or a control character, becomes the replacement character and its value. So two
    such names stay different, and none can control a terminal.

    >>> ascii(printable("caf\udce9.jpg"))
    "'caf\\ufffd{E9}.jpg'"
    """
    return _CONTROLS.sub(lambda match: _hex(match[0].encode()), os.fsencode(path).decode("utf-8", _SHOWN_AS_HEX))


def is_url(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is written like an address on the web.

    >>> is_url("https://example.org/me.jpg"), is_url("http:/example.org/me.jpg"), is_url("C:/me.jpg")
    (True, True, False)
    """
    return _URL.match(os.fspath(path)) is not None


def some_names(names: Sequence[str], limit: int = 8) -> str:
    """Return the first names of a list that may be long, for a message.

    >>> some_names(["image", "subject", "fold"], limit=2)
    'image, subject and 1 more'
    """
    more = len(names) - limit
    return (", ".join(names[:limit]) or "none") + (f" and {more} more" if more > 0 else "")


def missing_file(kind: str, path: str | os.PathLike[str], *, give: str = "the file") -> str:
    """Return what to tell a user whose file does not exist.

    Args:
        kind: What it should be.
        path: The file.
        give: What to give instead of a web address, after a download.
    """
    if is_url(path):
        return f"{_shown_url(path)} is a web address, and vlfau downloads nothing; download the {kind} and give {give}"
    return f"{kind} {printable(path)} does not exist; check the path"


def check_is_local(path: str | os.PathLike[str]) -> None:
    """Make sure that an output is not a web address, which would become a folder called "https:".

    Raises:
        OutputError: It is one.
    """
    if is_url(path):
        raise OutputError(
            f"{_shown_url(path)} is a web address, and vlfau writes to local folders only; name a folder or a file on "
            "this machine, and upload it afterwards"
        )


def _shown_url(path: str | os.PathLike[str]) -> str:
    return re.sub(":/+", "://", printable(path), count=1)


def _hex(spoilt: bytes) -> str:
    return "".join(f"\ufffd{{{byte:02X}}}" for byte in spoilt)


def _as_hex(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _hex(error.object[error.start : error.end]), error.end


codecs.register_error(_SHOWN_AS_HEX, _as_hex)
