"""The page as a whole."""

import gradio as gr

from vlfau.app.api import add_api
from vlfau.app.camera_tab import add_camera_tab
from vlfau.app.markup import head_html
from vlfau.app.picture_tab import add_picture_tab
from vlfau.app.site import Site
from vlfau.app.video_tab import add_video_tab

__all__ = ["build_page", "theme"]


def build_page(site: Site) -> gr.Blocks:
    """Return the page, ready to be launched."""
    settings = site.settings
    page = gr.Blocks(title="vlfau: facial action units", analytics_enabled=False)
    with page:
        gr.HTML(head_html(site.model), apply_default_css=False)
        with gr.Tabs():
            with gr.Tab("Picture"):
                add_picture_tab(site)
            with gr.Tab("Video"):
                add_video_tab(site)
            with gr.Tab("Live camera"):
                add_camera_tab(site)
        add_api(site)
    # Without the open interface every request goes through the queue, where the limits are.
    page.queue(max_size=settings.waiting, default_concurrency_limit=settings.pictures_at_once, api_open=False)
    return page


def theme() -> gr.themes.Base:
    """Return a look that needs no font from elsewhere, with text that is dark enough to read."""
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
