"""The paper's configuration and the default model's on a GPU: prediction, captioning and training.

fp32 means without TF32 in matrix products; bf16 is torch's autocast.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import timm
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.learning import joint_module, optimiser_of, training_step
from benchmarks.rows import Row
from benchmarks.timing import Timing, time_in_turns
from vlfau.data.dataset import Batch
from vlfau.facs import AU_SETS, DEFAULT_AU_IDS
from vlfau.language import Vocabulary, max_global_length, max_local_length
from vlfau.language.decoding import DecodingOptions, decode_captions
from vlfau.model import VLFAU, ModelConfig, build_vlfau
from vlfau.model.torch_backend import TorchStepper
from vlfau.training.config import read_config
from vlfau.training.module import VLFAUModule

__all__ = ["measure"]

PAPER_AUS, PAPER_BATCH = AU_SETS["bp4d"], 64
DEFAULT_CONFIGS = tuple(Path(f"configs/{name}.yaml") for name in ("default-vision", "default"))
DEFAULT_BATCHES = (32, 128)
CAPTION_WORDS = (37, 47)
"""Padded length of the local and the global captions in a batch of 64 faces."""
BARE = "swin_base_patch4_window7_224"
PRECISIONS = ("fp32", "bf16")
REPEATS = 10


def measure() -> Iterator[Row]:
    """Yield one row per measurement."""
    if not torch.cuda.is_available():
        yield Row("GPU", "torch finds no GPU, so nothing is measured")
        return
    yield Row("GPU", f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}")
    torch.manual_seed(0)
    yield from _prediction()
    yield from _captioning()
    yield from _training()
    yield from _default_training()


def _network(config: ModelConfig, au_ids: tuple[int, ...]) -> VLFAU:
    network = build_vlfau(config, num_aus=len(au_ids), vocabulary_size=len(Vocabulary.for_aus(au_ids)))
    return network.cuda().to(memory_format=torch.channels_last)  # as in training


def _prediction() -> Iterator[Row]:
    network, bare = _network(ModelConfig(), PAPER_AUS).eval(), timm.create_model(BARE).cuda().eval()
    for faces in (1, PAPER_BATCH):
        crops = torch.randint(0, 256, (faces, 3, 224, 224), dtype=torch.uint8, device="cuda")
        variants: dict[str, Callable[[], object]] = {}
        for precision in PRECISIONS:
            variants[f"bare {precision}"] = _at(precision, partial(bare, crops.float()))
            variants[f"full {precision}"] = _at(precision, partial(_numbers, network, crops))
        with torch.inference_mode():
            times = _time(variants)
        for precision in PRECISIONS:
            full, plain = times[f"full {precision}"], times[f"bare {precision}"]
            yield Row(f"Swin-B, {faces} face(s), {precision}, prediction", _speed(full, faces))
            ratio = plain.median / full.median
            yield Row(f"Swin-B, {faces} face(s), {precision}, over timm's bare Swin-B", f"{1 / ratio:.2f}", ratio)


def _numbers(network: VLFAU, crops: Tensor) -> Tensor:
    return network.encode(crops).au_logits


def _captioning() -> Iterator[Row]:
    decoder = _network(ModelConfig(), PAPER_AUS).local_decoder
    assert decoder is not None
    vocabulary = Vocabulary.for_aus(PAPER_AUS)
    features = torch.randn(PAPER_BATCH * len(PAPER_AUS), 49, 512, device="cuda")
    for beam_size in (1, 3):
        options = DecodingOptions(max_length=max_local_length(PAPER_AUS), beam_size=beam_size)

        def search(options: DecodingOptions = options) -> None:
            stepper = TorchStepper(decoder, features)
            decode_captions(stepper, bos_id=vocabulary.bos_id, eos_id=vocabulary.eos_id, options=options)

        time = _time({"": search})[""]
        what = f"captions of {len(PAPER_AUS)} AUs on {PAPER_BATCH} faces, untrained and so of maximum length"
        yield Row(f"{what}, beam {beam_size}", _speed(time, PAPER_BATCH))


def _training() -> Iterator[Row]:
    batch = _batch(PAPER_AUS, PAPER_BATCH, crop_size=224, landmarks=0)
    full = _module(ModelConfig(), PAPER_AUS)
    optimiser = optimiser_of(full)
    joint = {
        precision: training_step(optimiser, _at(precision, partial(_joint_loss, full, batch)))
        for precision in PRECISIONS
    }
    memory = {precision: _memory(step) for precision, step in joint.items()}
    bare = timm.create_model(BARE, num_classes=len(PAPER_AUS)).cuda()
    other = optimiser_of(bare)
    for precision in PRECISIONS:
        plain = training_step(other, _at(precision, partial(_bare_loss, bare, batch)))
        times = _time({"bare": plain, "full": joint[precision]})
        what = f"training step of {PAPER_BATCH} faces, {precision}"
        yield Row(f"{what}, full network", f"{_speed(times['full'], PAPER_BATCH)}, {memory[precision]:.1f} GiB")
        ratio = times["bare"].median / times["full"].median
        yield Row(f"{what}, over bare Swin-B (goal 1.5 at most)", f"{1 / ratio:.2f}", ratio)


def _default_training() -> Iterator[Row]:
    for path in DEFAULT_CONFIGS:
        config = read_config(path)
        module = _module(config.model, DEFAULT_AU_IDS, config.run.local_captions_per_face)
        if config.run.frozen_vision:
            module.network.freeze_vision()
        optimiser = optimiser_of(module)
        for faces in DEFAULT_BATCHES:
            batch = _batch(DEFAULT_AU_IDS, faces, crop_size=config.model.crop_size, landmarks=config.model.landmarks)
            for precision in PRECISIONS:
                step = training_step(optimiser, _at(precision, partial(_joint_loss, module, batch)))
                time = _time({"": step})[""]
                yield Row(f"training step of {path.stem}, {faces} faces, {precision}", _speed(time, faces))


def _memory(step: Callable[[], None]) -> float:
    """Return the peak memory of a step in GiB, including the network and its optimiser."""
    step()
    torch.cuda.reset_peak_memory_stats()
    step()
    return torch.cuda.max_memory_allocated() / 2**30


def _joint_loss(module: VLFAUModule, batch: Batch) -> Tensor:
    return module.training_losses(batch).total()


def _bare_loss(bare: torch.nn.Module, batch: Batch) -> Tensor:
    return F.binary_cross_entropy_with_logits(bare((batch.faces.float() - 127) / 64), batch.occurrence)


def _module(config: ModelConfig, au_ids: tuple[int, ...], captions_per_face: int | None = None) -> VLFAUModule:
    return joint_module(_network(config, au_ids), au_ids, captions_per_face).cuda()


def _batch(au_ids: tuple[int, ...], faces: int, *, crop_size: int, landmarks: int) -> Batch:
    words = len(Vocabulary.for_aus(au_ids))
    local_words, global_words = CAPTION_WORDS
    local_length, global_length = max_local_length(au_ids), max_global_length(au_ids)
    batch = Batch(
        faces=torch.randint(0, 256, (faces, 3, crop_size, crop_size), dtype=torch.uint8),
        occurrence=torch.randint(0, 2, (faces, len(au_ids))).float(),
        valid_mask=torch.ones(faces, len(au_ids), dtype=torch.bool),
        intensity=5 * torch.rand(faces, len(au_ids)),
        landmarks=torch.rand(faces, landmarks, 2),
        regions=torch.zeros(faces, len(au_ids), 0, 0, dtype=torch.uint8),
        local_captions=torch.randint(3, words, (faces, len(au_ids), min(local_words, local_length))),
        global_captions=torch.randint(3, words, (faces, min(global_words, global_length))),
    )
    return batch.to(torch.device("cuda"))


def _at(precision: str, call: Callable[[], object]) -> Callable[[], Tensor]:
    def at_precision() -> Tensor:
        with torch.autocast("cuda", torch.bfloat16) if precision == "bf16" else nullcontext():
            result = call()
        assert isinstance(result, Tensor)
        return result

    return at_precision


def _time(variants: dict[str, Callable[[], object]]) -> dict[str, Timing]:
    def finished(call: Callable[[], object]) -> Callable[[], None]:
        def until_done() -> None:
            call()
            torch.cuda.synchronize()

        return until_done

    return time_in_turns({name: finished(call) for name, call in variants.items()}, repeats=REPEATS, warmup=3)


def _speed(time: Timing, faces: int) -> str:
    return f"{time}, {faces / time.median:.0f} faces/s"
