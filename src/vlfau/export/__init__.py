"""From a trained network to a bundle that runs without torch, and what that is worth (extra `train`)."""

from vlfau.export.bundle import export_bundle
from vlfau.export.evaluate import evaluate_bundle
from vlfau.export.quantised import quantise_bundle

__all__ = ["evaluate_bundle", "export_bundle", "quantise_bundle"]
