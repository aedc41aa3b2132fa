"""From a bundle to one that computes with 8-bit integers, if that does not cost too much."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vlfau.data import read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.export.int8 import open_nncf, quantise
from vlfau.export.quality import Quality, face_batches, measure
from vlfau.files.atomic import fresh_folder
from vlfau.inference.bundle import CARD_FILE, VISION_FILE, Bundle, write_model_json

__all__ = ["MAX_LOSS", "quantise_bundle"]

MAX_LOSS = 0.005
"""Of the macro F1."""
MAX_CALIBRATING, MAX_JUDGED, MAX_DESCRIBED = 256, 2000, 100
"""Frames, evenly spaced: for the ranges of the integers; others to judge before and after, and to put in words."""


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
        ManifestError: The manifest is none, has too few frames, or no AU that is active in any.
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
        quantise(bundle.path(VISION_FILE), fresh / VISION_FILE, face_batches(bundle, frames, calibrating))
        judged = _spread(left, MAX_JUDGED)
        described = _spread(judged, MAX_DESCRIBED)
        quantised = write_model_json(fresh, bundle.info)
        before, after = measure([bundle, quantised], frames, judged, described, progress)
        report(before, after)
        _check(before, after, manifest, force=force)
        figures: dict[str, Any] = {
            "to": "int8",
            "calibrated_on_frames": len(calibrating),
            "judged_frames": len(judged),
            "described_frames": len(described),
            "before": asdict(before),
            "after": asdict(after),
        }
        info = replace(bundle.info, scores={**bundle.info.scores, "quantised": figures})
        written = write_model_json(fresh, info)
    return replace(written, folder=output)


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


def _spread(places: Sequence[int], most: int) -> list[int]:
    """Return so many of some places at most, evenly spaced."""
    chosen = np.linspace(0, len(places) - 1, min(most, len(places)))
    return [places[round(place)] for place in chosen.tolist()]
