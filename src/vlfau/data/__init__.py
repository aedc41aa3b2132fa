"""Frames with labels on their way into training (extra `train`)."""

from vlfau.data.datamodule import FaceDataModule
from vlfau.data.dataset import Batch, FrameDataset
from vlfau.data.manifest import Frame, Manifest, read_manifest
from vlfau.data.transforms import AugmentationConfig

__all__ = [
    "AugmentationConfig",
    "Batch",
    "FaceDataModule",
    "Frame",
    "FrameDataset",
    "Manifest",
    "read_manifest",
]
