"""Facial action units in numbers and in words."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlfau.errors import VlfauError
    from vlfau.inference.bundle import Bundle, load_bundle
    from vlfau.inference.drawing import draw_faces
    from vlfau.inference.images import read_image
    from vlfau.inference.predictor import Predictor
    from vlfau.inference.results import AUResult, CropResult, FaceResult, PictureResult
    from vlfau.tables.read import read_results
    from vlfau.tables.sinks import open_sink
    from vlfau.video.reader import VideoReader
    from vlfau.video.stream import stream

    __version__: str

__all__ = [
    "AUResult",
    "Bundle",
    "CropResult",
    "FaceResult",
    "PictureResult",
    "Predictor",
    "VideoReader",
    "VlfauError",
    "__version__",
    "draw_faces",
    "load_bundle",
    "open_sink",
    "read_image",
    "read_results",
    "stream",
]

# Names are imported when they are first used, so that `import vlfau` and `vlfau --help` are quick.
_HOMES = {
    "AUResult": "vlfau.inference.results",
    "Bundle": "vlfau.inference.bundle",
    "CropResult": "vlfau.inference.results",
    "FaceResult": "vlfau.inference.results",
    "PictureResult": "vlfau.inference.results",
    "Predictor": "vlfau.inference.predictor",
    "VideoReader": "vlfau.video.reader",
    "VlfauError": "vlfau.errors",
    "draw_faces": "vlfau.inference.drawing",
    "load_bundle": "vlfau.inference.bundle",
    "open_sink": "vlfau.tables.sinks",
    "read_image": "vlfau.inference.images",
    "read_results": "vlfau.tables.read",
    "stream": "vlfau.video.stream",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module 'vlfau' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("vlfau")
    except metadata.PackageNotFoundError:
        return "0+unknown"  # The source tree, not installed.


def __dir__() -> list[str]:
    return __all__
