"""Recognise facial action units and describe them in words."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vlfau._version import version

if TYPE_CHECKING:
    from vlfau.drawing.faces import draw_faces
    from vlfau.errors import VlfauError
    from vlfau.inference.bundle import Bundle, load_bundle
    from vlfau.inference.counterfactual import Counterfactual, explain
    from vlfau.inference.predictor import Predictor
    from vlfau.inference.results import AUResult, CropResult, FaceResult, PictureResult
    from vlfau.media.images import read_image
    from vlfau.media.reader import VideoReader
    from vlfau.runs.engine import run
    from vlfau.runs.observer import RunObserver, RunSummary
    from vlfau.runs.options import PredictOptions
    from vlfau.tables.read import read_results
    from vlfau.tables.write import open_sink
    from vlfau.video.stream import stream

    __version__: str

__all__ = [
    "AUResult",
    "Bundle",
    "Counterfactual",
    "CropResult",
    "FaceResult",
    "PictureResult",
    "PredictOptions",
    "Predictor",
    "RunObserver",
    "RunSummary",
    "VideoReader",
    "VlfauError",
    "__version__",
    "draw_faces",
    "explain",
    "load_bundle",
    "open_sink",
    "read_image",
    "read_results",
    "run",
    "stream",
]

# Names are imported when they are first used, so that `import vlfau` and `vlfau --help` are quick.
_HOMES = {
    "AUResult": "vlfau.inference.results",
    "Bundle": "vlfau.inference.bundle",
    "Counterfactual": "vlfau.inference.counterfactual",
    "CropResult": "vlfau.inference.results",
    "FaceResult": "vlfau.inference.results",
    "PictureResult": "vlfau.inference.results",
    "PredictOptions": "vlfau.runs.options",
    "Predictor": "vlfau.inference.predictor",
    "RunObserver": "vlfau.runs.observer",
    "RunSummary": "vlfau.runs.observer",
    "VideoReader": "vlfau.media.reader",
    "VlfauError": "vlfau.errors",
    "draw_faces": "vlfau.drawing.faces",
    "explain": "vlfau.inference.counterfactual",
    "load_bundle": "vlfau.inference.bundle",
    "open_sink": "vlfau.tables.write",
    "read_image": "vlfau.media.images",
    "read_results": "vlfau.tables.read",
    "run": "vlfau.runs.engine",
    "stream": "vlfau.video.stream",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version()
    if name not in _HOMES:
        raise AttributeError(f"module 'vlfau' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
