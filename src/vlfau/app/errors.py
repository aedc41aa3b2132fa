"""What a visitor is told when something fails: our messages about what they sent, and of everything else nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vlfau.app.uploads import Upload, UploadError
from vlfau.errors import ConfigError, ImageError, InputError, VideoError
from vlfau.files.names import printable

__all__ = ["NEUTRAL", "PublicError", "for_visitors", "public_text"]

NEUTRAL: Final = "Something went wrong on the server, and was logged there. Try again, or try another file."

_VISITORS: Final = (UploadError, ImageError, VideoError, ConfigError)
"""What a visitor can mend; other errors of ours speak of the model or of the server's disk."""

_log = logging.getLogger("vlfau.app")


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
