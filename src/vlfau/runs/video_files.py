"""The files about one video besides the rows of the tables: its events, its summary, and what is drawn of it."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from vlfau.drawing.annotate import VideoWriter
from vlfau.files.atomic import replacing
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import PictureResult
from vlfau.media.frames import VideoFrame
from vlfau.video.events import Event, find_all_events, write_events_csv
from vlfau.video.summary import summary
from vlfau.video.tracks import Track, TrackBuilder

if TYPE_CHECKING:
    from vlfau.drawing.report import ReportBuilder

__all__ = ["VideoFiles"]

_TIMELINES: Final = {".timeline.png": False, ".timeline.svg": False, ".timeline-dark.svg": True}
"""Whether each is drawn light on dark."""


class VideoFiles:
    """Takes the results of a video frame by frame and writes files about it at its end.

    It keeps the numbers of every frame, about 200 bytes a face. Whoever stops early leaves no file.

    Args:
        file: The video, as the user named it.
        model: The model that is used.
        path_of: Gives the path of a file of this video by its ending, such as `.summary.txt`; None only gathers what
            the summary needs.
        wanted: The endings of the files to write: .vlfau.mp4, .events.csv, .summary.txt, .report.html, .timeline.png,
            .timeline.svg and .timeline-dark.svg. Without a face there is no timeline.

    Attributes:
        tracks: The faces, after the end.
        events: What they did, after the end.
        summary: The video in plain words, after the end.
        paths: Every file that was written, by its ending.
    """

    def __init__(
        self, file: str, model: BundleInfo, *, path_of: Callable[[str], Path] | None, wanted: Collection[str]
    ) -> None:
        self._file, self._model, self._path_of = file, model, path_of
        self._wanted = wanted if path_of is not None else ()
        self._builder = TrackBuilder(model.au_ids)
        self._opened = ExitStack()
        self._writer: VideoWriter | None = None
        self._report: ReportBuilder | None = None
        self.tracks: list[Track] = []
        self.events: list[Event] = []
        self.summary = ""
        self.paths: dict[str, Path] = {}
        if ".report.html" in self._wanted:
            from vlfau.drawing import report

            self._report = report.ReportBuilder(file, model)
            self._builder = self._report.tracks

    @property
    def frames(self) -> int:
        """How many frames were added."""
        return self._builder.frames

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write the files, or none after an error."""
        self._opened.__exit__(kind, error, traceback)
        if kind is None and self._builder.frames:
            self._finish()

    def add(self, frame: VideoFrame, result: PictureResult) -> None:
        """Take the next frame.

        Raises:
            InputError: A file cannot be written.
        """
        if self._report is None:
            self._builder.add(result)
        else:
            self._report.add(frame, result)
        if ".vlfau.mp4" in self._wanted:
            if self._writer is None:
                made = VideoWriter(self._path(".vlfau.mp4"), au_ids=self._model.au_ids, note=self._model.warning)
                self._writer = self._opened.enter_context(made)
            self._writer.write(frame, result)

    def _finish(self) -> None:
        builder = self._builder
        self.tracks = builder.build()
        self.events = find_all_events(self.tracks, self._model.thresholds)
        seen_s = (builder.end_s or 0.0) - (builder.start_s or 0.0)
        # The last frame is shown as long as the others.
        duration_s = seen_s * builder.frames / max(builder.frames - 1, 1)
        self.summary = summary(
            self.tracks,
            self.events,
            duration_s=duration_s,
            frames=builder.frames,
            descriptions=self._model.descriptions,
        )
        if ".events.csv" in self._wanted:
            write_events_csv(self._path(".events.csv"), self.events)
        if ".summary.txt" in self._wanted:
            with replacing(self._path(".summary.txt")) as temporary:
                temporary.write_text(self.summary, "utf-8")
        if self._report is not None:
            self._report.write(self._path(".report.html"), tracks=self.tracks, events=self.events)
        if self.tracks:
            for ending, is_dark in _TIMELINES.items():
                if ending in self._wanted:
                    self._draw_timeline(self._path(ending), dark=is_dark)

    def _draw_timeline(self, path: Path, *, dark: bool) -> None:
        from vlfau.drawing.timeline import draw_timeline, write_timeline

        figure = draw_timeline(
            self.tracks,
            self.events,
            thresholds=self._model.thresholds,
            title=Path(self._file).name,
            note=self._model.warning,
            dark=dark,
        )
        write_timeline(path, figure)

    def _path(self, ending: str) -> Path:
        assert self._path_of is not None
        path = self.paths[ending] = self._path_of(ending)
        return path
