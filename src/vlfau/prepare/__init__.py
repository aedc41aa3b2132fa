"""Turns raw AU data sets into aligned faces and a manifest."""

from vlfau.prepare.bp4d import read_bp4d
from vlfau.prepare.ckplus import read_ckplus
from vlfau.prepare.clips import Clip, LabelledFrame, Skipped, Source
from vlfau.prepare.disfa import read_disfa
from vlfau.prepare.disfaplus import read_disfaplus
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
    "read_ckplus",
    "read_disfa",
    "read_disfaplus",
    "read_lists",
    "read_protocol",
]
