"""Frames with labels on their way into training (extra `train`)."""

from vlfau.data.datamodule import FaceDataModule
from vlfau.data.dataset import Batch, FrameDataset
from vlfau.data.folds import hold_out, never_active
from vlfau.data.manifest import Frame, Manifest, manifest_digest, read_manifest
from vlfau.data.transforms import AugmentationConfig

__all__ = [
    "AugmentationConfig",
    "Batch",
    "FaceDataModule",
    "Frame",
    "FrameDataset",
    "Manifest",
    "hold_out",
    "manifest_digest",
    "never_active",
    "read_manifest",
]
