"""The report of a video: one HTML page that needs no other file and no network."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from vlfau.drawing.curves import longest_seen
from vlfau.drawing.heatmap import draw_heatmap
from vlfau.drawing.keyframes import KeyFrame, KeyFrames, event_strength
from vlfau.drawing.pixels import draw_box
from vlfau.drawing.rulers import draw_ruled_crop, measured_lines
from vlfau.drawing.svg_timeline import FacePlot, face_plot, ticks
from vlfau.errors import MissingExtraError
from vlfau.files.atomic import replacing
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import AUResult, PictureResult
from vlfau.inference.score_parts import score_parts
from vlfau.media.frames import VideoFrame
from vlfau.video.events import Event, find_all_events
from vlfau.video.summary import DOUBTS, event_lines, summary
from vlfau.video.tracks import Track, TrackBuilder

try:
    from markupsafe import Markup

    from vlfau.drawing.pages import jpeg_url, stylesheet, templates
except ModuleNotFoundError as _error:
    raise MissingExtraError(_error.name or "jinja2", "plots") from None

__all__ = ["ReportBuilder"]

_KEY_FRAMES: Final = 8
_PLOTTED_FACES: Final = 6
_TABLE_ROWS: Final = 500
_FEW_LINES: Final = 12
_FACE_SIDE: Final = 240
_MEASUREMENTS: Final = 3


@dataclass(frozen=True, eq=False)
class _Moment:
    """A key frame, ready for the page."""

    event: Event
    frame: KeyFrame
    model: BundleInfo
    has_measurements: bool = False

    @property
    def measurements(self) -> list[str]:
        """What was measured of the AU, if wanted; nothing of a doubtful one."""
        if not self.has_measurements:
            return []
        return measured_lines(self.frame.face, self.event.au_id, most=_MEASUREMENTS)

    @property
    def face(self) -> Markup:
        """The aligned face, with rulers if measurements are wanted."""
        if self.has_measurements:
            return jpeg_url(draw_ruled_crop(self.frame.face, self.event.au_id, 2 * _FACE_SIDE))
        size = (_FACE_SIDE, _FACE_SIDE)
        return jpeg_url(np.asarray(cv2.resize(self.frame.face.crop, size, interpolation=cv2.INTER_CUBIC), np.uint8))

    @property
    def heat(self) -> Markup | None:
        """The face with the heat map of the AU; None from a model without attention maps."""
        if all(au.attention_map is None for au in self.frame.face.aus):
            return None
        return jpeg_url(draw_heatmap(self.frame.face, self.frame.au_id, size=_FACE_SIDE))

    @property
    def map_note(self) -> str:
        """How much of the AU's score the heat map can show; empty if the model does not record it."""
        parts = score_parts(self.model, self.frame.au_id)
        return "" if parts is None else parts.map_note

    @property
    def scene(self) -> Markup:
        """The whole frame, reduced, with a box around the face."""
        scene, scale = self.frame.thumbnail.copy(), self.frame.thumbnail_scale
        left, top, right, bottom = (value * scale for value in self.frame.face.face_box_xyxy)
        draw_box(scene, (left, top, right, bottom), self.event.face_id)
        return jpeg_url(scene)

    @property
    def caption(self) -> str | None:
        """The caption of the AU."""
        return next(au.local_caption for au in self.frame.face.aus if au.au_id == self.event.au_id)

    @property
    def bars(self) -> list[tuple[AUResult, float]]:
        """The AUs of the face, with the probability from which each counts as active."""
        thresholds = dict(zip(self.model.au_ids, self.model.thresholds, strict=True))
        return [(au, thresholds[au.au_id]) for au in self.frame.face.aus]


