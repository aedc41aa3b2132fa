"""Files whose names do not say what they are: known by their first bytes."""

from pathlib import Path
from typing import Final

__all__ = ["NAMELESS_SUFFIXES", "looks_like_picture", "looks_like_video"]

NAMELESS_SUFFIXES: Final = frozenset({"", ".mod"})
"""Endings that do not tell: none at all, and that of old camcorders, which music has too."""

_HEAD: Final = 1024
_VIDEO_SIGNATURES: Final = (
    *((4, box) for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),  # MP4, QuickTime
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"OggS"),
    (0, b"FLV\x01"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # Windows Media
    (0, b"\x00\x00\x01\xba"),  # MPEG
    (0, b"\x00\x00\x01\xb3"),
    (0, b"\x06\x0e\x2b\x34"),  # MXF
    (0, b"\x1f\x07\x00"),  # DV
)
_PICTURE_SIGNATURES: Final = (
    *((0, start) for start in (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")),
    (8, b"WEBP"),
)
_TRANSPORT_STREAMS: Final = ((0, 188), (4, 192))
"""Where the first sync byte is, and the distance of the others; the second is that of camcorders."""
_SYNC: Final = b"G"


def looks_like_video(path: Path) -> bool:
    """Return whether a file begins as a video does; False for one that cannot be read."""
    head = _head(path)
    if any(head.startswith(magic, offset) for offset, magic in _VIDEO_SIGNATURES):
        return True
    return any(head[first::step][:5] == 5 * _SYNC for first, step in _TRANSPORT_STREAMS)


def looks_like_picture(path: Path) -> bool:
    """Return whether a file begins as a picture does; False for one that cannot be read."""
    head = _head(path)
    return any(head.startswith(magic, offset) for offset, magic in _PICTURE_SIGNATURES)


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except (OSError, ValueError):
        return b""
