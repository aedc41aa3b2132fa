"""The network of a bundle, read back from its ONNX graphs, so that training can start where only a bundle is left.

Most weights keep their names in a graph. The exporter transposes those of some linear layers and calls them otherwise,
keeps equal ones once, leaves biases of zeros out, writes PReLU as convolutions (`vlfau.export.layout`), and folds a
batch normalisation into the convolution before it. All that is undone here. Whether it was undone rightly is not
believed but measured: network and graphs must give the same on random faces.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from vlfau.errors import CheckpointError
from vlfau.inference.bundle import Bundle
from vlfau.inference.runtimes import open_backend
from vlfau.inference.schema import GLOBAL_FILES, LOCAL_FILES, VISION_FILE
from vlfau.language import Vocabulary
from vlfau.language.decoding import CaptionStepper
from vlfau.model import VLFAU, ModelConfig, build_vlfau
from vlfau.model.torch_backend import TorchBackend

__all__ = ["bundle_network"]

_MAX_DIFFERENCE: Final = 1e-4
"""Between what network and graphs give, as a share of the largest value."""
UNUSED_BY_GRAPHS: Final = ("global_classifier.", "num_batches_tracked")
"""Parts of a network that only training needs: bundles have none."""
_HALF: Final = ".half"
_FACES: Final = 4

Arrays = dict[str, NDArray[np.float32]]


def bundle_network(bundle: Bundle, config: ModelConfig) -> VLFAU:
    """Build a network and give it the weights of a bundle.

    Args:
        bundle: With weights at full or half precision.
        config: What the bundle was trained with; bundles do not say it.

    Returns:
        The network in evaluation mode. The classifier of the global language model is fresh.

    Raises:
        CheckpointError: The bundle has no such network, or one of 8-bit integers.
        ConfigError: The configuration fits no network.
    """
    info = bundle.info
    network = build_vlfau(config, num_aus=len(info.au_ids), vocabulary_size=len(info.vocabulary)).eval()
    weights = _weights_of(network, bundle, (VISION_FILE,), "network.", but=("local_decoder.", "global_decoder."))
    for name, files in (("local_decoder", LOCAL_FILES), ("global_decoder", GLOBAL_FILES)):
        decoder = getattr(network, name)
        if decoder is not None and files[0] not in bundle.files:
            raise CheckpointError(
                f"bundle {bundle.folder} has no {files[0]}, and the configuration wants its words; start from another, "
                "or switch local_language or global_language off"
            )
        if decoder is not None:
            found = _weights_of(decoder, bundle, files, "decoder.")
            weights |= {f"{name}.{key}": value for key, value in found.items()}
    _fill(network, weights, bundle)
    _compare(network, bundle)
    return network


def _weights_of(
    module: nn.Module, bundle: Bundle, files: Sequence[str], prefix: str, *, but: tuple[str, ...] = ()
) -> Arrays:
    """Return the weights of a module that graphs hold, by their names in the module."""
    wanted = {
        name: tuple(weight.shape)
        for name, weight in module.state_dict().items()
        if not name.startswith(but) and not any(part in name for part in UNUSED_BY_GRAPHS)
    }
    found: Arrays = {}
    nameless: list[NDArray[np.float32]] = []
    for file in files:
        graph = onnx.load(bundle.path(file)).graph
        stored = {
            weight.name.removesuffix(_HALF): numpy_helper.to_array(weight).astype(np.float32)
            for weight in graph.initializer
            if weight.data_type in {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16}
        }
        found |= {name: stored[prefix + name] for name in wanted if prefix + name in stored}
        found |= {name: values for name, values in _prelu_slopes(module, graph, stored) if name in wanted}
        used: set[str] = set()
        for layer in _layers(graph):
            owner = _owner(layer, prefix)
            for role, (name, is_transposed) in layer.items() if owner is not None else ():
                if name in stored and f"{owner}.{role}" in wanted:
                    values = stored[name].T if is_transposed else stored[name]
                    found.setdefault(f"{owner}.{role}", values)
                    used.add(name)
        factors = [node.input[1] for node in graph.node if node.op_type == "MatMul"]
        nameless += [stored[name] for name in factors if name in stored and name not in used]
    found |= _only_fits(nameless, {name: shape for name, shape in wanted.items() if name not in found})
    found |= _folded_normalisations(module, set(wanted) - set(found))
    zeros = [name for name in wanted if name.endswith(".bias") and f"{name.removesuffix('bias')}weight" in found]
    return {name: np.zeros(wanted[name], np.float32) for name in zeros} | found


def _prelu_slopes(
    module: nn.Module, graph: onnx.GraphProto, stored: Arrays
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the slopes of activations, which come in the order in which they are computed."""
    slopes = [
        1 + stored[name] * stored[f"{name.removesuffix('.sign')}.below"]
        for node in graph.node
        if node.op_type == "Conv"
        for name in node.input[1:]
        if name.endswith(".sign")
    ]
    names = [f"{name}.weight" for name, part in module.named_modules() if isinstance(part, nn.PReLU)]
    if len(names) == len(slopes):
        yield from zip(names, slopes, strict=True)


