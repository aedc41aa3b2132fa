"""File names as text that can be shown and stored anywhere."""

import codecs
import os
import re
from pathlib import Path
from typing import Final

__all__ = ["printable"]

_SHOWN_AS_HEX: Final = "vlfau.hex"
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(path: str | Path) -> str:
    r"""Return a path as text that can be written anywhere and that no other path has.

    A byte that is not valid UTF-8, or a control character, becomes the replacement character and its value. So two
    such names stay different, and none can control a terminal.

    >>> ascii(printable("caf\udce9.jpg"))
    "'caf\\ufffd{E9}.jpg'"
    """
    return _CONTROLS.sub(lambda match: _hex(match[0].encode()), os.fsencode(path).decode("utf-8", _SHOWN_AS_HEX))


def _hex(spoilt: bytes) -> str:
    return "".join(f"\ufffd{{{byte:02X}}}" for byte in spoilt)


def _as_hex(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _hex(error.object[error.start : error.end]), error.end


codecs.register_error(_SHOWN_AS_HEX, _as_hex)
