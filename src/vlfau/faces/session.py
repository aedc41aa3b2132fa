"""How every ONNX graph of this package is opened."""

import os
from pathlib import Path

# Read when the library is loaded: what faces are looked at here, and that any are, is nobody else's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

from vlfau.errors import BundleError, VlfauError

__all__ = ["open_session"]

_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate", "Cannot allocate memory", "out of memory")

if hasattr(ort, "disable_telemetry_events"):
    ort.disable_telemetry_events()  # on Windows an older way of reporting does not ask for the variable


def open_session(path: Path, *, threads: int = 1) -> ort.InferenceSession:
    """Open a graph for the CPU.

    Args:
        path: The .onnx file.
        threads: Threads that one call may use.

    Raises:
        BundleError: The file is missing or not an ONNX graph.
        VlfauError: There is too little memory.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait slow a machine that has other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise BundleError(f"{path} does not exist; install vlfau again, or restore the bundle")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common public base
        if isinstance(error, MemoryError) or any(sign in str(error) for sign in _OUT_OF_MEMORY):
            raise VlfauError(
                f"there is too little memory to open {path}; close other programs, or allow this one more"
            ) from None
        raise BundleError(f"{path} is not an ONNX graph that can be run ({error}); restore the file") from error
