"""Pre-trained weights of a backbone: which files are read, and how tensors are matched to the network."""

import argparse
import importlib
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import model_entrypoint
from torch import Tensor, nn

from vlfau.errors import ConfigError, first_line

__all__ = [
    "load_stem_weights",
]

NESTED: Final = ("state_dict_ema", "model_ema", "state_dict", "model", "model_state_dict", "module", "net", "teacher")
"""Keys under which training scripts keep the weights; averaged weights come first."""
PREFIXES: Final = ("module.", "model.", "backbone.", "encoder.", "net.")
"""Prefixes that wrappers add to a backbone's tensor names."""
DEEPEST_PREFIX: Final = 3
COMPUTED: Final = ("relative_position_index", "relative_coords_table", "attn_mask", "num_batches_tracked")
"""Ends of the names of tensors that a network computes or only counts with; a file may lack them or have others."""
EXTRA: Final = ("head", "head_dist", "fc", "fc_norm", "classifier", "norm", "mask_token", "decoder")
"""Parts beside a backbone, such as the classification head."""
NAMES_SHOWN: Final = 3

Weights = Mapping[str, Tensor]


def load_stem_weights(network: nn.Module, path: Path, *, plain: nn.Module, name: str) -> None:
    """Load a file of weights into a backbone; every tensor of the backbone must be in the file.

    The names may be those of timm's model or of its feature extractor (`layers.0` or `layers_0`), have the usual
    prefixes (`backbone.`, `module.`, ...), or be the original authors', as far as timm converts them.

    Args:
        network: timm's feature extractor, which gets the weights.
        path: The file: safetensors, or a file of `torch.save`; nothing in it is executed.
        plain: timm's model of the same name and size, not as a feature extractor.
        name: timm's name of the model.

    Raises:
        ConfigError: The file cannot be read, or does not hold the weights of this backbone.
    """
    fits = [_Fit(network, plain, variant) for variant in _variants(_read_weights(path), plain, name)]
    fit = min(fits, key=lambda fit: fit.misses)  # the first of equals
    if not fit.is_whole:
        raise ConfigError(f"stem weights {path} are not those of {name}: {fit.problems()}; give a file of its weights")
    wrong = [key for key, tensor in fit.found.items() if not bool(torch.isfinite(tensor).all())]
    if wrong:
        raise ConfigError(f"stem weights {path} hold numbers that are not finite ({_few(wrong)}); fetch the file again")
    network.load_state_dict(fit.found, strict=False)


