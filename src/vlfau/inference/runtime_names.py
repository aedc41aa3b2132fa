"""The names of the runtimes; a file of its own, so that the command line need not load one to know them."""

from typing import Literal

__all__ = ["Runtime"]

Runtime = Literal["onnxruntime", "openvino", "openvino-bf16", "auto"]
"""OpenVINO is an extra, its bf16 needs a processor that has it, and `auto` times what is there."""
