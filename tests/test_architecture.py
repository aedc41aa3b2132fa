"""What CONTRIBUTING.md says of the code's order: who may import whom, how long a file is, where AUs are listed."""

import re
from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(ROOT.joinpath("src", "vlfau").rglob("*.py"))
}


def test_imports_keep_the_contracts_of_pyproject():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_no_file_is_longer_than_400_lines():
    assert [path for path, text in SOURCES.items() if len(text.splitlines()) > 400] == []


def test_aus_are_listed_in_the_catalogue_alone():
    assert [path for path, text in SOURCES.items() if re.search(r"[(\[]1, 2, 4, \d", text)] == []
