"""From a raw data set to aligned faces, manifest.csv, skipped.csv and report.md."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from vlfau.errors import ConfigError, InputError, NoFaceError
from vlfau.files.atomic import remove_leftovers, replacing
from vlfau.files.same_settings import start_or_resume_folder
from vlfau.prepare.align import align_clips, unfinished
from vlfau.prepare.clips import NO_PICTURE, Clip, LabelledFrame, Skipped, Source
from vlfau.prepare.manifest_files import write_folds, write_manifest, write_skipped
from vlfau.prepare.report import Counts, report

__all__ = ["prepare", "sample_source"]

ALIGNMENT_VERSION: Final = 1
"""Goes up when the same pictures give other faces."""


def prepare(
    source: Source,
    folder: Path,
    *,
    size: int = 256,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Align the faces of a raw data set, or finish what was begun.

    Faces that are there already are kept, and frames that were left out are tried again, so a run that was stopped
    ends as an undisturbed one. Labels are always taken from the source.

    Args:
        source: What a reader found.
        folder: Where to put it.
        size: Side of the aligned faces in pixels.
        workers: How many processes work; the result is the same for any number.
        progress: Called with the number of frames that are done and of all.

    Returns:
        The report, as Markdown.

    Raises:
        ConfigError: The size or the number of workers is impossible.
        InputError: The source has no picture, no face, or too short a video; or the folder contains other files, or a
            data set of other settings, or cannot be written.
    """
    if workers < 1 or not 32 <= size <= 2048:
        raise ConfigError(f"workers must be 1 or more and size 32 to 2048, not {workers} and {size}")
    total = sum(clip.has_picture(frame) for clip, frame in source.frames())
    if not total:
        raise InputError(
            f"none of the {sum(1 for _ in source.frames()):,} labelled frames has a picture; check that labels and "
            "pictures are of the same data set, and where the pictures lie"
        )
    settings = {"data set": source.protocol.name, "size": size, "alignment": ALIGNMENT_VERSION}
    start_or_resume_folder(folder, settings)
    remove_leftovers(folder, below=True)
    skipped = _align(source, folder, size, workers, progress or (lambda done, total: None))
    left_out = {(entry.subject_id, entry.task, entry.number) for entry in skipped}
    kept = [
        (clip, frame) for clip, frame in source.frames() if (clip.subject_id, clip.task, frame.number) not in left_out
    ]
    if not kept:
        raise NoFaceError(f"none of the {total:,} pictures shows a face that could be found; check the pictures")
    write_skipped(folder / "skipped.csv", source.protocol.au_ids, skipped)
    write_manifest(folder / "manifest.csv", source.protocol, kept)
    if source.protocol.num_dealt:
        write_folds(folder / "folds.toml", source.protocol)
    text = report(source, Counts.of(source.protocol, kept), skipped)
    with replacing(folder / "report.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def _align(
    source: Source, folder: Path, size: int, workers: int, progress: Callable[[int, int], None]
) -> list[Skipped]:
    """Align what is missing, and return the frames that are left out."""
    total = sum(clip.has_picture(frame) for clip, frame in source.frames())
    missing = [(clip, len(unfinished(clip, folder))) for clip in source.clips]
    done = total - sum(count for _, count in missing)
    progress(done, total)
    todo = [clip for clip, count in missing if count]
    skipped = [*source.skipped, *(entry for clip in source.clips for entry in _without_picture(clip))]
    for failed in align_clips(
        todo, folder, size=size, workers=workers, progress=lambda tried: progress(done + tried, total)
    ):
        skipped += failed
    return sorted(skipped, key=lambda entry: (entry.subject_id, entry.task, entry.number))


def _without_picture(clip: Clip) -> list[Skipped]:
    return [Skipped.of(clip, frame, NO_PICTURE) for frame in clip.frames if not clip.has_picture(frame)]


def sample_source(source: Source, share: float) -> Source:
    """Return a source with about this share of the frames of every clip, one at least.

    Pictures are spread over a clip evenly; of a video, which is read from its beginning, the first frames are taken.
    Where a fold would lose an AU that is active in it, the first frame that shows it is added.
    """
    wanted = {index: set(_spread(clip, share)) for index, clip in enumerate(source.clips)}
    shown: set[tuple[int, int]] = set()
    for index, clip in enumerate(source.clips):
        for frame in clip.frames:
            if frame.number in wanted[index]:
                shown |= _shown(clip, frame)
    for index, clip in enumerate(source.clips):
        for frame in clip.frames:
            if clip.has_picture(frame) and not _shown(clip, frame) <= shown:
                wanted[index].add(frame.number)
                shown |= _shown(clip, frame)
    clips = (
        replace(clip, frames=tuple(frame for frame in clip.frames if frame.number in wanted[index]))
        for index, clip in enumerate(source.clips)
    )
    return replace(source, clips=tuple(clip for clip in clips if clip.frames))


def _spread(clip: Clip, share: float) -> Iterator[int]:
    """Yield the numbers of frames that have a picture."""
    there = [frame.number for frame in clip.frames if clip.has_picture(frame)]
    if not there:
        return
    count = max(1, round(share * len(there)))
    places = range(count) if clip.video is not None else np.linspace(0, len(there) - 1, count).round().astype(int)
    yield from (there[place] for place in places)


def _shown(clip: Clip, frame: LabelledFrame) -> set[tuple[int, int]]:
    """Return the places of the active AUs of a frame, each with the clip's fold."""
    return {(clip.fold, place) for place, value in enumerate(frame.occurrence) if value == 1}