def _read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file of weights, by name; nothing of the file is executed.

    Raises:
        ConfigError: There is no such file, or it holds no weights, or more than weights.
    """
    if path.is_dir():
        raise ConfigError(f"stem weights {path} are a folder; give the file of weights in it (.safetensors or .pth)")
    if not path.is_file():
        raise ConfigError(f"stem weights {path} do not exist; give a local file, or none to start from scratch")
    try:
        with path.open("rb") as file:
            start = file.read(64)
        if start.startswith(b"version https://git-lfs"):
            raise ConfigError(
                f"stem weights {path} are a pointer of Git LFS, not the weights; fetch them: git lfs pull"
            )
        content: Any
        if start[8:9] == b"{":
            content = load_file(path)
        elif start.startswith((b"PK", b"\x80")):
            with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of old formats, which are read or refused all the same
                content = torch.load(path, map_location="cpu", weights_only=True)
        else:
            what = "empty" if not start else "neither safetensors nor what torch.save writes"
            raise ConfigError(f"stem weights {path} are {what}; fetch the file again")
    except pickle.UnpicklingError:
        raise ConfigError(
            f"stem weights {path} hold Python objects besides weights, which could run code, or are damaged; none of "
            "it was loaded: save the weights alone, as safetensors"
        ) from None
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, LookupError, TypeError) as error:
        raise _damaged(path, error) from None
    return _tensors(content, path)


def _damaged(path: Path, error: BaseException) -> ConfigError:
    return ConfigError(f"stem weights {path} are damaged ({first_line(error)[:200]}); fetch the file again")


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    for _ in NESTED:
        inner = [
            content[key] for key in NESTED if isinstance(content, Mapping) and isinstance(content.get(key), Mapping)
        ]
        if not inner:
            break
        content = inner[0]
    found = {
        key: value
        for key, value in (content.items() if isinstance(content, Mapping) else ())
        if isinstance(key, str) and isinstance(value, Tensor)
    }
    if not found:
        raise ConfigError(f"stem weights {path} hold no named tensors; give a file of a network's weights")
    return found


def _variants(weights: Weights, plain: nn.Module, name: str) -> Iterator[Weights]:
    """Give the weights as they are, converted by timm, and both without prefixes."""
    convert = getattr(importlib.import_module(model_entrypoint(name).__module__), "checkpoint_filter_fn", None)
    names = {_joined(key): key for key in plain.state_dict()}
    for stripped in _without_prefixes(weights, DEEPEST_PREFIX):
        renamed = {names.get(_joined(key), key): value for key, value in stripped.items()}
        yield renamed
        if convert is not None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of how fast its resampling is
                    converted = convert(dict(renamed), plain)
                yield converted
            except (AttributeError, LookupError, RuntimeError, ValueError, TypeError, AssertionError):
                continue  # weights of another architecture, which the other variants describe


def _without_prefixes(weights: Weights, depth: int) -> Iterator[Weights]:
    yield weights
    for prefix in PREFIXES if depth else ():
        below = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        if below:
            yield from _without_prefixes(below, depth - 1)


class _Fit:
    """How well tensors of a file fit a backbone.

    Args:
        network: timm's feature extractor.
        plain: timm's model, whose further tensors (the head) a file may have.
        weights: The tensors of the file, under the names of `plain`.
    """

    def __init__(self, network: nn.Module, plain: nn.Module, weights: Weights) -> None:
        given = {_joined(key): (key, value) for key, value in weights.items()}
        self.found: dict[str, Tensor] = {}
        self.missing: list[str] = []
        self.misshapen: list[str] = []
        self.total = 0
        used = {_joined(key) for key in plain.state_dict()}
        for key, own in network.state_dict().items():
            self.total += 1
            place = _joined(key) if _joined(key) in given else _joined(key).removeprefix("model_")
            used.add(place)
            name, value = given.get(place, (key, None))
            if value is None:
                if not key.endswith(COMPUTED):
                    self.missing.append(key)
            elif value.shape != own.shape or value.is_floating_point() != own.is_floating_point():
                self.misshapen.append(f"{name}: {_shape(value)} in place of {_shape(own)}")
            else:
                self.found[key] = value
        self.surplus = [
            name
            for place, (name, _) in given.items()
            if place not in used and not name.endswith(COMPUTED) and name.partition(".")[0] not in EXTRA
        ]

    @property
    def misses(self) -> tuple[int, int]:
        """Number of missing, misshapen and surplus tensors."""
        return len(self.missing) + len(self.misshapen), len(self.surplus)

    @property
    def is_whole(self) -> bool:
        """Whether all tensors are there and no others."""
        return not any(self.misses)

    def problems(self) -> str:
        """Return what is missing, misshapen or surplus, with a few names each."""
        said = []
        if self.missing:
            said.append(f"{len(self.missing)} of its {self.total} tensors are missing ({_few(self.missing)})")
        if self.misshapen:
            said.append(f"{len(self.misshapen)} have another shape ({_few(self.misshapen)})")
        if self.surplus:
            said.append(f"{len(self.surplus)} are unknown to it ({_few(self.surplus)})")
        return ", ".join(said)


def _joined(name: str) -> str:
    """Return a name as all of timm's ways to write it have it: `layers.0.x` is `layers_0.x` in a feature extractor."""
    return name.replace(".", "_")


def _shape(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "one number"
    return shape if tensor.is_floating_point() else f"{shape} of {str(tensor.dtype).removeprefix('torch.')}"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown}, ..."
