"""What a table holds: its columns, how a result becomes rows, and what is said of both beside them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from vlfau._version import version
from vlfau.errors import ConfigError
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import LAYOUTS, Cell, Column
from vlfau.tables.formats import native_rows, openface_rows, pyfeat_rows

__all__ = ["FORMAT", "HEADER_KEY", "Table", "columns_json"]

FORMAT: Final = 1
"""Of what is said beside a table; it rises when a reader must change."""
HEADER_KEY: Final = b"vlfau"
"""Where Parquet's metadata hold the header."""

_ROWS: Final[Mapping[str, Callable[[PictureResult], Iterable[dict[str, Cell]]]]] = {
    "native": native_rows,
    "openface": openface_rows,
    "pyfeat": pyfeat_rows,
}


class Table:
    """The table of one model in one format.

    Args:
        layout: The name of the format: native, openface or pyfeat.
        model: The model whose results it holds.

    Attributes:
        layout: The format.
        columns: All columns, in order.
        header: What is said of the table: versions, model, and every column's meaning and unit.

    Raises:
        ConfigError: There is no such format.
    """

    def __init__(self, layout: str, model: BundleInfo) -> None:
        if layout not in LAYOUTS:
            raise ConfigError(f"there is no format {layout!r} of tables; choose among {', '.join(LAYOUTS)}")
        self.layout = LAYOUTS[layout]
        self.columns: tuple[Column, ...] = self.layout.columns(model.au_ids)
        self.header: dict[str, Any] = {
            "kind": "header",
            "format": FORMAT,
            "layout": layout,
            "vlfau": version(),
            "model": model.identity() | {"thresholds": list(model.thresholds)},
            "columns": columns_json(self.columns),
        }
        self._by_name = {column.name: column for column in self.columns}

    def rows(self, result: PictureResult) -> list[dict[str, Cell]]:
        """Return the rows of a picture or frame, with every column in order.

        Raises:
            ValueError: The result holds an AU that the model does not know, or no finite number.
        """
        return [self._complete(row) for row in _ROWS[self.layout.name](result)]

    def header_json(self) -> str:
        """Return the header as one line."""
        return json.dumps(self.header, ensure_ascii=False, allow_nan=False)

    def _complete(self, row: Mapping[str, Cell]) -> dict[str, Cell]:
        if unknown := row.keys() - self._by_name:
            raise ValueError(f"the table of model {self.header['model']['name']} has no column {min(unknown)}")
        return {name: column.clean(row.get(name)) for name, column in self._by_name.items()}


def columns_json(columns: Sequence[Column]) -> list[dict[str, str]]:
    """Return name, meaning, unit and kind of every column, as JSON holds them."""
    return [
        {"name": column.name, "meaning": column.meaning, "unit": column.unit, "type": str(column.kind)}
        for column in columns
    ]
