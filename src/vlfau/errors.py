"""Every error that vlfau raises on purpose.

VlfauError
├── InputError              the user can fix it; the command line exits with 2
│   ├── ImageError          a file that is not a readable picture
│   ├── VideoError          a file that is not a readable video, a truncated one, or a camera without frames │   ├──
NoFaceError         a picture in which no face was found │   ├── ManifestError       a table of frames with a wrong
column, label, file or fold │   ├── ConfigError         a configuration with an unknown key or an impossible value │
├── CheckpointError     a checkpoint of other AUs, another vocabulary, or another fold │   ├── OutputError         a
file or folder that cannot be written, or must not be │   ├── BundleError         a folder that is not a bundle, or has
another format │   ├── DescriptionError    a description file that breaks its schema, or a text that is too long │   └──
UnknownAUError      an action unit that the model does not know; also a KeyError ├── MissingExtraError       an optional
part that is not installed └── ServerError             a language model's server that does not answer

Each message is one sentence that names the file, what was expected, and what to do.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = [
    "BundleError",
    "CheckpointError",
    "ConfigError",
    "DescriptionError",
    "ImageError",
    "InputError",
    "ManifestError",
    "MissingExtraError",
    "NoFaceError",
    "OutputError",
    "ServerError",
    "UnknownAUError",
    "VideoError",
    "VlfauError",
    "first_line",
    "install_command",
]

_NEEDED_BY: Final[Mapping[str, str]] = {
    "app": "the web page needs",
    "batch": "archives (vlfau batch) need",
    "cuda": "the runtimes for NVIDIA GPUs need",
    "directml": "the runtime directml needs",
    "excel": "Excel workbooks (.xlsx) need",
    "heic": "HEIC pictures need",
    "int8": "8-bit bundles (--quantize int8) need",
    "live": "live results for other programs (lsl, osc, zmq, ws) need",
    "openvino": "the runtime openvino needs",
    "plots": "timelines, reports and plots need",
    "synthetic": "the face generator needs",
    "tables": "pandas frames, Parquet and Arrow tables need",
    "train": "training, checkpoints, evaluation and export need",
}
"""What needs each extra."""


class VlfauError(Exception):
    """Base of all errors of this package."""


class InputError(VlfauError):
    """An input or option is invalid; the message says how to fix it."""


class ImageError(InputError):
    """A file cannot be read as a picture."""


class VideoError(InputError):
    """A video or camera cannot be read, or cannot be read to its end."""


class NoFaceError(InputError):
    """No face was found in a picture."""


class ManifestError(InputError):
    """A manifest does not have the expected form."""


class ConfigError(InputError):
    """A configuration file has an unknown key or an impossible value."""


class CheckpointError(InputError):
    """A checkpoint does not belong to the requested AUs, vocabulary or fold, or is not a checkpoint."""


class BundleError(InputError):
    """A folder is not a bundle that this version can read."""


class OutputError(InputError):
    """A file or folder cannot be written or must not be overwritten; unlike a bad input, this ends a run."""


class DescriptionError(InputError):
    """A description file breaks its schema, or a description does not fit."""


class UnknownAUError(InputError, KeyError):
    """The model does not predict the requested action unit."""

    def __str__(self) -> str:
        """Return the message as it is; a plain KeyError would put it in quotes."""
        return str(self.args[0])


class MissingExtraError(VlfauError):
    """An optional part of vlfau is not installed.

    Args:
        package: The package that is missing.
        extra: The extra that installs it.

    Attributes:
        package: The package that is missing.
    """

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        what = _NEEDED_BY.get(extra, f"'{package}' belongs to")
        super().__init__(f"{what} the extra '{extra}', which is not installed; run: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return the command that installs an extra from where this vlfau came from.

    That is the folder or file that pip was given, or this checkout; otherwise the package index.
    """
    return f"pip install '{_origin()}[{extra}]'"


def _origin() -> str:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 - takes time to import
    from urllib.parse import urlsplit  # noqa: PLC0415
    from urllib.request import url2pathname  # noqa: PLC0415

    try:
        record = json.loads(distribution("vlfau").read_text("direct_url.json") or "{}")
        given = Path(url2pathname(urlsplit(record.get("url", "")).path))
    except (PackageNotFoundError, ValueError, AttributeError):
        given = Path()
    checkout = Path(__file__).parents[2]
    for place in (given, checkout if (checkout / "pyproject.toml").is_file() else Path()):
        if place != Path() and place.exists():
            return "." if place == Path.cwd() else str(place)
    return "vlfau"


class ServerError(VlfauError):
    """A server of a language model does not answer, or not as its interface says."""


def first_line(error: BaseException) -> str:
    """Return the first line of another library's message, for quoting it."""
    return str(error).strip().partition("\n")[0]
