"""What is kept of one video besides the rows of the tables: its events, its summary, and what was asked for."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vlfau.cli.predict_options import KeepOptions
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

__all__ = ["VideoFiles", "check_extras"]


def check_extras(options: KeepOptions) -> None:
    """Make sure that what draws plots is installed, if any were asked for.

    Raises:
        MissingExtraError: It is not.
    """
    if options.report:
        import vlfau.drawing.report
    if options.timeline:
        import vlfau.drawing.timeline  # noqa: F401


class VideoFiles:
    """Takes the results of a video frame by frame and writes files about it at its end.

    It keeps the numbers of every frame, about 200 bytes a face. Whoever stops early leaves no file.

    Args:
        file: The video, as the user named it.
        model: The model that is used.
        claim: Gives the path of a file of this video by its ending, such as `.summary.txt`; None only gathers what
            the summary needs.
        options: Which files are wanted.
        note: A line for the foot of what is drawn.

    Attributes:
        tracks: The faces, after the end.
        summary: The video in plain words, after the end.
    """

    def __init__(
        self,
        file: str,
        model: BundleInfo,
        *,
        claim: Callable[[str], Path] | None,
        options: KeepOptions,
        note: str,
    ) -> None:
        self._file, self._model, self._claim = file, model, claim
        self._options, self._note = options, note
        self._builder = TrackBuilder(model.au_ids)
        self._opened = ExitStack()
        self._writer: VideoWriter | None = None
        self._report: ReportBuilder | None = None
        self.tracks: list[Track] = []
        self.summary = ""
        if claim is not None and options.report:
            from vlfau.drawing import report

            self._report = report.ReportBuilder(file, model)
            self._builder = self._report.tracks

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
        if self._claim is not None and self._options.annotate:
            if self._writer is None:
                path = self._claim(".vlfau.mp4")
                self._writer = self._opened.enter_context(VideoWriter(path, au_ids=self._model.au_ids, note=self._note))
            self._writer.write(frame, result)

    def _finish(self) -> None:
        builder = self._builder
        self.tracks = builder.build()
        events = find_all_events(self.tracks, self._model.thresholds)
        seen_s = (builder.end_s or 0.0) - (builder.start_s or 0.0)
        # The last frame is shown as long as the others.
        duration_s = seen_s * builder.frames / max(builder.frames - 1, 1)
        self.summary = summary(
            self.tracks,
            events,
            duration_s=duration_s,
            frames=builder.frames,
            descriptions=self._model.descriptions,
        )
        if self._claim is not None:
            self._write(self._claim, events)

    def _write(self, claim: Callable[[str], Path], events: list[Event]) -> None:
        write_events_csv(claim(".events.csv"), events)
        with replacing(claim(".summary.txt")) as temporary:
            temporary.write_text(self.summary, "utf-8")
        if self._report is not None:
            self._report.write(claim(".report.html"), tracks=self.tracks, events=events)
        if self._options.timeline and self.tracks:
            from vlfau.drawing.timeline import draw_timeline, write_timeline

            figure = draw_timeline(
                self.tracks, events, thresholds=self._model.thresholds, title=Path(self._file).name, note=self._note
            )
            write_timeline(claim(".timeline.png"), figure)
