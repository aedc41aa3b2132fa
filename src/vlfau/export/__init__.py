"""Export of trained networks to bundles that run without torch, optionally with 8-bit integers (extra `train`)."""

from vlfau.export.bundle import export_bundle
from vlfau.export.quantised import quantise_bundle

__all__ = ["export_bundle", "quantise_bundle"]
