"""Save one result, in the files that a run would write."""

import json
import os
from pathlib import Path

from vlfau.drawing.results import picture_of
from vlfau.errors import InputError, OutputError
from vlfau.files.names import printable
from vlfau.files.records import parse_json
from vlfau.inference.results import PictureResult
from vlfau.runs.options import PredictOptions
from vlfau.runs.output_writer import OutputWriter
from vlfau.tables.table import Table

__all__ = ["save_result"]


def save_result(result: PictureResult, folder: str | os.PathLike[str]) -> None:
    """Write the files of a result and add its rows to the tables; see `PictureResult.save`."""
    if result.frame is not None:
        raise InputError(
            f"the result is frame {result.frame} of {result.file}, and only pictures can be saved; pass the "
            "video to vlfau.run, or write its results to a table with vlfau.open_sink"
        )
    if not result.file:
        raise InputError("the picture has no name for its files; give it one: predict(picture, names='anna')")
    if result.model is None:
        raise InputError(f"the result of {result.file} does not name its model; use a result of Predictor.predict")
    options = PredictOptions(out=Path(folder), resume=True)
    file, picture = Path(result.file), picture_of(result)
    _check_earlier_rows(Path(folder) / "results.jsonl", Table("native", result.model), result)
    with OutputWriter(options, result.model) as outputs:
        outputs.begin({file: file}, {})
        outputs.write_picture(file, picture, result)


def _check_earlier_rows(path: Path, table: Table, result: PictureResult) -> None:
    """Check that a table with rows of this picture has the same rows: earlier rows are never replaced.

    Raises:
        OutputError: It has different rows.
    """
    name = printable(result.file)
    written = json.dumps(name, ensure_ascii=False).encode()  # Few lines are worth parsing: a folder may have many rows.
    try:
        with path.open("rb") as lines:
            found = [parse_json(line) for line in lines if written in line]
        rows = [row for row in found if isinstance(row, dict) and row.get("file") == name]
    except (OSError, ValueError):
        return  # There is no table; an unreadable one is refused when it is opened for appending.
    if rows and rows != table.rows(result):
        raise OutputError(
            f"{printable(path)} has different results for {name}, perhaps from other options; save to another folder"
        )
