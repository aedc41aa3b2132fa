"""Bundles by name: those that vlfau brings, and those in the folders of the variable VLFAU_MODELS."""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from vlfau.errors import BundleError

__all__ = ["DEFAULT_MODEL", "MODELS_VARIABLE", "bundle_folder", "bundle_folders"]

DEFAULT_MODEL: Final = "default"
MODELS_VARIABLE: Final = "VLFAU_MODELS"
"""Names folders that hold bundles, separated as in PATH."""


def bundle_folders() -> Mapping[str, Path]:
    """Return the folder of every bundle that can be called by name; of equal names the first counts."""
    own = Path(str(resources.files("vlfau"))) / "weights"
    named = [part for part in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if part]
    further = [Path(os.path.expanduser(part)) for part in named]  # noqa: PTH111 - Path's fails where no such user is
    found: dict[str, Path] = {}
    for parent in (own, *further):
        for path in sorted(parent.glob("*/model.json")):
            found.setdefault(path.parent.name, path.parent)
    return found


def bundle_folder(model: str | Path | None) -> Path:
    """Return where a bundle lies.

    Args:
        model: A folder, or a name; None takes the default model.

    Raises:
        BundleError: It is neither.
    """
    if model is not None and Path(model).exists():
        return Path(model)
    found, name = bundle_folders(), DEFAULT_MODEL if model is None else str(model)
    if name not in found:
        raise BundleError(
            f"{name} is no bundle: there is no such folder, and no model of this name; choose among "
            f"{', '.join(found) or 'none'}, or name a folder"
        )
    return found[name]
