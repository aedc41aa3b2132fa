"""Addresses of network cameras, such as rtsp://host/stream; read only where a caller asks for the network."""

import re
from typing import Final
from urllib.parse import urlsplit

__all__ = ["NetworkCamera", "is_address"]

SCHEMES: Final = ("http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp")


def is_address(text: str) -> bool:
    """Return whether a text is the address of a network camera.

    >>> is_address("rtsp://host/stream"), is_address("camera:0"), is_address("c:/film.mp4")
    (True, False, False)
    """
    match = re.match(r"([a-z]+)://[^/]", text.lower())
    return match is not None and match[1] in SCHEMES


class NetworkCamera(str):
    """The address of a network camera; `VideoReader` opens no address that is plain text.

    >>> NetworkCamera("rtsp://anna:secret@host:554//1?token=x").public
    'rtsp://host:554//1'
    """

    __slots__ = ()

    @property
    def public(self) -> str:
        """The address without user, password and query."""
        parts = urlsplit(str(self))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
