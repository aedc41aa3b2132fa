"""What stands under each key of a `model.json`."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from vlfau.errors import BundleError

__all__ = ["check_keys"]


def check_keys(table: Mapping[str, Any], path: Path) -> None:
    """Check that every key is there, known, and of its kind.

    Raises:
        BundleError: One is not.
    """
    unknown, missing = sorted(table.keys() - _KINDS.keys()), sorted(_KINDS.keys() - table.keys())
    if unknown or missing:
        what = f"an unknown key {unknown[0]!r}" if unknown else f"no key {missing[0]!r}"
        raise BundleError(f"{path} has {what}; export the bundle anew")
    for key, (kind, fits) in _KINDS.items():
        if not fits(table[key]):
            raise BundleError(f"{path}: {key!r} must be {kind}; export the bundle anew")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_plain(value: object) -> bool:
    """Say whether a value can be written as JSON again: NaN and infinity cannot."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float) or math.isfinite(value)


def _list_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_free(value: object) -> bool:
    return isinstance(value, dict) and _is_plain(value)


def _is_training(value: object) -> bool:
    return isinstance(value, dict) and _is_plain(value) and isinstance(value.get("synthetic"), bool)


def _is_crop(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"aligned_size", "crop_size"}:
        return False
    aligned_size, crop_size = value["aligned_size"], value["crop_size"]
    return _is_count(aligned_size) and _is_count(crop_size) and 0 < crop_size <= aligned_size


def _is_files(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "format": ("a whole number", _is_count),
    "name": ("a text", _is_text),
    "version": ("a text", _is_text),
    "licence": ("a text", _is_text),
    "created": ("a text", _is_text),
    "note": ("a text", _is_text),
    "au_ids": ("a list of FACS numbers", _list_of(_is_count)),
    "thresholds": ("a list of numbers from 0 to 1", _list_of(_is_share)),
    "crop": ("'aligned_size' and, no larger, 'crop_size' in pixels", _is_crop),
    "vocabulary": ("a list of texts", _list_of(_is_text)),
    "max_local_length": ("a whole number", _is_count),
    "max_global_length": ("a whole number", _is_count),
    "training": ("an object that says at least whether 'synthetic' is true or false", _is_training),
    "scores": ("an object", _is_free),
    "files": ("an object of file names and their SHA-256", _is_files),
}
