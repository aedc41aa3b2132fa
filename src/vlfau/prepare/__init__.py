"""Raw data sets of the field in, aligned faces and a manifest out."""

from vlfau.prepare.bp4d import read_bp4d
from vlfau.prepare.clips import Clip, LabelledFrame, Skipped, Source
from vlfau.prepare.disfa import read_disfa
from vlfau.prepare.lists import read_lists
from vlfau.prepare.prepare import prepare
from vlfau.prepare.protocol import Fold, Protocol, read_protocol

__all__ = [
    "Clip",
    "Fold",
    "LabelledFrame",
    "Protocol",
    "Skipped",
    "Source",
    "prepare",
    "read_bp4d",
    "read_disfa",
    "read_lists",
    "read_protocol",
]
