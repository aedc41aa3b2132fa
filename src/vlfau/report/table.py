"""A table of numbers, apart from how it is written down."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Cell", "Mark", "Row", "Table"]


class Mark(StrEnum):
    """How a cell stands out among those of its column."""

    BEST = "best"
    SECOND = "second"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with one decimal.

    Attributes:
        value: The number; None where there is none.
        detail: What follows it, such as an interval or a deviation.
        footnote: The letter of a footnote.
        ranked: Whether it may be compared with the others of its column.
    """

    value: float | None
    detail: str = ""
    footnote: str = ""
    ranked: bool = True

    @property
    def text(self) -> str:
        """The number as printed; a dash where there is none."""
        return "-" if self.value is None else f"{self.value:.1f}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table.

    Attributes:
        labels: What stands before the numbers.
        cells: The numbers.
        ours: Whether it was measured by this package.
    """

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    ours: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        key: Its file name without the ending.
        title: What it shows.
        label_heads: Heads of the columns before the numbers.
        heads: Heads of the numbers.
        rows: Its lines, all of the same data.
        footnotes: Letter and text.
        synthetic: Whether the numbers were measured on synthetic faces.
        ranked: Whether the best and the second of every column stand out; the most is the best.
    """

    key: str
    title: str
    label_heads: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    footnotes: tuple[tuple[str, str], ...] = ()
    synthetic: bool = False
    ranked: bool = True

    def mark(self, row: Row, column: int) -> Mark:
        """Return how a cell stands out; equals as printed share a mark."""
        cell = row.cells[column]
        if not self.ranked or len(self.rows) < 2 or cell.value is None or not cell.ranked:
            return Mark.NONE
        others = [other.cells[column] for other in self.rows]
        numbers = {float(other.text) for other in others if other.value is not None and other.ranked}
        place = sorted(numbers, reverse=True).index(float(cell.text))
        if len(numbers) < 2:
            return Mark.NONE
        return (Mark.BEST, Mark.SECOND, Mark.NONE)[min(place, 2)]
