"""Which files are analysed, and which of them are videos."""

import os
from pathlib import Path
from typing import Final

from vlfau.media import camera, moving_pictures
from vlfau.media.inputs import PICTURE_SUFFIXES
from vlfau.media.kinds import NAMELESS_SUFFIXES, looks_like_video

__all__ = ["ANALYSED_SUFFIXES", "VIDEO_SUFFIXES", "is_video"]

VIDEO_SUFFIXES: Final = frozenset(
    {
        *(".3gp", ".apng", ".asf", ".avi", ".divx", ".dv", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
        *(".mpg", ".mts", ".mxf", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    }
)
ANALYSED_SUFFIXES: Final = VIDEO_SUFFIXES | PICTURE_SUFFIXES | NAMELESS_SUFFIXES
"""Endings of all files that a folder is searched for; those that do not tell are known by their content."""


def is_video(path: str | Path) -> bool:
    """Return whether a path is a video: by its name where that tells, otherwise by its content.

    Cameras such as `camera:0`, animated pictures, and numbered pictures such as `frames_%05d.png` count as videos.

    >>> is_video("film.MP4"), is_video("camera:0"), is_video("photo.jpg")
    (True, True, False)
    """
    text = os.fspath(path)
    if camera.is_live(text):
        return True
    file = Path(text)
    suffix = file.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return True
    if suffix in PICTURE_SUFFIXES:
        is_moving = suffix in moving_pictures.ANIMATION_SUFFIXES and moving_pictures.is_animated(file)
        return is_moving or moving_pictures.is_numbered(file)
    return looks_like_video(file)
