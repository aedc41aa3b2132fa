"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vlfau.errors import ConfigError

__all__ = ["fresh_folder", "refuse_existing"]


@contextmanager
def fresh_folder(output: Path) -> Iterator[Path]:
    """Give a folder to fill, which gets its name when all went well and is removed otherwise.

    Raises:
        ConfigError: The output exists, and is not replaced.
    """
    refuse_existing(output)
    fresh = output.with_name(f".{output.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        fresh.rename(output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def refuse_existing(output: Path) -> None:
    """Make sure that a folder can be written.

    Raises:
        ConfigError: It exists.
    """
    if output.exists():
        raise ConfigError(f"{output} exists already; remove it, or name another folder")
