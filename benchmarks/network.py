"""The paper's configuration (Swin-B at 224 pixels, d = h = 512, 12 AUs): size, FLOPs and speed on this CPU.

And what the finer grid of the default configuration costs.
"""

from collections.abc import Iterator
from pathlib import Path

import timm
import torch
from tests.model.reference import classify_one_by_one, refine_one_by_one
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.rows import Row
from benchmarks.timing import time_in_turns
from vlfau.facs import AU_SETS
from vlfau.inference.bundle import load_bundle
from vlfau.language import Vocabulary, max_global_length, max_local_length
from vlfau.language.decoding import DecodingOptions, decode_captions
from vlfau.model import VLFAU, ModelConfig, build_vlfau
from vlfau.model.facemesh_v2 import FaceMeshV2
from vlfau.model.torch_backend import TorchStepper
from vlfau.training import read_config

__all__ = ["measure"]

AU_IDS = AU_SETS["bp4d"]
BATCH = 8
BEAM_SIZE = 3


def measure() -> Iterator[Row]:
    """Yield one row per measurement."""
    vocabulary = Vocabulary.for_aus(AU_IDS)
    torch.manual_seed(0)
    network = build_vlfau(ModelConfig(), num_aus=len(AU_IDS), vocabulary_size=len(vocabulary)).eval()
    yield from _size_and_work(network, vocabulary)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        yield from _branches(network, threads)
    yield from _forward(network)
    yield from _beam_search(network, vocabulary)
    torch.set_num_threads(1)
    yield from _grid()


def _crops(batch: int) -> Tensor:
    return torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8)


def _captions(vocabulary: Vocabulary, batch: int) -> tuple[Tensor, Tensor]:
    local_words = torch.randint(3, len(vocabulary), (batch, len(AU_IDS), max_local_length(AU_IDS)))
    return local_words, torch.randint(3, len(vocabulary), (batch, max_global_length(AU_IDS)))


def _flops(call: object, *inputs: Tensor) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call(*inputs)  # type: ignore[operator]
    return float(counter.get_total_flops()) / 1e9


def _size_and_work(network: VLFAU, vocabulary: Vocabulary) -> Iterator[Row]:
    def millions(module: torch.nn.Module) -> float:
        return sum(parameter.numel() for parameter in module.parameters()) / 1e6

    yield Row("parameters, whole network", f"{millions(network):.1f} M")
    yield Row("parameters, Swin-B stem alone", f"{millions(network.stem.backbone):.1f} M")
    crop = _crops(1)
    yield Row("FLOPs per face, bare Swin-B", f"{_flops(network.stem.backbone, crop.float()):.1f} GFLOPs")
    yield Row("FLOPs per face, vision half", f"{_flops(network.encode, crop):.1f} GFLOPs")
    yield Row(
        "FLOPs per face, with teacher forcing of all captions",
        f"{_flops(network, crop, *_captions(vocabulary, 1)):.1f} GFLOPs",
    )


def _forward(network: VLFAU) -> Iterator[Row]:
    bare = timm.create_model("swin_base_patch4_window7_224", pretrained=False).eval()
    crops = _crops(BATCH)
    with torch.inference_mode():
        times = time_in_turns({"bare": lambda: bare(crops.float()), "full": lambda: network.encode(crops)}, repeats=5)
    yield Row(f"forward of {BATCH} faces, timm's bare Swin-B", str(times["bare"]))
    yield Row(f"forward of {BATCH} faces, full network without captions", str(times["full"]))
    yield Row(
        "full over bare (goal 1.10 at most)",
        f"{times['full'].median / times['bare'].median:.3f}",
        times["bare"].median / times["full"].median,
    )


def _branches(network: VLFAU, threads: int) -> Iterator[Row]:
    refinement, classifier = network.refinement, network.classifier
    assert refinement is not None
    grid = torch.randn(BATCH, 7, 7, 512)
    stem_features = grid.flatten(1, 2)
    with torch.inference_mode():
        times = time_in_turns(
            {
                "loop": lambda: classify_one_by_one(classifier, refine_one_by_one(refinement, grid)[0]),
                "batched": lambda: classifier(refinement(grid).refine_and_pool(stem_features)),
                "features": lambda: refinement(grid).refine(stem_features),
            },
            repeats=60,
            warmup=5,
        )
    yield Row(f"DAIR and heads in a loop, {threads} thread(s)", str(times["loop"]))
    yield Row(f"DAIR and heads batched, {threads} thread(s)", str(times["batched"]))
    yield Row(f"all refined features batched, {threads} thread(s)", str(times["features"]))
    ratio = times["loop"].median / times["batched"].median
    yield Row(f"loop over batched, {threads} thread(s) (goal 3 at least)", f"{ratio:.2f}", ratio)


def _grid() -> Iterator[Row]:
    """Time the default configuration, with random weights, with half as many cells along each side of V's grid."""
    config = read_config(Path("configs/default.yaml"))
    au_ids = load_bundle().info.au_ids
    network = build_vlfau(config.model, num_aus=len(au_ids), vocabulary_size=100).eval()
    stem, refinement, branch = network.stem, network.refinement, network.movement_branch
    assert refinement is not None
    assert branch is not None
    assert isinstance(stem.backbone, FaceMeshV2)
    crops = torch.randint(0, 256, (BATCH, 3, config.model.crop_size, config.model.crop_size), dtype=torch.uint8)

    def judged(levels: list[Tensor]) -> object:
        features = stem.merge(levels)
        return network.classifier(refinement(features).refine_and_pool(features.flatten(1, 2)))

    with torch.inference_mode():
        levels = stem.backbone.standardise(branch.mesh(crops), pooled=True)
        cells = levels[0].shape[2]
        coarse = [functional.avg_pool2d(level, 2) for level in levels]
        times = time_in_turns(
            {"all": lambda: network.encode(crops), "fine": lambda: judged(levels), "coarse": lambda: judged(coarse)},
            repeats=30,
            warmup=3,
        )
    added = times["fine"].median - times["coarse"].median
    ratio = 1 - added / times["all"].median
    yield Row(
        f"default configuration, vision half, {BATCH} faces, a grid of {cells} x {cells} cells", str(times["all"])
    )
    yield Row(f"time that a grid of {cells // 2} x {cells // 2} saves", f"{1 - ratio:.1%}", ratio)


def _beam_search(network: VLFAU, vocabulary: Vocabulary) -> Iterator[Row]:
    decoder = network.local_decoder
    assert decoder is not None
    features = torch.randn(BATCH * len(AU_IDS), 49, 512)
    options = DecodingOptions(max_length=max_local_length(AU_IDS), beam_size=BEAM_SIZE)

    def search(part: Tensor) -> None:
        decode_captions(
            TorchStepper(decoder, part), bos_id=vocabulary.bos_id, eos_id=vocabulary.eos_id, options=options
        )

    def one_by_one() -> None:
        for row in range(len(features)):
            search(features[row : row + 1])

    times = time_in_turns({"one by one": one_by_one, "batched": lambda: search(features)}, repeats=1)
    what = f"beam search of {len(AU_IDS)} AUs x {BATCH} faces, beam {BEAM_SIZE}"
    yield Row(f"{what}, one by one", str(times["one by one"]))
    yield Row(f"{what}, batched", str(times["batched"]))
    ratio = times["one by one"].median / times["batched"].median
    yield Row("one by one over batched (goal 10)", f"{ratio:.1f}", ratio)
