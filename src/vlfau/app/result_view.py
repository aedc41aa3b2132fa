"""The part of a tab that shows the faces of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from vlfau.app.markup import face_html, scenes_html, status_html
from vlfau.app.pictures import PicturesAnswer, ShownFace
from vlfau.app.site import Site

__all__ = ["PICTURES", "REVEAL", "ResultView", "add_view"]

PICTURES: Final = "pictures"
"""Events that share the limit on simultaneous pictures."""
REVEAL: Final = "() => window.vlfauReveal()"
"""Scrolls an answer into view where it is below the screen; see page.js."""
_DOWNLOADS: Final = {
    ".jpg": "Annotated picture",
    ".zip": "Annotated pictures",
    ".csv": "CSV",
    ".jsonl": "JSON Lines",
    ".parquet": "Parquet",
}


@dataclass(frozen=True, slots=True)
class ResultView:
    """Where results are shown.

    Attributes:
        scenes: The pictures with boxes.
        status: A line.
        chosen: Which face is shown.
        face: Its bars and words.
        files: Buttons for downloads, by suffix.
        faces: All faces.
    """

    scenes: gr.HTML
    status: gr.HTML
    chosen: gr.Radio
    face: gr.HTML
    files: dict[str, gr.DownloadButton]
    faces: gr.State

    @property
    def outputs(self) -> list[Any]:
        """All components."""
        return [self.scenes, self.status, self.chosen, self.face, *self.files.values(), self.faces]

    def message(self, text: str, *, is_error: bool = False) -> dict[Any, Any]:
        """Return the update that shows a message and clears the results."""
        return {
            self.scenes: "",
            self.status: status_html(text, is_error=is_error),
            self.chosen: gr.Radio(choices=[], value=None, visible=False),
            self.face: "",
            **{button: gr.DownloadButton(visible=False) for button in self.files.values()},
            self.faces: [],
        }

    def answer(self, site: Site, found: PicturesAnswer) -> dict[Any, Any]:
        """Return the update that shows results."""
        faces = found.faces
        if not faces and len(found.answers) == 1 and not found.errors:
            return self.message("No face found. Try a picture with a larger or less covered face.", is_error=True)
        choices = [(shown.title, index) for index, shown in enumerate(faces, 1)]
        return {
            self.scenes: scenes_html(found.answers) if len(found.answers) > 1 or len(faces) > 1 else "",
            self.status: status_html(_told(found, len(faces)), is_error=bool(found.errors)),
            self.chosen: gr.Radio(choices=choices, value=1 if faces else None, visible=len(faces) > 1),
            self.face: face_html(faces[0], site.model) if faces else "",
            **{
                button: gr.DownloadButton(value=str(path) if path else None, visible=path is not None)
                for button, path in ((button, found.files.get(ending)) for ending, button in self.files.items())
            },
            self.faces: faces,
        }


def add_view(site: Site, hint: str, scenes: gr.HTML) -> ResultView:
    """Add the components of results, except the pictures, which stand on the other side."""
    status = gr.HTML(status_html(hint), apply_default_css=False, elem_classes="status-line")
    chosen = gr.Radio([], label="Which face?", visible=False, interactive=True, elem_classes="which-face")
    face = gr.HTML(apply_default_css=False)
    with gr.Row():
        files = {
            ending: gr.DownloadButton(name, visible=False, size="md", min_width=170)
            for ending, name in _DOWNLOADS.items()
        }
    faces = gr.State([], time_to_live=site.limits.kept_s)

    def choose(faces: Sequence[ShownFace], number: int) -> str:
        if not 1 <= number <= len(faces):
            return status_html("This picture has been deleted. Upload it again.", is_error=True)
        return face_html(faces[number - 1], site.model)

    chosen.input(
        choose,
        [faces, chosen],
        face,
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=site.limits.pictures_at_once,
        concurrency_id=PICTURES,
        api_visibility="private",
    ).then(None, None, None, js=REVEAL, api_visibility="private")
    return ResultView(scenes, status, chosen, face, files, faces)


def _told(found: PicturesAnswer, faces: int) -> str:
    """Return what was found, in a sentence or two."""
    count = {0: "No face was found", 1: "One face was found"}.get(faces, f"{faces} faces were found")
    if len(found.answers) == 1 and not found.errors:
        return f"{count}."
    pictures = f"{len(found.answers)} picture{'' if len(found.answers) == 1 else 's'}"
    return " ".join([f"{count} in {pictures}.", *found.errors])