def _layers(graph: onnx.GraphProto) -> Iterator[dict[str, tuple[str, bool]]]:
    """Yield what the weights of each layer are called in the graph, by role, and whether they are transposed."""
    products = {node.output[0]: node for node in graph.node if node.op_type in {"MatMul", "Einsum"}}
    for node in graph.node:
        if node.op_type == "Conv":
            yield {role: (name, False) for role, name in zip(("weight", "bias"), node.input[1:], strict=False)}
        elif node.op_type == "Gemm":
            is_transposed = not any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            yield {"weight": (node.input[1], is_transposed), "bias": (node.input[2], False)}
        elif node.op_type == "BatchNormalization":
            roles = ("weight", "bias", "running_mean", "running_var")
            yield {role: (name, False) for role, name in zip(roles, node.input[1:], strict=True)}
        elif node.op_type == "Add":
            for result, bias in (node.input, reversed(node.input)):
                if result in products:
                    product = products[result]
                    yield {"weight": (product.input[1], product.op_type == "MatMul"), "bias": (bias, False)}


def _owner(layer: Mapping[str, tuple[str, bool]], prefix: str) -> str | None:
    """Return the module to which a layer belongs: a weight that has kept its name tells, or statistics, or a bias."""
    for role in ("weight", "running_mean", "running_var", "bias"):
        name, _ = layer.get(role, ("", False))
        if name.startswith(prefix) and name.endswith(f".{role}"):
            return name.removeprefix(prefix).removesuffix(f".{role}")
    return None


def _only_fits(matrices: Sequence[NDArray[np.float32]], wanted: Mapping[str, tuple[int, ...]]) -> Arrays:
    """Return weights of linear layers without a bias: those that one matrix alone can be, transposed."""
    found: Arrays = {}
    for name, shape in wanted.items():
        fitting = [matrix for matrix in matrices if matrix.shape == shape[::-1] and len(shape) == 2]
        if len(fitting) == list(wanted.values()).count(shape) == 1:
            found[name] = fitting[0].T
    return found


def _folded_normalisations(module: nn.Module, missing: set[str]) -> Arrays:
    """Return batch normalisations that change nothing, for those that went into the layers before them."""
    found: Arrays = {}
    for name, part in module.named_modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and f"{name}.running_var" in missing:
            count = part.num_features
            found |= {f"{name}.running_mean": np.zeros(count, np.float32)}
            found |= {f"{name}.running_var": np.full(count, 1 - part.eps, np.float32)}
            found |= {f"{name}.weight": np.ones(count, np.float32), f"{name}.bias": np.zeros(count, np.float32)}
    return {name: values for name, values in found.items() if name in missing}


def _fill(network: VLFAU, weights: Arrays, bundle: Bundle) -> None:
    state = network.state_dict()
    for name, current in state.items():
        if any(part in name for part in UNUSED_BY_GRAPHS):
            continue
        if name not in weights or weights[name].size != current.numel():
            found = f"one of the shape {list(weights[name].shape)}" if name in weights else "none"
            raise CheckpointError(
                f"bundle {bundle.folder} has no weight {name} of the shape {list(current.shape)}, but {found}; give "
                "the configuration that it was trained with, and no bundle of 8-bit integers"
            )
        state[name] = torch.from_numpy(weights[name].reshape(current.shape).copy())
    network.load_state_dict(state)


def _compare(network: VLFAU, bundle: Bundle) -> None:
    """Refuse a network that gives other values than the graphs do."""
    rng = np.random.default_rng(0)
    size = bundle.info.crop.crop_size
    crops = rng.integers(0, 256, (_FACES, size, size, 3), dtype=np.uint8)
    ours, theirs = TorchBackend(network, device="cpu"), open_backend(bundle)
    own, other = ours.encode(crops), theirs.encode(crops)
    pairs = {
        name: (getattr(own, name), getattr(other, name))
        for name in ("au_logits", "stem_features", "au_features", "attention_maps", "au_intensities")
    }
    if network.local_decoder is not None:
        features = other.au_features[:, 0]
        pairs["local words"] = _first_words(ours.local_stepper(features)), _first_words(theirs.local_stepper(features))
    if network.global_decoder is not None:
        features = other.stem_features
        pairs["global words"] = (
            _first_words(ours.global_stepper(features)),
            _first_words(theirs.global_stepper(features)),
        )
    for name, (mine, yours) in pairs.items():
        if not _is_alike(mine, yours):
            raise CheckpointError(
                f"bundle {bundle.folder} gives other {name} than a network with its weights; give the configuration "
                "that it was trained with (model.mirrored and model.told_scores too)"
            )


def _first_words(stepper: CaptionStepper) -> NDArray[np.floating]:
    """Return what a decoder says first, (S, 1, W)."""
    hidden, cell = stepper.start()
    rows = np.arange(len(hidden))
    return stepper.step(np.full((len(hidden), 1), Vocabulary.bos_id), hidden[:, None], cell[:, None], rows).logits


def _is_alike(own: NDArray[np.floating] | None, other: NDArray[np.floating] | None) -> bool:
    if own is None or other is None:
        return own is other
    if own.shape != other.shape:
        return False
    return bool(np.abs(own - other).max() <= _MAX_DIFFERENCE * max(1.0, float(np.abs(other).max())))
