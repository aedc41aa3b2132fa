"""Results as files that a visitor takes home."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from vlfau.app.judging import JudgedVideo
from vlfau.app.uploads import Upload
from vlfau.drawing.timeline import draw_timeline, write_timeline
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import PictureResult
from vlfau.tables.text_writers import side_file
from vlfau.tables.write import open_sink
from vlfau.video.events import write_events_csv

__all__ = ["Tables", "VideoFiles", "write_tables", "write_video_files"]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a picture or video; `take` fills them, a result at a time."""

    csv: Path
    jsonl: Path
    take: Callable[[PictureResult], None]


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """What is told of a whole video; timelines are None where no face was seen."""

    events: Path
    report: Path
    timeline: Path | None
    dark_timeline: Path | None


@contextmanager
def write_tables(upload: Upload, folder: Path, model: BundleInfo) -> Iterator[Tables]:
    """Open tables in a new folder; the files are whole when the block ends well."""
    own = Path(tempfile.mkdtemp(dir=folder))
    csv, jsonl = own / f"{upload.stem}.csv", own / f"{upload.stem}.jsonl"
    with ExitStack() as stack:
        sinks = [stack.enter_context(open_sink(path, model=model)) for path in (csv, jsonl)]

        def take(result: PictureResult) -> None:
            for sink in sinks:
                sink.write(result)

        yield Tables(csv, jsonl, take)
    # JSON Lines says the same of the columns, and one file less is downloaded.
    side_file(csv).unlink()


def write_video_files(video: JudgedVideo, tables: Tables, model: BundleInfo, *, note: str) -> VideoFiles:
    """Write what is told of a whole video beside its tables.

    Args:
        video: What was found.
        tables: Of the same video.
        model: The model that found it.
        note: A line for the foot of the timeline.
    """
    folder, stem = tables.csv.parent, tables.csv.stem
    events, report = folder / f"{stem}-events.csv", folder / f"{stem}-report.html"
    write_events_csv(events, video.events)
    video.report.write(report, tracks=video.tracks, events=video.events)
    timelines: list[Path | None] = [None, None]
    if video.tracks:
        for place, name in enumerate(("timeline", "timeline-dark")):
            timelines[place] = path = folder / f"{stem}-{name}.svg"
            figure = draw_timeline(
                video.tracks, video.events, thresholds=model.thresholds, title=video.name, note=note, dark=bool(place)
            )
            write_timeline(path, figure)
    return VideoFiles(events, report, *timelines)
