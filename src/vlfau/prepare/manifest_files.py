"""Writes manifest.csv, skipped.csv and folds.toml."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from vlfau.facs import action_unit
from vlfau.files.atomic import replacing
from vlfau.prepare.clips import Clip, LabelledFrame, Skipped
from vlfau.prepare.protocol import Protocol

__all__ = ["write_folds", "write_manifest", "write_skipped"]


def write_manifest(path: Path, protocol: Protocol, frames: Sequence[tuple[Clip, LabelledFrame]]) -> None:
    """Write one row per frame, in the format that `vlfau train` reads. An unknown label is an empty cell.

    Columns for intensities, sides, and uncoded frames are written only if needed. If an AU counts as present only
    above intensity A, the column `occurrence_from` has that intensity, because an absent AU may then show a trace.

    Args:
        path: The file to write.
        protocol: The protocol of the data set.
        frames: The frames to write, each with its clip.
    """
    graded = any(frame.intensity for _, frame in frames)
    sided = any(any(frame.side) for _, frame in frames)
    neutral = not all(frame.coded for _, frame in frames)
    columns = ["image", "subject", "fold", "gender", "clip", "frame", *(["coded"] if neutral else [])]
    for au_id in protocol.au_ids:
        columns.append(f"AU{au_id}")
        columns += [f"AU{au_id}_intensity"] if graded else []
        columns += [f"AU{au_id}_side"] if sided and action_unit(au_id).sided else []
    columns += ["occurrence_from"] if protocol.occurs_at > 1 else []
    _write(path, columns, (_row(protocol, clip, frame) for clip, frame in frames))


def write_skipped(path: Path, au_ids: Sequence[int], skipped: Iterable[Skipped]) -> None:
    """Write one row per skipped frame, with the reason and the labels."""
    columns = ["subject", "fold", "clip", "frame", "reason", *(f"AU{au_id}" for au_id in au_ids)]
    _write(path, columns, (_skipped_row(au_ids, entry) for entry in skipped))


def write_folds(path: Path, protocol: Protocol) -> None:
    """Write the subjects of every fold, in the format that --folds reads."""
    tables = (f"[[{protocol.name}.folds]]\nsubjects = {json.dumps(fold.subjects)}\n" for fold in protocol.folds)
    with replacing(path) as temporary:
        temporary.write_text("\n".join(tables), encoding="utf-8")


def _row(protocol: Protocol, clip: Clip, frame: LabelledFrame) -> dict[str, object]:
    au_ids = protocol.au_ids
    row: dict[str, object] = {
        "image": clip.crop(frame),
        "subject": clip.subject_id,
        "fold": clip.fold,
        "gender": clip.gender,
        "clip": clip.task,
        "frame": frame.number,
        "coded": int(frame.coded),
        "occurrence_from": protocol.occurs_at,
        **_labels(au_ids, frame.occurrence),
    }
    row |= {f"AU{au_id}_intensity": value for au_id, value in zip(au_ids, frame.intensity, strict=False)}
    return row | {f"AU{au_id}_side": side for au_id, side in zip(au_ids, frame.side, strict=False)}


def _skipped_row(au_ids: Sequence[int], entry: Skipped) -> dict[str, object]:
    return {
        "subject": entry.subject_id,
        "fold": entry.fold,
        "clip": entry.task,
        "frame": entry.number,
        "reason": entry.reason,
        **_labels(au_ids, entry.occurrence),
    }


def _labels(au_ids: Sequence[int], occurrence: Sequence[int | None]) -> dict[str, object]:
    return {f"AU{au_id}": value for au_id, value in zip(au_ids, occurrence, strict=True)}


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, object]]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
