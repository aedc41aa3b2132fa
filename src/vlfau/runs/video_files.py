"""The files about one video besides its table rows: events, summary, report and timeline."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from vlfau.files.atomic import replacing
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import PictureResult
from vlfau.media.frames import VideoFrame
from vlfau.video.events import Event, find_all_events, write_events_csv
from vlfau.video.summary import summary
from vlfau.video.tracks import Track, TrackBuilder

if TYPE_CHECKING:
    from vlfau.drawing.annotate import VideoWriter
    from vlfau.drawing.report import ReportBuilder

__all__ = ["VideoFiles"]

_TIMELINES: Final = {".timeline.png": False, ".timeline.svg": False, ".timeline-dark.svg": True}
"""Whether each is drawn light on dark."""


class VideoFiles:
    """Collects the results of a video frame by frame, and writes files about it at its end.

    Keeps the scores of every frame, about 250 bytes per face. Stopping early leaves no files.

    Args:
        file: The video, as given by the user.
        model: Metadata of the model.
        path_of: Maps a suffix, such as `.summary.txt`, to a path; None only collects what the summary needs.
        start_s: When an annotated video starts, on the clock of the file; None takes the time of its first frame.
        wanted: Suffixes of the files to write: .vlfau.mp4, .events.csv, .summary.txt, .report.html, .timeline.png,
            .eaf, .timeline.svg and .timeline-dark.svg. Without a face there is no timeline.
        measurements: Whether the report lists measurements.

    Attributes:
        tracks: The face tracks, available at the end.
        events: The AU events, available at the end.
        summary: The written summary, available at the end.
        paths: The written files, by suffix.
    """

    def __init__(
        self,
        file: str,
        model: BundleInfo,
        *,
        path_of: Callable[[str], Path] | None,
        wanted: Collection[str],
        measurements: bool = False,
        start_s: float | None = None,
    ) -> None:
        self._file, self._model, self._path_of, self._start_s = file, model, path_of, start_s
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

            self._report = report.ReportBuilder(file, model, measurements=measurements)
            self._builder = self._report.tracks

    @property
    def frames(self) -> int:
        """Number of frames added."""
        return self._builder.frames

    def __enter__(self) -> Self:
        """Start."""
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
                from vlfau.drawing.annotate import VideoWriter

                made = VideoWriter(
                    self._path(".vlfau.mp4"), au_ids=self._model.au_ids, note=self._model.warning, start_s=self._start_s
                )
                self._writer = self._opened.enter_context(made)
            self._writer.write(frame, result)

    def _finish(self) -> None:
        builder = self._builder
        self.tracks = builder.build()
        self.events = find_all_events(self.tracks, self._model.thresholds)
        seen_s = (builder.end_s or 0.0) - (builder.start_s or 0.0)
        # The last frame counts for as long as the others.
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
        if ".eaf" in self._wanted:
            from vlfau.video.elan import write_elan  # its XML takes time to import

            write_elan(
                self._path(".eaf"),
                self.events,
                video=Path(self._file),
                au_ids=self._model.au_ids,
                face_ids=[track.face_id for track in self.tracks],
            )
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
