"""The network as ONNX graphs: one for vision, two per caption decoder; weights may be stored at half precision.

Shapes are those of a bundle: B faces, S sequences, K hypotheses; all three may vary at run time.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from vlfau.export.layout import keep_blocks
from vlfau.model import VLFAU
from vlfau.model.caption_decoder import CaptionDecoder

__all__ = ["export_graphs", "store_weights_at_half"]

OPSET = 20
MIN_HALVED = 256
"""Smaller tensors (biases and constants) keep their precision, which costs little space."""
MAX_HALF = float(np.finfo(np.float16).max)


class _Vision(nn.Module):
    def __init__(self, network: VLFAU) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        vision = self.network.encode(crops.permute(0, 3, 1, 2))
        outputs = (vision.au_logits, vision.face_features, vision.au_features(), vision.attention_maps)
        further = (vision.au_intensities, vision.au_sides)
        return (*outputs, *(output for output in further if output is not None))


class _Init(nn.Module):
    def __init__(self, decoder: CaptionDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        start = self.decoder.start(features)
        return start.keys, start.hidden, start.cell


class _Step(nn.Module):
    def __init__(self, decoder: CaptionDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, token_ids: Tensor, hidden: Tensor, cell: Tensor, features: Tensor, keys: Tensor
    ) -> tuple[Tensor, ...]:
        step = self.decoder.step(token_ids, hidden, cell, features, keys)
        return step.logits, step.hidden, step.cell, step.attention_weights


@dataclass(frozen=True)
class _Graph:
    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    dynamic: Mapping[str, Mapping[int, str]]


def export_graphs(network: VLFAU, *, crop_size: int) -> dict[str, onnx.ModelProto]:
    """Export every part that the network has.

    Args:
        network: In evaluation mode, on the CPU.
        crop_size: Side of the crops, in pixels.

    Returns:
        The graphs by file name: `vision.onnx`, and `local_init.onnx`, `local_step.onnx`, `global_init.onnx`,
        `global_step.onnx` for the caption decoders that the network has.
    """
    crops = torch.zeros(2, crop_size, crop_size, 3, dtype=torch.uint8)
    further = ["au_intensities"] if network.intensity_head is not None else []
    if network.movement_branch is not None and network.movement_branch.side_heads is not None:
        further.append("au_sides")
    graphs = {
        "vision": _Graph(
            _Vision(network),
            {"crops": crops},
            ["au_logits", "stem_features", "au_features", "attention_maps", *further],
            {"crops": {0: "faces"}},
        )
    }
    with torch.no_grad():
        _, locations, feature_dim = network.encode(crops.permute(0, 3, 1, 2)).face_features.shape
    for name, decoder in (("local", network.local_decoder), ("global", network.global_decoder)):
        if decoder is not None:
            graphs |= _caption_graphs(name, decoder, torch.zeros(2, locations, feature_dim))
    return {f"{name}.onnx": _export(graph) for name, graph in graphs.items()}


def _caption_graphs(name: str, decoder: CaptionDecoder, features: Tensor) -> dict[str, _Graph]:
    with torch.no_grad():
        start = decoder.start(features)
    beams = 3
    state = start.hidden[:, None].expand(-1, beams, -1).contiguous()
    sequences, hypotheses = {0: "sequences"}, {0: "sequences", 1: "hypotheses"}
    step_inputs = {
        "token_ids": torch.zeros(len(features), beams, dtype=torch.long),
        "hidden": state,
        "cell": state.clone(),
        "features": features,
        "keys": start.keys,
    }
    return {
        f"{name}_init": _Graph(
            _Init(decoder), {"features": features}, ["keys", "hidden", "cell"], {"features": sequences}
        ),
        f"{name}_step": _Graph(
            _Step(decoder),
            step_inputs,
            ["logits", "next_hidden", "next_cell", "attention_weights"],
            {key: sequences if key in {"features", "keys"} else hypotheses for key in step_inputs},
        ),
    }


def _export(graph: _Graph) -> onnx.ModelProto:
    # The exporter reports its progress and its own deprecations; neither concerns the user.
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph.module.eval(),
                tuple(graph.inputs.values()),
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_shapes=tuple(dict(graph.dynamic[name]) for name in graph.inputs),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
    assert program is not None
    return keep_blocks(_without_traces(program.model_proto))


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the exporter's notes, which contain local paths."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def store_weights_at_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose large weights are float16, each followed by a cast back to float32.

    A runtime folds the casts when it loads the graph, so speed does not change.
    """
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    graph = stored.graph
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < MIN_HALVED or np.abs(values).max() > MAX_HALF:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return stored
