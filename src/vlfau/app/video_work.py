"""From an upload to everything that is told of a video; the page and its interface share it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vlfau.app.downloads import Tables, VideoFiles, write_tables, write_video_files
from vlfau.app.errors import for_visitors
from vlfau.app.judging import JudgedVideo
from vlfau.app.site import Site
from vlfau.app.uploads import received

__all__ = ["VideoAnswer", "answer_video"]


@dataclass(frozen=True, slots=True)
class VideoAnswer:
    """What was found, and the files that tell it."""

    video: JudgedVideo
    tables: Tables
    files: VideoFiles


def answer_video(
    site: Site, payload: Any, *, every_s: float, consistent: bool, progress: Callable[..., Any]
) -> VideoAnswer:
    """Judge a video that was uploaded.

    Args:
        site: The page.
        payload: What the request says of the upload.
        every_s: Time between the frames that are judged, in seconds.
        consistent: Whether the words must agree with the states of the AUs.
        progress: Gradio's, which takes a share or (done, total).

    Raises:
        PublicError: It cannot be done; the message may be shown.
    """

    def show(done_s: float, whole_s: float | None) -> None:
        if whole_s:
            progress(min(done_s / whole_s, 1.0), desc="Looking at the frames")

    with for_visitors():
        upload = received(payload, site.folder)
    with for_visitors(upload):
        with write_tables(upload, site.folder, site.model) as tables:
            video = site.judge.video(upload, every_s=every_s, consistent=consistent, take=tables.take, progress=show)
        files = write_video_files(video, tables, site.model, note=site.model.warning)
    return VideoAnswer(video, tables, files)
