"""Weights stored at half precision: half the size on disk, computed with at full precision."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["store_weights_at_half"]

SMALLEST = 256
"""Weights of fewer numbers stay as they are: biases and constants, where precision is cheap."""

MAX_HALF = float(np.finfo(np.float16).max)


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
        if weight.data_type != TensorProto.FLOAT or values.size < SMALLEST or np.abs(values).max() > MAX_HALF:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return stored
