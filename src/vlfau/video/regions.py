"""Parts of the picture in which faces are followed separately, such as the tiles of a recorded video call.

Options read them, so nothing heavy is imported here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from vlfau.errors import ConfigError, VideoError

__all__ = ["EVERYWHERE", "Region", "Regions"]

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
            columns, rows = self.tiles
            xs = [width * column // columns for column in range(columns + 1)]
            ys = [height * row // rows for row in range(rows + 1)]
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
