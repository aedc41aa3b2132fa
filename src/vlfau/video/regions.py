"""Parts of the picture in which faces are followed separately, such as the tiles of a recorded video call."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError, VideoError
from vlfau.faces import Face, FaceFinder
from vlfau.video.tracker import FaceTracker, TrackedFace

__all__ = ["EVERYWHERE", "Region", "RegionTracker", "Regions"]

_MIN_SIDE: Final = 16
_MAX_TILES: Final = 64


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture, in pixels of the upright frame."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Regions:
    """Where faces are followed; everywhere if nothing is given.

    Attributes:
        regions: Parts of the picture.
        tiles: Columns and rows of equal parts; None for none.
    """

    regions: tuple[Region, ...] = ()
    tiles: tuple[int, int] | None = None

    @classmethod
    def parsed(cls, regions: Sequence[str] = (), tiles: str | None = None) -> Self:
        """Return regions as a user writes them.

        Args:
            regions: Each as x,y,width,height.
            tiles: As columns x rows.

        Raises:
            ConfigError: They are not written so, or both are given.

        >>> Regions.parsed(tiles="3x2").tiles
        (3, 2)
        """
        if regions and tiles:
            raise ConfigError("--region and --tiles exclude each other; give one of them")
        found = []
        for text in regions:
            match = re.fullmatch(r"\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*", text)
            if match is None:
                raise ConfigError(f"--region takes x,y,width,height in pixels, such as 0,0,640,360, not '{text[:40]}'")
            found.append(Region(*map(int, match.groups())))
        if tiles is None:
            return cls(tuple(found))
        grid = re.fullmatch(r"\s*(\d{1,2})\s*[xX]\s*(\d{1,2})\s*", tiles)
        columns, rows = map(int, grid.groups()) if grid else (0, 0)
        if not 1 <= columns * rows <= _MAX_TILES:
            raise ConfigError(f"--tiles takes columns x rows, such as 2x2 or 3x2, not '{tiles[:40]}'")
        return cls(tuple(found), (columns, rows))

    def within(self, width: int, height: int) -> tuple[Region, ...]:
        """Return the regions of a picture of some size; the whole picture if nothing was given.

        Raises:
            VideoError: A region is outside the picture, or too small.
        """
        if self.tiles is not None:
            xs, ys = (
                np.linspace(0, side, parts + 1).astype(int).tolist()
                for side, parts in zip((width, height), self.tiles, strict=True)
            )
            boxes = [(x, y, x2 - x, y2 - y) for y, y2 in pairwise(ys) for x, x2 in pairwise(xs)]
            regions = tuple(Region(*box) for box in boxes)
        else:
            regions = self.regions or (Region(0, 0, width, height),)
        for region in self.regions and regions:
            inside = region.x + region.width <= width and region.y + region.height <= height
            if not inside or min(region.width, region.height) < _MIN_SIDE:
                raise VideoError(
                    f"--region {region.x},{region.y},{region.width},{region.height} is not a part of the frames, which "
                    f"have {width} x {height} pixels, of at least {_MIN_SIDE} x {_MIN_SIDE}; correct it"
                )
        return regions


EVERYWHERE: Final = Regions()


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
