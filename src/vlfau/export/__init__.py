"""From a trained network to a bundle that runs without torch, and to one of 8-bit integers (extra `train`)."""

from vlfau.export.bundle import export_bundle
from vlfau.export.quantised import quantise_bundle

__all__ = ["export_bundle", "quantise_bundle"]
