"""Rows of measurements, and their comparison with a baseline."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["MAX_LOSS", "Row", "keep_baseline", "losses"]

MAX_LOSS = 0.2
"""Largest acceptable loss of a ratio compared with the baseline."""


class Row(NamedTuple):
    """One line of a table.

    Attributes:
        what: Name of the measurement.
        figure: The result as text.
        ratio: Ratio of two results of the same run; larger is better. Unlike seconds, it hardly depends on the machine,
            so it is compared with the baseline.
    """

    what: str
    figure: str
    ratio: float | None = None


def losses(suite: str, rows: Iterable[Row], path: Path) -> Iterator[str]:
    """Yield a message for every ratio that is worse than the baseline."""
    before = _read(path).get(suite, {})
    for row in rows:
        if row.ratio is not None and row.what in before and row.ratio < (1 - MAX_LOSS) * before[row.what]:
            yield f"{suite}: {row.what}: {row.ratio:.3g}, but {before[row.what]:.3g} in the baseline"


def keep_baseline(suite: str, rows: Iterable[Row], path: Path) -> None:
    """Make the ratios of a suite the new baseline."""
    ratios = {row.what: round(row.ratio, 4) for row in rows if row.ratio is not None}
    kept = {**_read(path), suite: ratios} if ratios else _read(path)
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n", "utf-8")


def _read(path: Path) -> Mapping[str, Mapping[str, float]]:
    table: Mapping[str, Mapping[str, float]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return table
