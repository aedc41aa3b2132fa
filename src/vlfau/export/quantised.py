"""From a bundle to one that computes with 8-bit integers (NNCF, extra `int8`), if that does not cost too much.

Weights get a range per output channel, what comes into them one per tensor. Quantisation is written between operators
(QDQ), so that every runtime can fuse as much of it as it knows to. The layers of few weights stay as they are: they
take no time, and the early and depthwise ones lose the most.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization.shape_inference import quant_pre_process

from vlfau.data.manifest import Manifest, read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.evaluation.consistency import consistency
from vlfau.evaluation.figures import caption_scores, figures
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner, face_batches
from vlfau.files.atomic import fresh_folder
from vlfau.inference.bundle import Bundle, write_model_json
from vlfau.inference.openvino_backend import without_telemetry
from vlfau.inference.runtimes import open_backend
from vlfau.inference.schema import CARD_FILE, VISION_FILE

__all__ = ["MAX_LOSS", "Quality", "measure", "open_nncf", "quantise", "quantise_bundle"]

MAX_LOSS = 0.005
"""Of the macro F1."""
MAX_CALIBRATING, MAX_MEASURED, MAX_DESCRIBED = 256, 2000, 100
"""Frames, evenly spaced: for the ranges of the integers; others to measure before and after, and to put in words."""
BATCH_SIZE = 16
OPERATORS = frozenset({"Conv", "Gemm", "MatMul"})
MIN_WEIGHTS = 8192
"""Weights of fewer numbers stay at full precision."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Figures of a bundle; None where there is nothing to measure.

    Attributes:
        f1_macro: Mean F1 of the AUs, 0 to 1, at the bundle's thresholds.
        roc_auc_macro: Mean area under the ROC curve.
        local_agreement: Share of the captions of AUs that state what was decided.
        local_bleu4: BLEU-4 of these captions against those of the true states.
        global_agreement: Share of the captions of faces that name exactly the AUs that were decided to act.
        global_bleu4: BLEU-4 of these captions.
    """

    f1_macro: float | None
    roc_auc_macro: float | None
    local_agreement: float | None = None
    local_bleu4: float | None = None
    global_agreement: float | None = None
    global_bleu4: float | None = None


def quantise_bundle(
    bundle: Bundle,
    output: Path,
    manifest: Path,
    *,
    force: bool = False,
    report: Callable[[Quality, Quality], None] = lambda before, after: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Bundle:
    """Write a bundle whose vision half computes with 8-bit integers; the words stay as they are.

    Half of the manifest's frames at most set the ranges of the integers; the others tell what is lost. What was
    measured is kept under `quantised` in the scores of the new bundle.

    Args:
        bundle: With full or half precision.
        output: The new bundle's folder; it must not exist yet.
        manifest: Aligned faces with all AUs of the bundle, such as those that validated the model.
        force: Whether to keep the bundle even if it loses more than `MAX_LOSS`.
        report: Is told the figures before and after.
        progress: Is told how many frames of how many were judged.

    Raises:
        ConfigError: The output exists, the network is too small to gain anything, or too much is lost.
        MissingExtraError: NNCF is not installed.
        ManifestError: The manifest is wrong, has too few frames, or no AU that is active in any.
    """
    open_nncf()
    frames = read_manifest(manifest, bundle.info.au_ids)
    count = len(frames.frames)
    calibrating = _spread(range(count), min(MAX_CALIBRATING, count // 2))
    left = sorted(set(range(count)) - set(calibrating))
    if not calibrating:
        raise ManifestError(f"manifest {manifest} has one frame; give some hundreds, to set ranges and to measure")
    with fresh_folder(output) as fresh:
        for file in bundle.files:
            if file != VISION_FILE:
                shutil.copyfile(bundle.path(file), fresh / file)
        if bundle.card is not None:
            shutil.copyfile(bundle.card, fresh / CARD_FILE)
        options = EvalOptions(BATCH_SIZE, progress=progress)
        quantise(bundle.path(VISION_FILE), fresh / VISION_FILE, face_batches(bundle, frames, calibrating, options))
        chosen = _spread(left, MAX_MEASURED)
        measured = replace(frames, frames=tuple(frames.frames[index] for index in chosen))
        described = _spread(range(len(chosen)), MAX_DESCRIBED)
        quantised = write_model_json(fresh, bundle.info)
        before, after = (measure(each, measured, described, options) for each in (bundle, quantised))
        report(before, after)
        _check(before, after, manifest, force=force)
        kept: dict[str, Any] = {
            "to": "int8",
            "calibrated_on_frames": len(calibrating),
            "judged_frames": len(chosen),
            "described_frames": len(described),
            "before": asdict(before),
            "after": asdict(after),
        }
        info = replace(bundle.info, scores={**bundle.info.scores, "quantised": kept})
        written = write_model_json(fresh, info)
    return replace(written, folder=output)


def measure(bundle: Bundle, frames: Manifest, described: Sequence[int], options: EvalOptions) -> Quality:
    """Measure what a bundle's predictions are worth on frames whose truth is known.

    Args:
        bundle: The bundle.
        frames: With the bundle's AUs.
        described: Those to put in words, too.
        options: How to run it.
    """
    runner = PredictionRunner(bundle, open_backend(bundle), frames.au_ids, options)
    threshold = np.array(bundle.info.thresholds)
    predictions = runner.run(frames)
    numbers = figures(predictions, threshold)
    words: dict[str, float | None] = {}
    if runner.has_captions and described:
        predictions = runner.describe(
            frames, predictions, described, threshold=threshold, consistent=False, word_accuracy=False
        )
        words = {**caption_scores(predictions, frames.frames, described), **consistency(predictions, threshold)}
    return Quality(
        f1_macro=numbers["f1_macro"],
        roc_auc_macro=numbers["roc_auc_macro"],
        local_agreement=words.get("local_agrees_with_predicted"),
        local_bleu4=words.get("local_bleu4"),
        global_agreement=words.get("global_agrees_with_predicted"),
        global_bleu4=words.get("global_bleu4"),
    )


def quantise(graph: Path, output: Path, batches: Iterable[NDArray[np.uint8]]) -> None:
    """Write a graph whose large layers, and products of what they give, compute with 8-bit integers.

    Args:
        graph: `vision.onnx` of a bundle.
        output: Where to write.
        batches: Aligned faces, each (B, S, S, 3) uint8 RGB, whose values set the ranges.

    Raises:
        ConfigError: No layer is large.
        MissingExtraError: NNCF is not installed.
    """
    nncf = open_nncf()
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Folds constants and fuses; the symbolic shapes are only for graphs of other makers.
        quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(prepared)
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    sizes = _layer_sizes(model.graph)
    small = [name for name, size in sizes.items() if size < MIN_WEIGHTS]
    if len(small) == len(sizes):
        raise ConfigError(f"no layer has {MIN_WEIGHTS} weights, so 8 bits gain nothing; export without --quantize")
    faces = list(batches)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(faces, lambda crops: {"crops": crops}),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(faces),
        ignored_scope=nncf.IgnoredScope(names=small),
    )
    onnx.save(quantised, output)


def _layer_sizes(graph: onnx.GraphProto) -> dict[str, int]:
    """Return how many weights each layer has, by the name of its node; products of two results have none."""
    sizes = {weight.name: int(np.prod(weight.dims)) for weight in graph.initializer}
    return {
        node.name: sizes[node.input[1]] for node in graph.node if node.op_type in OPERATORS and node.input[1] in sizes
    }


def open_nncf() -> Any:
    """Return NNCF.

    Raises:
        MissingExtraError: It is not installed.
    """
    nncf: Any = without_telemetry("nncf", "int8")
    nncf.set_log_level(logging.ERROR)
    return nncf


def _check(before: Quality, after: Quality, manifest: Path, *, force: bool) -> None:
    if before.f1_macro is None or after.f1_macro is None:
        raise ManifestError(
            f"manifest {manifest} has no frame in which an AU is active, so no loss can be measured; give others"
        )
    lost = before.f1_macro - after.f1_macro
    if lost > MAX_LOSS and not force:
        raise ConfigError(
            f"8 bits cost {100 * lost:.1f} points of macro F1 ({100 * before.f1_macro:.1f} to "
            f"{100 * after.f1_macro:.1f}) on {manifest}, more than {100 * MAX_LOSS:.1f}; export without --quantize, "
            "or give --force to keep the bundle"
        )


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """Return so many of some indices at most, evenly spaced."""
    chosen = np.linspace(0, len(indices) - 1, min(most, len(indices)))
    return [indices[round(index)] for index in chosen.tolist()]
