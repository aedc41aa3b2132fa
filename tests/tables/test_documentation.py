from pathlib import Path

import pytest

from vlfau.tables.columns import LAYOUTS
from vlfau.tables.errors_file import COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text("utf-8")


def documented_columns(section):
    """The cells of the table in a section of the page, line by line."""
    lines = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| `")]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_page_explains_every_column_as_the_files_do(layout):
    columns = [[f"`{column.name}`", column.meaning, column.unit] for column in layout.columns([12])]
    assert documented_columns(layout.name) == columns


def test_the_page_explains_the_list_of_errors():
    assert [row[0].strip("`") for row in documented_columns("errors.csv")] == list(COLUMNS)