class ReportBuilder:
    """Collects the results of a video frame by frame and writes a page about it.

    It keeps the numbers of every frame (about 10 bytes per AU and face) and a bounded number of small pictures.

    Args:
        file: The video, as the user named it.
        model: The model that gave the results.
        duration_s: Length of the video in seconds; None takes the span of the frames.
        measurements: Whether to list the measurements of the strongest moments.

    Attributes:
        tracks: The numbers of the added frames.
    """

    def __init__(
        self, file: str | Path, model: BundleInfo, *, duration_s: float | None = None, measurements: bool = False
    ) -> None:
        self.file, self.model, self.duration_s = printable(file), model, duration_s
        self._measurements = measurements
        self.tracks = TrackBuilder(model.au_ids)
        self._key_frames = KeyFrames()

    def add(self, frame: VideoFrame, result: PictureResult) -> None:
        """Take the next frame.

        Args:
            frame: Its pixels.
            result: Its faces, with crops and attention maps.

        Raises:
            InputError: The result is out of order, has no time, or lacks an AU of the model.
        """
        self.tracks.add(result)
        self._key_frames.add(frame.pixels, result)

    def write(
        self, path: Path, *, tracks: Sequence[Track] | None = None, events: Sequence[Event] | None = None
    ) -> None:
        """Write the page, whole or not at all.

        Args:
            path: The file, HTML.
            tracks: The faces, if they were changed, for instance corrected by a neutral face; None takes those added.
            events: Their events, if they were found in another way; None finds them with the model's thresholds.

        Raises:
            InputError: The file cannot be written.
        """
        page = self.render(tracks=tracks, events=events)
        with replacing(path) as temporary:
            temporary.write_text(page, "utf-8")

    def render(self, *, tracks: Sequence[Track] | None = None, events: Sequence[Event] | None = None) -> str:
        """Return the page that `write` writes."""
        if tracks is None:
            tracks = self.tracks.build()
        if events is None:
            events = find_all_events(tracks, self.model.thresholds)
        start_s = self.tracks.start_s or 0.0
        end_s = max([self.tracks.end_s or 0.0, *(float(track.time_s[-1] + track.frame_s[-1]) for track in tracks)])
        span_s = (start_s, max(end_s, start_s + 0.1))
        duration_s = self.duration_s if self.duration_s is not None else end_s - start_s
        shown, left_out = longest_seen(tracks, _PLOTTED_FACES)
        plots: list[FacePlot] = [face_plot(track, events, self.model, span_s) for track in shown]
        script = _template_text("report.js")
        return (
            templates("vlfau.drawing", "templates")
            .get_template("report.html.j2")
            .render(
                file=self.file,
                model=self.model,
                duration_s=duration_s,
                frames=self.tracks.frames,
                tracks=tracks,
                face_lines=summary(tracks, [], duration_s=duration_s, frames=self.tracks.frames).splitlines()[1:],
                event_lines=event_lines(events, descriptions=self.model.descriptions),
                doubts=DOUBTS if any(event.doubtful for event in events) else "",
                few_lines=_FEW_LINES,
                plots=plots,
                faces_left_out=left_out,
                ticks=ticks(span_s),
                span_s=span_s,
                moments=[
                    _Moment(event, frame, self.model, self._measurements)
                    for event, frame in self._key_frames.choose(events, _KEY_FRAMES)
                ],
                events=_strongest(events, _TABLE_ROWS),
                events_left_out=max(0, len(events) - _TABLE_ROWS),
                with_intensity=any(event.peak_intensity is not None for event in events),
                style=stylesheet() + Markup(_template_text("report.css")),
                script=Markup(script),
                script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
            )
        )


def _strongest(events: Sequence[Event], count: int) -> list[Event]:
    """Return the strongest events, in order of onset."""
    ranked = sorted(events, key=event_strength, reverse=True)
    return sorted(ranked[:count], key=lambda event: (event.onset_s, event.face_id, event.au_id))


def _template_text(name: str) -> str:
    return resources.files("vlfau.drawing").joinpath("templates", name).read_text("utf-8")
