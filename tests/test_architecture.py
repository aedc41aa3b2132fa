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
BASE = {"errors", "facs", "atomic", "json_text", "same_settings", "claim", "workers"}
MAY_IMPORT = {
    "errors": set(),
    "facs": {"errors"},
    "atomic": {"errors"},
    "json_text": set(),
    "same_settings": {"errors"},
    "claim": {"errors", "atomic", "json_text", "same_settings"},
    "workers": {"errors"},
    "pages": set(),
    "faces": BASE,
    "language": BASE,
    "inference": BASE | {"faces", "language", "vlfau"},
    "video": BASE | {"faces", "language", "inference", "pages"},
    "tables": BASE | {"faces", "inference", "vlfau"},
    "app": BASE | {"pages", "faces", "language", "inference", "video", "tables", "vlfau"},
    "batch": BASE | {"faces", "language", "inference", "video", "tables", "vlfau"},
    "cli": BASE
    | {
        "app",
        "batch",
        "tables",
        "video",
        "data",
        "evaluation",
        "export",
        "faces",
        "inference",
        "language",
        "prepare",
        "report",
        "synthetic",
        "training",
        "vlfau",
    },
    "model": BASE | {"language", "faces"},
    "data": BASE | {"faces", "language"},
    "training": BASE | {"language", "data", "model", "inference"},
    "evaluation": BASE | {"language", "data", "model", "training", "tables"},
    "report": BASE | {"language", "evaluation", "pages", "prepare", "vlfau"},
    "export": BASE | {"faces", "language", "inference", "data", "model", "training", "evaluation", "vlfau"},
    "synthetic": BASE | {"faces"},
    "prepare": BASE | {"faces"},
}
LIGHT = (
    "errors",
    "facs",
    "atomic",
    "json_text",
    "same_settings",
    "claim",
    "workers",
    "faces",
    "language",
    "inference",
    "prepare",
    "video",
    "tables",
    "cli",
)
NEED_PLOTS = {"video/timeline.py", "video/report.py"}
"""Light files that need the extra `plots`, so that they are imported only where a plot is asked for."""
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.stem in MAY_IMPORT)


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
    own = [module.split(".") for module in imported_modules(path) if module.split(".")[0] == "vlfau"]
    used = {(module[1] if len(module) > 1 else "vlfau") for module in own} - {part}
    assert used <= MAY_IMPORT[part]


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
