"""The whole page, and its camera tab."""

from pathlib import Path
from typing import Any, cast

import gradio as gr
from fastapi import FastAPI
from gradio.routes import App
from starlette.routing import Mount

from vlfau.app.api import add_api
from vlfau.app.markup import about_html, head_html, live_html, status_html
from vlfau.app.picture_tab import add_picture_tab, add_pictures_tab
from vlfau.app.site import PageLimits, Site
from vlfau.app.uploads import PublicError, camera_picture, for_visitors
from vlfau.app.video_tab import add_video_tab
from vlfau.drawing.pages import stylesheet

__all__ = ["build_page", "mounted", "stop"]


def build_page(site: Site) -> gr.Blocks:
    """Return the page, ready to launch."""
    limits = site.limits
    page = gr.Blocks(title="vlfau: facial action units", analytics_enabled=False)
    with page:
        gr.HTML(head_html(site.model), apply_default_css=False)
        with gr.Tabs():
            with gr.Tab("Picture"):
                add_picture_tab(site)
            with gr.Tab("Several pictures"):
                add_pictures_tab(site)
            with gr.Tab("Video"):
                add_video_tab(site)
            with gr.Tab("Camera"):
                _add_camera_tab(site)
        gr.HTML(about_html(site.model, site.privacy), apply_default_css=False)
        add_api(site)
    # Without the open interface, every request goes through the queue, which enforces the limits.
    page.queue(max_size=limits.waiting, default_concurrency_limit=limits.pictures_at_once, api_open=False)
    return page


def mounted(page: gr.Blocks, limits: PageLimits) -> FastAPI:
    """Return the application that serves a page."""
    here = Path(__file__)
    page.state_session_capacity = 4 * limits.waiting
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        "/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=limits.max_upload_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        theme=_theme(),
        css=str(stylesheet(dark_class="dark")),
        css_paths=here.with_name("page.css"),
        js=here.with_name("page.js").read_text("utf-8"),
    )
    (mount,) = (route for route in app.routes if isinstance(route, Mount))
    page.app = cast("App", mount.app)
    return app


def stop(page: gr.Blocks) -> None:
    """End a page's jobs and open answers; to be called in its event loop."""
    page._queue.close()
    page.is_running = False
    page.app.stop_event.set()
    for jobs in page._queue.active_jobs:
        for job in jobs or ():
            job.alive = False  # A running video stops at its next frame.


def _theme() -> gr.themes.Base:
    """Return a theme without external fonts and with sufficient contrast."""
    look = gr.themes.Default(
        primary_hue="blue",
        secondary_hue="blue",
        neutral_hue="slate",
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    )
    return look.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
    )


def _add_camera_tab(site: Site) -> None:
    """Add the components and events to the tab under construction."""
    limits = site.limits
    hint = (
        f"Allow the camera, then press Record: the bars follow your face, for up to {limits.camera_s} s. "
        "Frames are analysed on this server and not kept. For captions and heat maps, take a picture in the first tab."
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            camera = gr.Image(
                label="Camera",
                sources="webcam",
                streaming=True,
                type="filepath",
                image_mode=None,
                buttons=[],
                webcam_options=gr.WebcamOptions(mirror=False),  # Left and right are the subject's own.
            )
        with gr.Column(scale=2, min_width=300):
            gr.HTML(status_html(hint), apply_default_css=False)
            bars = gr.HTML(apply_default_css=False)

    def analyse(payload: Any) -> str:
        try:
            with for_visitors():
                return live_html(site.predictor.faces(camera_picture(payload, site.folder)), site.model)
        except PublicError as error:
            return status_html(str(error), is_error=True)

    camera.stream(
        analyse,
        camera,
        bars,
        preprocess=False,  # Input is checked here; Gradio would open it with any decoder.
        stream_every=0.4,
        time_limit=limits.camera_s,
        show_progress="hidden",
        concurrency_limit=limits.cameras_at_once,
        concurrency_id="cameras",
        api_visibility="private",
    )
