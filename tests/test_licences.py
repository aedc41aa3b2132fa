"""What is shipped has a known origin, and what is installed beside it a permissive licence."""

import re
from email.message import Message
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FOLDERS = ("src/vlfau", "examples", "docs/images")
NOT_DATA = {".py"}
NOT_DATA_NAMES = {"LICENSE", "NOTICE", "py.typed"}
NOTICE = ROOT.joinpath("NOTICE").read_text("utf-8")
PATTERNS = re.findall(rf"(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w*]", NOTICE)

EXTRAS = ("train", "tables", "plots", "app", "batch", "openvino", "int8", "synthetic", "convert")
PERMISSIVE = re.compile(
    r"Apache[ -](Software License|(License )?(Version )?2\.0)( WITH LLVM-exception)?"
    r"|(The )?MIT([ -]CMU)?( License)?|BSL-1\.0|0BSD|Zlib|CC0-1\.0|PSF-2\.0|ISC( License.*)?"
    r"|([23]-Clause )?BSD([ -][23]-Clause)?( License)?|Python Software Foundation License"
    r"|MPL-2\.0|Mozilla Public License 2\.0.*"
)
NOT_PERMISSIVE = re.compile(r"(nvidia|cuda)-")
"""Packages that docs/licences.md names with what their licence asks."""


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


def needed(name, extras, found):
    """Gather the installed distributions that one needs, and those need in turn."""
    try:
        found[name, extras] = distribution(name)
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, found[name, extras].requires or []):
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if wanted and (key := (canonicalize_name(requirement.name), tuple(requirement.extras))) not in found:
            needed(*key, found)


def licences(metadata):
    """What a package says of its licence: an expression, else classifiers, else a line of text."""
    if expression := metadata["License-Expression"]:
        return re.split(r" AND | OR ", re.sub(r"[()]", "", expression))
    classifiers = [each for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")]
    if classifiers:
        return [each.rpartition(":: ")[2] for each in classifiers]
    return re.split(r" AND | OR ", (metadata["License"] or "none").strip().splitlines()[0])


def is_permissive(metadata):
    return all(PERMISSIVE.fullmatch(each.strip()) for each in licences(metadata))


@pytest.mark.parametrize("path", list(shipped()))
def test_notice_says_where_a_shipped_file_comes_from(path):
    assert any(fnmatch(path, pattern) for pattern in PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_notice_names_no_file_that_is_not_shipped(pattern):
    assert any(fnmatch(path, pattern) for path in shipped())


def test_every_installed_package_that_vlfau_needs_is_permissive():
    found = {}
    needed("vlfau", EXTRAS, found)
    assert {"av", "numpy", "onnxruntime", "pillow"} <= {name for name, _ in found}
    assert not [
        f"{name}: {licences(package.metadata)}"
        for (name, _), package in found.items()
        if not (is_permissive(package.metadata) or NOT_PERMISSIVE.match(name))
    ]


@pytest.mark.parametrize(
    ("field", "text", "permissive"),
    [
        ("License-Expression", "MIT AND (Apache-2.0 OR BSD-2-Clause)", True),
        ("License-Expression", "MIT AND GPL-3.0-or-later", False),
        ("Classifier", "License :: OSI Approved :: GNU Affero General Public License v3", False),
        ("License", "LGPL", False),
        ("License", "", False),
    ],
)
def test_a_licence_is_judged_as_it_is_written(field, text, permissive):
    metadata = Message()
    metadata[field] = text
    assert is_permissive(metadata) == permissive


def test_the_documentation_names_every_package_that_vlfau_asks_for():
    page = ROOT.joinpath("docs", "licences.md").read_text("utf-8")
    requirements = map(Requirement, distribution("vlfau").requires)
    wanted = {each.name for each in requirements if "dev" not in str(each.marker) and "browser" not in str(each.marker)}
    assert [name for name in wanted - {"vlfau"} if not re.search(rf"\b{name}\b", page)] == []
    assert re.search(r"FFmpeg.*LGPL", page)
