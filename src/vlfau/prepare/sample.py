"""A small part of a raw data set that still has every person and, in every fold, every AU."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from vlfau.prepare.clips import Clip, LabelledFrame, Source

__all__ = ["sample_source"]


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
