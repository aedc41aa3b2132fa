"""The tabs for one picture and for several."""

import shutil
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import gradio as gr

from vlfau.app.pictures import answer_pictures
from vlfau.app.result_view import PICTURES, REVEAL, ResultView, add_view
from vlfau.app.site import Site
from vlfau.app.uploads import PublicError, for_visitors

__all__ = ["add_picture_tab", "add_pictures_tab"]

_EXAMPLE: Final = "astronaut.jpg"


@dataclass(frozen=True, slots=True)
class _Options:
    """What a visitor chooses."""

    consistent: gr.Checkbox
    every: gr.Checkbox


def add_picture_tab(site: Site) -> None:
    """Add the components and events of the tab for one picture."""
    limits = site.limits
    hint = f"Upload, paste or take a picture, up to {limits.max_upload_mb:g} MB. {site.privacy}"
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            picture = gr.Image(
                label="Picture",
                sources=["upload", "webcam", "clipboard"],
                type="filepath",
                image_mode=None,
                height=340,
                buttons=[],
                webcam_options=gr.WebcamOptions(mirror=False),  # Left and right are the subject's own.
                alt_text="Your picture",
            )
            example = gr.Button("Try an example picture", size="sm")
            options = _add_options()
            scenes = gr.HTML(apply_default_css=False)
        with gr.Column(scale=2, min_width=300):
            view = add_view(site, hint, scenes)

    def give_example() -> str:
        with site.disk.new_folder(site.limits.max_upload_bytes) as folder:
            path = folder / _EXAMPLE
            with resources.as_file(resources.files("vlfau.app").joinpath(_EXAMPLE)) as packaged:
                shutil.copyfile(packaged, path)
        return str(path)

    shared: dict[str, Any] = {
        "concurrency_limit": limits.pictures_at_once,
        "concurrency_id": PICTURES,
        "api_visibility": "private",
    }
    analyse = _analysis(site, view, hint)
    given = example.click(give_example, None, picture, show_progress="hidden", **shared)
    for event in (
        gr.on(
            [picture.input, options.consistent.input, options.every.input],
            **_job(analyse, picture, options, view, shared),
        ),
        given.then(**_job(analyse, picture, options, view, shared)),
    ):
        event.then(None, None, None, js=REVEAL, api_visibility="private")


def add_pictures_tab(site: Site) -> None:
    """Add the components and events of the tab for several pictures."""
    limits = site.limits
    hint = (
        f"Choose or drop up to {limits.pictures_per_request} pictures, each up to {limits.max_upload_mb:g} MB. "
        f"{site.privacy}"
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            files = gr.File(label="Pictures", file_count="multiple", file_types=["image"], height=220)
            options = _add_options()
            go = gr.Button("Look at the pictures", variant="primary")
            scenes = gr.HTML(apply_default_css=False)
        with gr.Column(scale=2, min_width=300):
            view = add_view(site, hint, scenes)
    shared: dict[str, Any] = {
        "concurrency_limit": limits.pictures_at_once,
        "concurrency_id": PICTURES,
        "api_visibility": "private",
    }
    event = go.click(**_job(_analysis(site, view, hint), files, options, view, shared))
    event.then(None, None, None, js=REVEAL, api_visibility="private")
    files.clear(lambda: view.message(hint), None, view.outputs, show_progress="hidden", api_visibility="private")


def _add_options() -> _Options:
    return _Options(
        gr.Checkbox(True, label="Captions must agree with the bars"),
        gr.Checkbox(False, label="Captions for inactive action units too (slower)"),
    )


def _analysis(site: Site, view: ResultView, hint: str) -> Any:
    """Return the function that answers a request of a tab."""

    def analyse(payload: Any, consistent: bool, every: bool, progress: gr.Progress = gr.Progress()) -> dict[Any, Any]:  # noqa: B008 - Gradio looks for it there
        payloads = payload if isinstance(payload, list) else [payload] if payload is not None else []
        if not payloads:
            return view.message(hint)
        try:
            with for_visitors():
                if len(payloads) > site.limits.pictures_per_request:
                    raise PublicError(f"Give at most {site.limits.pictures_per_request} pictures at once.")
            found = answer_pictures(
                site,
                payloads,
                consistent=bool(consistent),
                describe="every" if every else "active",
                progress=progress,
            )
        except PublicError as error:
            return view.message(str(error), is_error=True)
        return view.answer(site, found)

    return analyse


def _job(analyse: Any, given: Any, options: _Options, view: ResultView, shared: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an event that analyses what was given."""
    return {
        "fn": analyse,
        "inputs": [given, options.consistent, options.every],
        "outputs": view.outputs,
        "preprocess": False,  # Input is checked here; Gradio would open it with any decoder.
        "trigger_mode": "always_last",
        "show_progress_on": view.status,
        **shared,
    }
