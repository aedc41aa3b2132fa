"""Results as HTML. All text is escaped, because names come from visitors."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from jinja2 import Environment
from markupsafe import Markup
from numpy.typing import NDArray

from vlfau.app.pictures import PictureAnswer, ShownFace
from vlfau.app.predictions import VideoAnswer
from vlfau.drawing.heatmap import draw_heatmap
from vlfau.drawing.pages import data_url, jpeg_url, templates
from vlfau.drawing.pixels import shrunk
from vlfau.drawing.rulers import draw_ruled_crop, measured_lines, ruled
from vlfau.facs import action_unit
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import AUResult, FaceResult
from vlfau.inference.score_parts import score_parts
from vlfau.language import Descriptions
from vlfau.measures.measuring import NOT_MEASURED
from vlfau.video.summary import DOUBTS, event_lines, summary

__all__ = ["about_html", "face_html", "head_html", "live_html", "scenes_html", "status_html", "video_html"]

_SCENE_SIDE: Final = 900
_SCENES_SIDE: Final = 480
_HEAT_SIDE: Final = 280
_RULED_SIDE: Final = 480
_TABLE_ROWS: Final = 200
_THIRDS: Final = (("upper", "middle", "lower"), ("left", "middle", "right"))


def head_html(model: BundleInfo) -> str:
    """Return the head of the page, with the notices about the model."""
    return _render("head.html.j2", model=model)


def status_html(text: str, *, is_error: bool = False) -> str:
    """Return a status line."""
    return _render("status.html.j2", text=text, is_error=is_error)


def about_html(model: BundleInfo, privacy: str) -> str:
    """Return what visitors should know: action units, the model, and ethics.

    Args:
        model: Metadata of the model.
        privacy: What happens to visitors' files.
    """
    units = [action_unit(au_id) for au_id in model.au_ids]
    return _render("about.html.j2", model=model, units=units, privacy=privacy)


def scenes_html(answers: Sequence[PictureAnswer]) -> str:
    """Return pictures with their faces in numbered boxes, which can be clicked."""
    scenes, index = [], 0
    side = _SCENE_SIDE if len(answers) == 1 else _SCENES_SIDE
    for answer in answers:
        height, width = (length * answer.picture.reduction for length in answer.picture.pixels.shape[:2])
        boxes = []
        for left, top, right, bottom in (face.face_box_xyxy for face in answer.result.faces):
            index += 1
            boxes.append(
                {
                    "index": index,
                    "left": 100 * left / width,
                    "top": 100 * top / height,
                    "width": 100 * (right - left) / width,
                    "height": 100 * (bottom - top) / height,
                }
            )
        picture = jpeg_url(shrunk(answer.picture.pixels, side)[0])
        scenes.append({"name": answer.name if len(answers) > 1 else "Your picture", "picture": picture, "boxes": boxes})
    return _render("scene.html.j2", scenes=scenes)


def face_html(shown: ShownFace, model: BundleInfo) -> str:
    """Return the bars of a face, which can be opened for details, and its captions beside them."""
    face = shown.face
    aus = [
        {
            "result": au,
            "unit": action_unit(au.au_id),
            "threshold": threshold,
            **_heat(face, au, model),
            **_measured(face, au),
        }
        for au, threshold in zip(face.aus, model.thresholds, strict=True)
    ]
    words = [au for au in face.active_aus if au.local_caption]
    return _render(
        "face.html.j2",
        face=face,
        picture=shown.picture,
        number=shown.number,
        count=shown.count,
        crop=jpeg_url(face.crop),
        aus=aus,
        words=words,
        not_measured=NOT_MEASURED.capitalize() if face.measured is not None and not face.measurements else "",
    )


def _heat(face: FaceResult, au: AUResult, model: BundleInfo) -> dict[str, Any]:
    """Return an AU's heat map, where it is hottest, its range and its part in the score; no map without attention."""
    if au.attention_map is None:
        return {"heat": None}
    parts = score_parts(model, au.au_id)
    return {
        "heat": jpeg_url(draw_heatmap(face, au.au_id, size=_HEAT_SIDE)),
        "hottest": _hottest(au.attention_map),
        "low": float(au.attention_map.min()),
        "high": float(au.attention_map.max()),
        "map_note": "" if parts is None else parts.map_note,
    }


def _measured(face: FaceResult, au: AUResult) -> dict[str, Any]:
    """Return what was measured of an AU, and for an active one the face with the rulers."""
    rulers = any(ruled(face, au_id=au.au_id))
    return {
        "ruled": jpeg_url(draw_ruled_crop(face, au.au_id, _RULED_SIDE)) if rulers else None,
        "measured": measured_lines(face, au.au_id),
    }


def live_html(faces: Sequence[FaceResult], model: BundleInfo) -> str:
    """Return the bars of the faces in a camera's frame."""
    rows = [list(zip(face.aus, model.thresholds, strict=True)) for face in faces]
    return _render("live.html.j2", faces=rows)


def video_html(video: VideoAnswer, descriptions: Descriptions | None = None) -> str:
    """Return a video's summary, timeline and events, worded as in `descriptions` (None means the package's own)."""
    ranked = sorted(video.events, key=lambda event: -event.peak_prob)[:_TABLE_ROWS]
    return _render(
        "video.html.j2",
        video=video,
        face_lines=summary(video.tracks, [], duration_s=video.duration_s, frames=video.frames).splitlines()[1:],
        event_lines=event_lines(video.events, descriptions=descriptions),
        events=sorted(ranked, key=lambda event: (event.onset_s, event.face_id, event.au_id)),
        left_out=len(video.events) - len(ranked),
        doubts=DOUBTS if any(event.doubtful for event in video.events) else "",
        timeline=_svg(video.files.get(".timeline.svg")),
        dark_timeline=_svg(video.files.get(".timeline-dark.svg")),
        with_intensity=any(event.peak_intensity is not None for event in ranked),
    )


@cache
def _environment() -> Environment:
    return templates("vlfau.app", "templates")


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values)


def _hottest(attention: NDArray[np.float32]) -> str:
    """Return the location of a map's maximum in words, such as "lower left"."""
    place = np.unravel_index(attention.argmax(), attention.shape)
    row, column = (
        names[int(3 * (index + 0.5) / length)]
        for names, index, length in zip(_THIRDS, place, attention.shape, strict=True)
    )
    return row if row == column else f"{row} {column}"


def _svg(path: Path | None) -> Markup | None:
    return None if path is None else data_url("image/svg+xml", path.read_bytes())
