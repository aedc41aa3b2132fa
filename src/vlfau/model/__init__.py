"""The VL-FAU network in PyTorch, a file a block of the paper (extra `train`)."""

from vlfau.model.build import build_network
from vlfau.model.config import ModelConfig, build_vlfau
from vlfau.model.vlfau import VLFAU, JointOutput, VisionOutput

__all__ = ["VLFAU", "JointOutput", "ModelConfig", "VisionOutput", "build_network", "build_vlfau"]
