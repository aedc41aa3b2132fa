"""Operators that ONNX Runtime has no fast kernel for, written as convolutions.

On a CPU, ONNX Runtime keeps the channels of a convolutional network in blocks (NCHWc). PReLU and zeros added as
further channels make it leave that layout and come back, and its PReLU is slow itself: in FaceMesh the two took more
than half of the time. 1x1 convolutions and ReLU stay in the layout.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["keep_blocks"]

_RANK = 4  # of the images (B, C, H, W) that are kept in blocks
_LAST_CHANNEL = 5  # in the sizes of a padding, which are those before B, C, H, W and those after
_HALF_BLOCK = 8
_BOTTLENECK = ("Conv", "PRelu", "Conv", "Conv")


def keep_blocks(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy that computes the same without PReLU and without zeros added as channels.

    With one slope a channel, PReLU(x; a) = x + s ReLU(-|1 - a| x), where s is the sign of 1 - a: two depthwise 1x1
    convolutions, which ONNX Runtime fuses with the ReLU and the sum. With one slope for all it is LeakyReLU. Added
    zeros are a 1x1 convolution with the identity. Nodes of other forms stay as they are.

    In a bottleneck of at most half a block, PReLU(x; a) is ReLU(x) - a ReLU(-x): the convolution before it yields x
    and -x, and the depthwise one after it scales by the slopes, so that nothing is left to do.
    """
    rewritten = onnx.ModelProto()
    rewritten.CopyFrom(model)
    graph = rewritten.graph
    rewriter = _Rewriter(rewritten)
    nodes = [new for node in rewriter.doubled(graph) for new in rewriter.rewrite(node)]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
    kept = [weight for weight in (*graph.initializer, *rewriter.weights.values()) if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return rewritten


class _Rewriter:
    def __init__(self, model: onnx.ModelProto) -> None:
        self._constants = dict(_constants(model.graph))
        inferred = onnx.shape_inference.infer_shapes(model).graph
        self._channels = {
            value.name: value.type.tensor_type.shape.dim[1].dim_value
            for value in (*inferred.input, *inferred.value_info, *inferred.output)
            if value.type.tensor_type.elem_type == TensorProto.FLOAT and len(value.type.tensor_type.shape.dim) == _RANK
        }
        self.weights: dict[str, onnx.TensorProto] = {}

    def doubled(self, graph: onnx.GraphProto) -> list[onnx.NodeProto]:
        """Return the graph's nodes with twice the channels in narrow bottlenecks, and without their PReLU."""
        uses = Counter(name for node in graph.node for name in node.input)
        uses.update(output.name for output in graph.output)
        made_by = {name: node for node in graph.node for name in node.output}
        changed: dict[str, onnx.NodeProto] = {}
        for last in graph.node:
            chain = [last]
            while len(chain) < len(_BOTTLENECK):
                before = next(iter(chain[0].input), "")  # Constants have no inputs.
                if uses[before] != 1 or before not in made_by:
                    break
                chain.insert(0, made_by[before])
            if tuple(node.op_type for node in chain) == _BOTTLENECK and self._is_narrow(chain):
                changed |= {node.output[0]: new for node, new in zip(chain, self._double(chain), strict=True)}
        shapes = [value for value in graph.value_info if value.name not in changed]
        del graph.value_info[:]
        graph.value_info.extend(shapes)
        return [changed.get(node.output[0], node) for node in graph.node]

    def _is_narrow(self, chain: Sequence[onnx.NodeProto]) -> bool:
        first, activation, depthwise, last = chain
        known = all(name in self._constants for node in chain for name in node.input[1:])
        channels = self._channels.get(first.output[0], 0)
        return (
            known
            and 1 < channels <= _HALF_BLOCK
            and self._constants[activation.input[1]].shape in {(channels, 1, 1), (1, channels, 1, 1)}
            and [_group(node) for node in (first, depthwise, last)] == [1, channels, 1]
            and len(self._constants[depthwise.input[1]]) == channels
        )

    def _double(self, chain: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
        first, activation, depthwise, last = chain
        (slopes,) = self._weights_of(activation)
        yield self._with_weights(first, *(np.concatenate([each, -each]) for each in self._weights_of(first)))
        yield helper.make_node("Relu", list(activation.input[:1]), list(activation.output), name=activation.name)
        kernel, *bias = self._weights_of(depthwise)
        biases = [np.concatenate([each, np.zeros_like(each)]) for each in bias]
        yield self._with_weights(depthwise, np.concatenate([kernel, -slopes.reshape(-1, 1, 1, 1) * kernel]), *biases)
        weight, *bias = self._weights_of(last)
        yield self._with_weights(last, np.concatenate([weight, weight], axis=1), *bias)

    def _weights_of(self, node: onnx.NodeProto) -> list[NDArray[np.float32]]:
        return [self._constants[name].astype(np.float32) for name in node.input[1:]]

    def _with_weights(self, node: onnx.NodeProto, *weights: NDArray[np.float32]) -> onnx.NodeProto:
        """Return a convolution with other weights; a depthwise one stays one."""
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        roles = zip(("weight", "bias"), weights, strict=False)
        changed.input[1:] = [self._weight(f"{node.output[0]}.{role}", values) for role, values in roles]
        for attribute in changed.attribute:
            if attribute.name == "group" and attribute.i > 1:
                attribute.i = len(weights[0])
        return changed

    def rewrite(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """Yield the nodes that stand for one."""
        if node.op_type == "PRelu":
            yield from self._prelu(node)
        elif node.op_type == "Pad":
            yield from self._pad(node)
        else:
            yield node

    def _prelu(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        (source, slope), (output,) = node.input, node.output
        slopes = self._constants.get(slope)
        channels = self._channels.get(source, 0)
        if slopes is not None and slopes.size == 1:
            yield helper.make_node("LeakyRelu", [source], [output], alpha=float(slopes.item()))
        elif slopes is not None and channels and slopes.shape in {(channels, 1, 1), (1, channels, 1, 1)}:
            rest = 1 - slopes.reshape(-1, 1, 1, 1).astype(np.float32)
            # `vlfau.model.facemesh` finds the slopes by these names.
            below = self._weight(f"{slope}.below", -np.abs(rest))
            sign = self._weight(f"{slope}.sign", np.where(rest < 0, -1, 1).astype(np.float32))
            scaled, cut, added = (f"{output}.{part}" for part in ("scaled", "cut", "added"))
            yield helper.make_node("Conv", [source, below], [scaled], group=channels)
            yield helper.make_node("Relu", [scaled], [cut])
            yield helper.make_node("Conv", [cut, sign], [added], group=channels)
            yield helper.make_node("Add", [source, added], [output])
        else:
            yield node

    def _pad(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        source, output = node.input[0], node.output[0]
        channels, added = self._channels.get(source, 0), self._added_channels(node)
        if channels and added:
            # Bytes hold the identity exactly; a runtime folds the cast when it loads the graph.
            identity = np.eye(channels + added, channels, dtype=np.int8)[..., None, None]
            name = self._weight(f"identity_{channels + added}_{channels}", identity)
            yield helper.make_node("Cast", [name], [f"{output}.identity"], to=TensorProto.FLOAT)
            yield helper.make_node("Conv", [source, f"{output}.identity"], [output])
        else:
            yield node

    def _added_channels(self, node: onnx.NodeProto) -> int:
        """Return how many channels of zeros a padding puts after the last; 0 if it does anything else."""
        sizes = self._constants.get(node.input[1])
        modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
        # A third input is the value to pad with, a fourth the axes.
        is_plain = len(node.input) == 2 and modes in ([], [b"constant"])
        if not is_plain or sizes is None or np.flatnonzero(sizes).tolist() != [_LAST_CHANNEL]:
            return 0
        return max(int(sizes[_LAST_CHANNEL]), 0)

    def _weight(self, name: str, values: NDArray[np.generic]) -> str:
        self.weights[name] = numpy_helper.from_array(values, name)
        return name


def _group(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield what is known of a graph before it runs: its weights, also behind a cast."""
    weights = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    yield from weights.items()
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:
            yield node.output[0], weights[node.input[0]]
