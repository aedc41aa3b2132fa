"""The arrows of CONTRIBUTING.md: which package may import which."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "vlfau"
HEAVY = {
    "torch",
    "torchvision",
    "timm",
    "lightning",
    "onnx",
    "onnxscript",
    "safetensors",
    "torchmetrics",
    "yaml",
    "pydantic",
    "matplotlib",
    "sklearn",
    "jinja2",
    "huggingface_hub",
    "numba",
    "scipy",
}
ROOMS = (
    {"cli"},
    {"app", "batch"},
    {"paper"},
    {"export"},
    {"evaluation"},
    {"runs"},
    {"drawing"},
    {"tables"},
    {"video"},
    {"prepare", "synthetic"},
    {"training"},
    {"data", "inference"},
    {"model"},
    {"language", "media"},
    {"faces"},
    {"files"},
    {"facs"},
    {"errors", "_version"},
)
"""From the top down: a room imports only from those below its own line."""
LIGHT = (
    "errors",
    "facs",
    "files",
    "faces",
    "language",
    "media",
    "inference",
    "prepare",
    "video",
    "tables",
    "runs",
    "cli",
)
NEED_PLOTS = {"drawing/pages.py", "drawing/report.py", "drawing/timeline.py"}
"""Files that need the extra `plots`; light ones import them only where a plot is asked for."""
UPWARDS = {
    ("inference/results.py", "vlfau.drawing.results"),  # result.plot()
    ("inference/results.py", "vlfau.runs.saving"),  # result.save(folder)
    ("inference/results.py", "vlfau.tables.frames"),  # result.to_pandas()
}
"""The only imports against the order: methods of results that people expect there; they import when they are called."""
LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.stem in LEVELS)


def part_of(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_follow_the_arrows(path):
    part = part_of(path)
    name = path.relative_to(SOURCE).as_posix()
    own = [module.split(".") for module in imported_modules(path) if module.split(".")[0] == "vlfau"]
    upwards = {".".join(module) for module in own if module[1] != part and LEVELS[module[1]] <= LEVELS[part]}
    assert {(name, module) for module in upwards} <= UPWARDS


@pytest.mark.parametrize("part", LIGHT)
def test_the_light_half_names_no_heavy_package(part):
    for path in FILES:
        if part_of(path) == part and path.relative_to(SOURCE).as_posix() not in NEED_PLOTS:
            assert not {module.split(".")[0] for module in imported_modules(path)} & HEAVY, path


def test_no_file_is_longer_than_400_lines():
    too_long = [path.name for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    assert too_long == []


def test_aus_are_listed_in_the_catalogue_alone():
    listed = [path.name for path in FILES if re.search(r"[(\[]1, 2, 4, \d", path.read_text(encoding="utf-8"))]
    assert listed == []
