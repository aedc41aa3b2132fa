"""What is shipped has a known origin, and what is installed beside it a licence that the documentation names.

`make check` reads the licences themselves (pip-licenses).
"""

import re
import tomllib
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
FOLDERS = ("src/vlfau", "examples", "docs/images")
NOT_DATA = {".py"}
NOT_DATA_NAMES = {"LICENSE", "NOTICE", "py.typed"}
NOTICE = ROOT.joinpath("NOTICE").read_text("utf-8")
PATTERNS = re.findall(rf"(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w*]", NOTICE)

NOT_INSTALLED_WITH_IT = ("dev", "docs", "release", "browser")
"""Extras for those who change vlfau."""


def is_cache(path):
    return "__pycache__" in path.parts


def shipped():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.is_file()
                and path.suffix not in NOT_DATA
                and path.name not in NOT_DATA_NAMES
                and not is_cache(path)
            ):
                yield path.relative_to(ROOT).as_posix()


def test_notice_names_every_file_that_is_shipped_and_no_other():
    files = list(shipped())
    unnamed = [path for path in files if not any(fnmatch(path, pattern) for pattern in PATTERNS)]
    unshipped = [pattern for pattern in PATTERNS if not any(fnmatch(path, pattern) for path in files)]
    assert (unnamed, unshipped) == ([], [])


def test_the_documentation_names_every_package_that_vlfau_asks_for():
    page = ROOT.joinpath("docs", "licences.md").read_text("utf-8")
    requirements = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]
    extras = requirements["optional-dependencies"]
    lines = chain(
        requirements["dependencies"], *(extras[extra] for extra in extras if extra not in NOT_INSTALLED_WITH_IT)
    )
    wanted = {Requirement(line).name for line in lines}
    assert [name for name in wanted - {"vlfau"} if not re.search(rf"\b{name}\b", page)] == []
    assert re.search(r"FFmpeg.*LGPL", page)
