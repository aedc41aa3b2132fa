"""The video tab of the page."""

from typing import Any, Final

import gradio as gr

from vlfau.app.markup import status_html, video_html
from vlfau.app.predictions import answer_video
from vlfau.app.result_view import REVEAL
from vlfau.app.site import Site
from vlfau.app.uploads import PublicError
from vlfau.video.summary import clock

__all__ = ["VIDEOS", "add_video_tab"]

VIDEOS: Final = "videos"
"""Events that share the limit on simultaneous videos."""
_DOWNLOADS: Final = {
    ".vlfau.mp4": "Annotated video",
    ".report.html": "Report HTML",
    ".events.csv": "Events CSV",
    ".csv": "Frames CSV",
    ".jsonl": "Frames JSON Lines",
    ".parquet": "Frames Parquet",
    ".timeline.svg": "Timeline SVG",
}
_STEPS: Final = (("5 frames per second", 0.2), ("10 frames per second", 0.1), ("25 frames per second (slow)", 0.04))


def add_video_tab(site: Site) -> None:
    """Add the components and events to the tab under construction."""
    limits = site.limits
    hint = (
        f"Upload a video or record one, up to {limits.max_video_s:g} s and {limits.max_upload_mb:g} MB. {site.privacy}"
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            video = gr.Video(
                label="Video",
                sources=["upload", "webcam"],
                include_audio=False,
                height=380,
                webcam_options=gr.WebcamOptions(mirror=False),  # Left and right are the subject's own.
            )
            every_s = gr.Radio(list(_STEPS), value=0.1, label="How closely?")
            go = gr.Button("Look at the video", variant="primary")
        with gr.Column(scale=2, min_width=300):
            status = gr.HTML(status_html(hint), apply_default_css=False, elem_classes="status-line")
            told = gr.HTML(apply_default_css=False)
            with gr.Row():
                buttons = [
                    gr.DownloadButton(name, visible=False, size="md", min_width=170) for name in _DOWNLOADS.values()
                ]

    def show(text: str, *, is_error: bool = False) -> dict[Any, Any]:
        """Show a message and clear the results."""
        hidden = {button: gr.DownloadButton(visible=False) for button in buttons}
        return {status: status_html(text, is_error=is_error), told: "", **hidden}

    def analyse(payload: Any, every_s: float, progress: gr.Progress = gr.Progress()) -> dict[Any, Any]:  # noqa: B008 - Gradio looks for it there
        try:
            found = answer_video(site, payload, every_s=every_s, consistent=True, progress=progress, annotate=True)
        except PublicError as error:
            return show(str(error), is_error=True)
        files = {**found.files, **found.tables}
        count = len(found.tracks)
        faces = "no face was" if not count else "one face was" if count == 1 else f"{count} faces were"
        return {
            status: status_html(f"{clock(found.duration_s)}, {found.frames} frames analysed: {faces} found."),
            told: video_html(found, site.model.descriptions),
            **{
                button: gr.DownloadButton(value=path and str(path), visible=path is not None)
                for button, path in zip(buttons, map(files.get, _DOWNLOADS), strict=True)
            },
        }

    go.click(
        analyse,
        [video, every_s],
        [status, told, *buttons],
        preprocess=False,  # Input is checked here; Gradio would run ffmpeg on it.
        show_progress_on=status,
        concurrency_limit=limits.videos_at_once,
        concurrency_id=VIDEOS,
        api_visibility="private",
    ).then(None, None, None, js=REVEAL, api_visibility="private")
    video.clear(lambda: show(hint), None, [status, told, *buttons], show_progress="hidden", api_visibility="private")
