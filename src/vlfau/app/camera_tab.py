"""The part of the page that watches a camera."""

from typing import Any

import gradio as gr

from vlfau.app.errors import PublicError, for_visitors
from vlfau.app.markup import live_html, status_html
from vlfau.app.site import Site
from vlfau.app.uploads import camera_picture

__all__ = ["add_camera_tab"]


def add_camera_tab(site: Site) -> None:
    """Put the components and events into the tab that is being built."""
    settings = site.settings
    hint = (
        f"Allow the camera, then press Record: the bars follow your face, for up to {settings.camera_s} s. "
        "Frames are judged on this server and not kept. For words and reasons take a picture in the first tab."
    )
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            camera = gr.Image(
                label="Camera",
                sources="webcam",
                streaming=True,
                type="filepath",
                image_mode=None,
                buttons=[],
                webcam_options=gr.WebcamOptions(mirror=False),  # Left and right are the subject's own.
            )
        with gr.Column(scale=3, min_width=300):
            gr.HTML(status_html(hint), apply_default_css=False)
            bars = gr.HTML(apply_default_css=False)

    def judge(payload: Any) -> str:
        try:
            with for_visitors():
                return live_html(site.judge.faces(camera_picture(payload, site.folder)), site.model)
        except PublicError as error:
            return status_html(str(error), is_error=True)

    camera.stream(
        judge,
        camera,
        bars,
        preprocess=False,  # What comes is checked here; Gradio would open it with any decoder.
        stream_every=0.4,
        time_limit=settings.camera_s,
        show_progress="hidden",
        concurrency_limit=settings.cameras_at_once,
        concurrency_id="cameras",
        api_visibility="private",
    )
