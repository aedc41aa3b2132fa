"""One column of a table, and how its cells are stored."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from vlfau.facs import action_unit
from vlfau.files.records import escape_formula

__all__ = ["Cell", "Column", "Kind"]

Cell = str | int | float | bool | None


class Kind(StrEnum):
    """The type of a column's cells. Every cell may be empty."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name in every file; for AUs a pattern, such as `AU{au}_prob`.
        kind: The type of its cells.
        meaning: Description of its contents.
        unit: In words; may be empty.
        digits: Decimal places of a number.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    digits: int = 0

    def of_au(self, au_id: int) -> "Column":
        """Return this pattern's column for one AU."""
        names = {"au": au_id, "what": f"AU {au_id} ({action_unit(au_id).name})"}
        return replace(self, name=self.name.format(**names), meaning=self.meaning.format(**names))

    def clean(self, cell: Cell) -> Cell:
        """Return a cell as every file stores it: numbers are rounded, and minus zero becomes zero."""
        if cell is None or self.kind is not Kind.NUMBER:
            return cell
        if not math.isfinite(number := float(cell)):
            raise ValueError(f"{self.name} is {number}, which no table can hold")
        return round(number, self.digits) + 0.0

    def text(self, cell: Cell) -> str:
        """Return a clean cell as CSV stores it.

        >>> Column("AU12_prob", Kind.NUMBER, "", digits=4).text(0.5)
        '0.5000'
        """
        if cell is None:
            return ""
        match self.kind:
            case Kind.NUMBER:
                return f"{cell:.{self.digits}f}"
            case Kind.YES_NO:
                return str(int(cell))
        return escape_formula(str(cell)) if self.kind is Kind.TEXT else str(cell)
