"""The tables that are left: the manifest, and the frames it leaves out."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from vlfau.atomic import replacing
from vlfau.prepare.clips import Clip, LabelledFrame, Skipped

__all__ = ["write_manifest", "write_skipped"]


def write_manifest(
    path: Path, au_ids: Sequence[int], frames: Sequence[tuple[Clip, LabelledFrame]], *, occurs_at: int = 1
) -> None:
    """Write a row a frame, in the form that `vlfau train` reads; an unknown label is an empty cell.

    Args:
        path: The file.
        au_ids: N.
        frames: What to write.
        occurs_at: The intensity from which an AU counts as present. Above 1, the manifest says so, because an absent
            AU may then show a trace.
    """
    graded = any(frame.intensity for _, frame in frames)
    columns = ["image", "subject", "fold", "gender", "clip", "frame"]
    for au_id in au_ids:
        columns += [f"AU{au_id}", f"AU{au_id}_intensity"] if graded else [f"AU{au_id}"]
    starts_at = [occurs_at] if occurs_at > 1 else []
    columns += ["occurrence_from"] if starts_at else []
    _write(path, columns, ([*_row(clip, frame, graded=graded), *starts_at] for clip, frame in frames))


def write_skipped(path: Path, skipped: Iterable[Skipped]) -> None:
    """Write a row a frame that the manifest leaves out, with its reason."""
    rows = ((entry.subject_id, entry.task, entry.number, entry.reason) for entry in skipped)
    _write(path, ("subject", "clip", "frame", "reason"), rows)


def _row(clip: Clip, frame: LabelledFrame, *, graded: bool) -> list[object]:
    row: list[object] = [clip.crop(frame), clip.subject_id, clip.fold, clip.gender, clip.task, frame.number]
    for place, occurrence in enumerate(frame.occurrence):
        row.append(occurrence)
        if graded:
            row.append(frame.intensity[place] if frame.intensity else None)
    return row


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
