"""What became of a file: all that a worker sends back of it."""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Final, Self

__all__ = ["COLUMNS", "Outcome", "Status"]


class Status(StrEnum):
    """How a file ended."""

    DONE = "done"
    PARTIAL = "partial"
    """Its first frames were judged, then it broke off."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a file.

    Attributes:
        file: Its name, as the user wrote it, in letters that every file can hold.
        status: How it ended.
        shard: Where its rows are, relative to the folder of results; empty if it has none.
        frames: Pictures, or frames of a video, that were judged.
        faces: Faces in them.
        kind: The class of the error that ended it; empty if it is done.
        message: Why.
        id: Names it, whatever is in its real name.
    """

    file: str
    status: Status
    shard: str = ""
    frames: int = 0
    faces: int = 0
    kind: str = ""
    message: str = ""
    id: str

    def to_cells(self) -> dict[str, str]:
        """Return it as cells of a table, by column, in the order of `COLUMNS`."""
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_cells(cls, cells: dict[str, str]) -> Self:
        """Read cells by column.

        Raises:
            ValueError: A cell is not what it should be.
        """
        status, frames, faces = Status(cells["status"]), int(cells["frames"]), int(cells["faces"])
        return cls(**{**cells, "status": status, "frames": frames, "faces": faces})  # type: ignore[arg-type]


COLUMNS: Final = tuple(field.name for field in fields(Outcome))
