"""The order of training frames in clips."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

from vlfau.data.manifest import Frame

__all__ = ["ClipShuffle"]


class ClipShuffle(Sampler[int]):
    """Shuffles windows of consecutive frames of a clip, which depends only on the seed.

    Every clip is cut into windows from a drawn start on; frames before the first window and after the last whole one
    are left out of this epoch.

    Args:
        frames: All frames; those of a clip in order.
        length: T, the frames of a window.
        seed: Seed of the order.
    """

    def __init__(self, frames: Sequence[Frame], length: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        clips: dict[tuple[str, str], list[int]] = {}
        for index, frame in enumerate(frames):
            if frame.clip:
                clips.setdefault((frame.subject_id, frame.clip), []).append(index)
        windows = []
        for clip in clips.values():
            room = len(clip) % length if len(clip) >= length else 0
            start = int(torch.randint(room + 1, (), generator=generator))
            windows += [clip[first : first + length] for first in range(start, len(clip) - length + 1, length)]
        self._windows = [windows[place] for place in torch.randperm(len(windows), generator=generator).tolist()]

    def __len__(self) -> int:
        """Return the number of frames in all windows."""
        return sum(map(len, self._windows))

    def __iter__(self) -> Iterator[int]:
        """Yield the index of every frame, window by window."""
        for window in self._windows:
            yield from window

    def first_frames(self) -> dict[int, int]:
        """Return for every frame the first one of its window."""
        return {index: window[0] for window in self._windows for index in window}
