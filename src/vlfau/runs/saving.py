"""The files of one result, as a run would write them."""

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
            f"the result is frame {result.frame} of {result.file}, and only pictures are saved one by one; give the "
            "video to vlfau.run, or write its results to a table with vlfau.open_sink"
        )
    if not result.file:
        raise InputError("the picture has no name for its files; give one: predict(picture, names='anna')")
    if result.model is None:
        raise InputError(
            f"the result of {result.file} does not say of which model it is; take it from Predictor.predict"
        )
    options = PredictOptions(out=Path(folder), resume=True)
    file, picture = Path(result.file), picture_of(result)
    _check_earlier_rows(Path(folder) / "results.jsonl", Table("native", result.model), result)
    with OutputWriter(options, result.model) as outputs:
        outputs.expect({file: file})
        outputs.write_picture(file, picture, result)


def _check_earlier_rows(path: Path, table: Table, result: PictureResult) -> None:
    """Make sure that a table which has rows of this picture has the same: earlier rows are never replaced.

    Raises:
        OutputError: It has others.
    """
    name = printable(result.file)
    try:
        with path.open("rb") as lines:
            rows = [row for row in map(parse_json, lines) if isinstance(row, dict) and row.get("file") == name]
    except (OSError, ValueError):
        return  # There is no table; what cannot be read is refused when it is opened to be gone on with.
    if rows and rows != table.rows(result):
        raise OutputError(
            f"{printable(path)} holds other results of {name}, as of other options; save to another folder"
        )
