"""Turns a raw data set into aligned faces, manifest.csv, skipped.csv and report.md."""

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
"""Increased when the same pictures give different faces."""


def prepare(
    source: Source,
    folder: Path,
    *,
    size: int = 256,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Align the faces of a raw data set, or resume an interrupted run.

    Existing faces are kept, and skipped frames are tried again, so an interrupted and resumed run ends with the same
    files as an uninterrupted one. Labels are always taken from the source.

    Args:
        source: The data set, as returned by a reader.
        folder: The folder to write to.
        size: Side length of the aligned faces in pixels.
        workers: Number of processes; the result is the same for any number.
        progress: Called with the number of frames that are done and the number of all frames.

    Returns:
        The report, as Markdown.

    Raises:
        ConfigError: The size or the number of workers is out of range.
        InputError: The source has no picture, no face, or too short a video; or the folder contains other files, or a
            data set of other settings, or cannot be written.
    """
    if workers < 1 or not 32 <= size <= 2048:
        raise ConfigError(f"workers must be 1 or more and size 32 to 2048, not {workers} and {size}")
    total = sum(clip.has_picture(frame) for clip, frame in source.frames())
    if not total:
        raise InputError(
            f"none of the {sum(1 for _ in source.frames()):,} labelled frames has a picture; check that labels and "
            "pictures belong to the same data set, and that the pictures are in the right folder"
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
        raise NoFaceError(f"no face was found in any of the {total:,} pictures; check the pictures")
    write_skipped(folder / "skipped.csv", source.protocol.au_ids, skipped)
    write_manifest(folder / "manifest.csv", source.protocol, kept)
    if source.protocol.num_assigned_folds:
        write_folds(folder / "folds.toml", source.protocol)
    text = report(source, Counts.of(source.protocol, kept), skipped)
    with replacing(folder / "report.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def _align(
    source: Source, folder: Path, size: int, workers: int, progress: Callable[[int, int], None]
) -> list[Skipped]:
    """Align the missing faces, and return the skipped frames."""
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
    """Return a source with about this share of the frames of every clip, and at least one.

    Pictures are evenly spaced over a clip. From a video, which is read from its start, the first frames are taken.
    If a fold would lose an AU that is active in it, the first frame that shows it is added.
    """
    wanted = {index: set(_sample_numbers(clip, share)) for index, clip in enumerate(source.clips)}
    covered: set[tuple[int, int]] = set()
    for index, clip in enumerate(source.clips):
        for frame in clip.frames:
            if frame.number in wanted[index]:
                covered |= _active_aus(clip, frame)
    for index, clip in enumerate(source.clips):
        for frame in clip.frames:
            if clip.has_picture(frame) and not _active_aus(clip, frame) <= covered:
                wanted[index].add(frame.number)
                covered |= _active_aus(clip, frame)
    clips = (
        replace(clip, frames=tuple(frame for frame in clip.frames if frame.number in wanted[index]))
        for index, clip in enumerate(source.clips)
    )
    return replace(source, clips=tuple(clip for clip in clips if clip.frames))


def _sample_numbers(clip: Clip, share: float) -> Iterator[int]:
    """Yield the numbers of the sampled frames of a clip."""
    with_picture = [frame.number for frame in clip.frames if clip.has_picture(frame)]
    if not with_picture:
        return
    count = max(1, round(share * len(with_picture)))
    spaced = np.linspace(0, len(with_picture) - 1, count).round().astype(int)
    indices = range(count) if clip.video is not None else spaced
    yield from (with_picture[index] for index in indices)


def _active_aus(clip: Clip, frame: LabelledFrame) -> set[tuple[int, int]]:
    """Return the indices of the active AUs of a frame, each with the clip's fold."""
    return {(clip.fold, index) for index, value in enumerate(frame.occurrence) if value == 1}
