"""The package's descriptions with other words, as a later version might bring them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vlfau.language import descriptions

PACKAGE_FOLDER = Path(descriptions.__file__).with_name("descriptions")


def write_corrected(folder: Path) -> Path:
    """Write all descriptions to a new folder; a corner is called an angle in them, a word that nobody knew before."""
    shutil.copytree(PACKAGE_FOLDER, folder)
    for path in folder.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("corner", "angle").replace("Corner", "Angle"), encoding="utf-8")
    return folder


@contextmanager
def corrected_package(folder: Path) -> Iterator[None]:
    """Let the package bring these descriptions for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(descriptions, "_FOLDER", folder)
        descriptions.default_descriptions.cache_clear()
        try:
            yield
        finally:
            patch.undo()
            descriptions.default_descriptions.cache_clear()
