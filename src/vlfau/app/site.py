"""Shared by all parts of the page: the model, the limits, and the folder of files."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vlfau.app.disk import Disk
from vlfau.errors import ConfigError

if TYPE_CHECKING:
    from vlfau.app.predictions import PagePredictor
    from vlfau.inference.bundle import BundleInfo

__all__ = ["PageLimits", "Site"]


@dataclass(frozen=True, kw_only=True)
class PageLimits:
    """Limits on what the page accepts.

    Attributes:
        max_upload_mb: Maximum size of a file, in megabytes (10^6 bytes).
        max_video_s: Maximum length of a video, in seconds.
        max_faces: Maximum number of faces per picture or frame; the largest are kept.
        pictures_at_once: Maximum number of pictures analysed at the same time; others wait.
        videos_at_once: The same for videos.
        cameras_at_once: The same for cameras.
        pictures_per_request: Maximum number of pictures that one visitor gives together.
        camera_s: Maximum length of a camera session, in seconds.
        waiting: Maximum number of waiting requests; further ones are refused.
        kept_s: How long files of visitors are kept, in seconds.
        max_kept_mb: Maximum total size of these files, in megabytes, with those that are being uploaded or written.
        connections: Maximum number of open connections; further ones are refused.
        headers_s: How long a request's headers may take, in seconds.
        body_s: How long no byte of a request's body may come, and how long the body may take besides its time at
            `min_bytes_per_s`, in seconds.
        min_bytes_per_s: Minimum rate of a body, in bytes per second.
        max_waiting_mb: Maximum total size of requests other than uploads, arriving and waiting, in megabytes.
        left_s: How long a job goes on without a connection that waits for it, in seconds.

    Raises:
        ConfigError: A limit is not positive.
    """

    max_upload_mb: float = 50.0
    max_video_s: float = 60.0
    max_faces: int = 30
    pictures_at_once: int = 8
    videos_at_once: int = 1
    cameras_at_once: int = 2
    pictures_per_request: int = 20
    camera_s: int = 60
    waiting: int = 64
    kept_s: int = 900
    max_kept_mb: float = 2_000.0
    connections: int = 256
    headers_s: float = 15.0
    body_s: float = 20.0
    min_bytes_per_s: int = 10_000
    max_waiting_mb: float = 64.0
    left_s: float = 10.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise ConfigError(f"{name} is {value}; give a number above 0")

    @property
    def max_upload_bytes(self) -> int:
        """The size of a file in bytes."""
        return round(self.max_upload_mb * 1e6)


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of a served page.

    Attributes:
        predictor: Analyses what visitors send.
        limits: Limits of the page.
        disk: Temporary folder of uploads and results.
    """

    predictor: "PagePredictor"
    limits: PageLimits
    disk: Disk

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.disk.folder

    @property
    def model(self) -> "BundleInfo":
        """Metadata of the model."""
        return self.predictor.info

    @property
    def privacy(self) -> str:
        """The notice about visitors' files."""
        minutes = max(1, round(self.limits.kept_s / 60))
        return f"Files stay on this server and are deleted within {minutes + 1} minutes."
