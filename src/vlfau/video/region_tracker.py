"""Follows faces in each part of the picture by itself."""

from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import Face, FaceFinder
from vlfau.video.regions import Region, Regions
from vlfau.video.tracker import FaceTracker, TrackedFace

__all__ = ["RegionTracker"]


class RegionTracker:
    """Follows the faces of every region by a tracker of its own; numbers are unique among all.

    Args:
        finder: Finds faces; its `max_faces` applies to each region.
        regions: Where faces are followed.
    """

    def __init__(self, finder: FaceFinder, regions: Regions) -> None:
        self._finder, self._regions = finder, regions
        self._ids = count(1)
        self._size: tuple[int, int] | None = None
        self._trackers: list[tuple[Region, FaceTracker]] = []

    def follow(self, pixels: NDArray[np.uint8], time_s: float) -> list[TrackedFace]:
        """Return the faces of the next frame, by number; see `FaceTracker.follow`.

        Raises:
            VideoError: A region is outside the frame.
        """
        height, width = pixels.shape[:2]
        if self._size != (width, height):
            self._size = (width, height)
            regions = self._regions.within(width, height)
            if len(regions) != len(self._trackers):
                self._trackers = [(region, FaceTracker(self._finder, ids=self._ids)) for region in regions]
            else:
                self._trackers = [
                    (region, tracker) for region, (_, tracker) in zip(regions, self._trackers, strict=True)
                ]
        found = [
            tracked if region.width == width and region.height == height else _moved(tracked, region)
            for region, tracker in self._trackers
            for tracked in tracker.follow(_part(pixels, region), time_s)
        ]
        return sorted(found, key=lambda tracked: tracked.face_id)


def _part(pixels: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    part = pixels[region.y : region.y + region.height, region.x : region.x + region.width]
    return part if part.shape == pixels.shape else np.ascontiguousarray(part)


def _moved(tracked: TrackedFace, region: Region) -> TrackedFace:
    """Return a face of a region with its place in the whole picture."""
    offset = np.array([region.x, region.y], np.float32)
    face: Face = replace(
        tracked.face,
        landmarks_xy=tracked.face.landmarks_xy + offset,
        face_box_xyxy=tracked.face.face_box_xyxy + np.tile(offset, 2),
    )
    return replace(tracked, face=face)
