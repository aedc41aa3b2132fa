"""The picture tab of the page."""

from collections.abc import Sequence
from typing import Any, Final

import gradio as gr

from vlfau.app.markup import face_html, scene_html, status_html
from vlfau.app.predictions import write_tables
from vlfau.app.site import Site
from vlfau.app.uploads import PublicError, for_visitors, received
from vlfau.inference.results import FaceResult

__all__ = ["PICTURES", "add_picture_tab"]

PICTURES: Final = "pictures"
"""Events that share the limit on simultaneous pictures."""


def add_picture_tab(site: Site) -> None:
    """Add the components and events to the tab under construction."""
    limits = site.limits
    hint = f"Upload, paste or take a picture, up to {limits.max_upload_mb:g} MB. {site.privacy}"
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            picture = gr.Image(
                label="Picture",
                sources=["upload", "webcam", "clipboard"],
                type="filepath",
                image_mode=None,
                height=380,
                buttons=[],
                webcam_options=gr.WebcamOptions(mirror=False),  # Left and right are the subject's own.
                alt_text="Your picture",
            )
            consistent = gr.Checkbox(True, label="Captions must agree with the bars")
            every = gr.Checkbox(False, label="Captions for inactive action units too (slower)")
            scene = gr.HTML(apply_default_css=False)
        with gr.Column(scale=3, min_width=300):
            status = gr.HTML(status_html(hint), apply_default_css=False)
            chosen = gr.Radio([], label="Which face?", visible=False, interactive=True)
            face = gr.HTML(apply_default_css=False)
            with gr.Row():
                csv = gr.DownloadButton("Download CSV", visible=False)
                jsonl = gr.DownloadButton("Download JSON Lines", visible=False)
    faces = gr.State([], time_to_live=limits.kept_s)

    def show(text: str, *, is_error: bool = False) -> dict[Any, Any]:
        """Show a message and clear the results."""
        return {
            status: status_html(text, is_error=is_error),
            scene: "",
            chosen: gr.Radio(choices=[], value=None, visible=False),
            face: "",
            csv: gr.DownloadButton(visible=False),
            jsonl: gr.DownloadButton(visible=False),
            faces: [],
        }

    def analyse(payload: Any, consistent: bool, every: bool) -> dict[Any, Any]:
        if payload is None:
            return show(hint)
        try:
            with for_visitors():
                upload = received(payload, site.folder)
            with (
                for_visitors(upload),
                site.disk.new_folder(site.limits.max_result_bytes) as folder,
                write_tables(upload, folder, site.model) as tables,
            ):
                read, result = site.predictor.picture(
                    upload, consistent=bool(consistent), describe="every" if every else "active"
                )
                tables.add(result)
            if not result.faces:
                return show("No face found. Try a picture with a larger or less covered face.", is_error=True)
            count = len(result.faces)
            return {
                status: status_html(_told(result.faces)),
                scene: scene_html(read, result.faces) if count > 1 else "",
                chosen: gr.Radio(
                    choices=[(f"Face {number}", number) for number in range(1, count + 1)], value=1, visible=count > 1
                ),
                face: face_html(result.faces[0], 1, count, site.model),
                csv: gr.DownloadButton(value=str(tables.csv), visible=True),
                jsonl: gr.DownloadButton(value=str(tables.jsonl), visible=True),
                faces: list(result.faces),
            }
        except PublicError as error:
            return show(str(error), is_error=True)

    def choose(faces: Sequence[FaceResult], number: int) -> str:
        if not 1 <= number <= len(faces):
            return status_html("This picture has been deleted. Upload it again.", is_error=True)
        return face_html(faces[number - 1], number, len(faces), site.model)

    gr.on(
        [picture.input, consistent.input, every.input],
        analyse,
        [picture, consistent, every],
        [status, scene, chosen, face, csv, jsonl, faces],
        preprocess=False,  # Input is checked here; Gradio would open it with any decoder.
        trigger_mode="always_last",
        show_progress_on=status,
        concurrency_limit=limits.pictures_at_once,
        concurrency_id=PICTURES,
        api_visibility="private",
    )
    chosen.input(
        choose,
        [faces, chosen],
        face,
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=limits.pictures_at_once,
        concurrency_id=PICTURES,
        api_visibility="private",
    )


def _told(faces: Sequence[FaceResult]) -> str:
    active = len(faces[0].active_aus)
    acting = f"{active} action unit{'' if active == 1 else 's'} active"
    if len(faces) == 1:
        return f"One face was found: {acting}."
    return f"{len(faces)} faces were found. Face 1: {acting}."
