"""The version of this package."""

from functools import cache

__all__ = ["version"]


@cache
def version() -> str:
    """Return the installed version, or `0+unknown` in a source tree that is not installed."""
    from importlib import metadata  # Takes a while, and few need it.

    try:
        return metadata.version("vlfau")
    except metadata.PackageNotFoundError:
        return "0+unknown"
