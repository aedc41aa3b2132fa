"""Read our tables back, whatever their kind and format."""

from pathlib import Path
from typing import TYPE_CHECKING

from vlfau.errors import InputError
from vlfau.inference.sources import printable

if TYPE_CHECKING:
    import pandas

__all__ = ["read_results"]


def read_results(path: str | Path) -> "pandas.DataFrame":
    """Read a table that vlfau wrote.

    Args:
        path: A .csv, .jsonl or .parquet file, in our own columns or those of OpenFace 2 or Py-Feat.

    Returns:
        One row a face. Texts, whole numbers and states have pandas' types with missing values (string, Int64,
        boolean); other numbers are float64, NaN where they are missing. `attrs` holds the header: `layout`, `vlfau`,
        `model` and `columns`; of a CSV file without its side file only `layout` and `columns`.

    Raises:
        InputError: The file cannot be read, or vlfau did not write it.
        MissingExtraError: pandas or pyarrow is not installed.
    """
    from vlfau.tables.frames import READERS  # noqa: PLC0415 - importing this file must not need pandas

    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    try:
        if reader is None:
            raise ValueError("its name ends in none of .csv, .jsonl and .parquet")
        return reader(path)
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror or error}); check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{printable(path)} is no table of results that vlfau wrote ({error}); expected a .csv, .jsonl or .parquet "
            "file with vlfau's own columns, or with those of its formats openface and pyfeat"
        ) from None
