"""Imports libraries of OpenVINO without their telemetry, which would report even the import."""

import importlib
import sys
import threading
from types import ModuleType

from vlfau.errors import MissingExtraError

__all__ = ["without_telemetry"]

_LOCK = threading.Lock()
_TELEMETRY = "openvino_telemetry"


def without_telemetry(name: str, extra: str) -> ModuleType:
    """Import a library of an extra, which then takes a stub of its telemetry.

    Raises:
        MissingExtraError: It is not installed.
    """
    with _LOCK:
        before = sys.modules.get(_TELEMETRY)
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
        try:
            return importlib.import_module(name)
        except ImportError:
            raise MissingExtraError(name, extra) from None
        finally:
            del sys.modules[_TELEMETRY]
            if before is not None:
                sys.modules[_TELEMETRY] = before
