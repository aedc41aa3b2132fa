"""BP4D as it is delivered: a table of codes and a folder of pictures for each task of a subject."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import entries, find_below, find_first, listed, named, numbered_pictures, read_lines
from vlfau.prepare.protocol import read_protocol

__all__ = ["read_bp4d"]

Key = tuple[str, str]
"""A subject and a task, such as ("F001", "T1")."""

LABEL_FILE: Final = re.compile(r"([FM]\d+)_(T\d+)\.csv", re.IGNORECASE)
SUBJECT: Final = re.compile(r"[FM]\d+", re.IGNORECASE)
TASK: Final = re.compile(r"T\d+", re.IGNORECASE)
TASKS: Final = tuple(f"T{number}" for number in range(1, 9))
UNKNOWN: Final = "9"
CODES: Final = {"0": 0, "1": 1, UNKNOWN: None}


def read_bp4d(folder: Path, folds: Path | None = None, *, partial: bool = False) -> Source:
    """Read `AUCoding/AU_OCC/F001_T1.csv` and find `2D+3D/F001/T1/2440.jpg`, whatever their case and padding.

    Args:
        folder: Of the release.
        folds: A file with other folds than the field's.
        partial: Whether a subject may lack a task that others have. Tasks that every subject lacks are left out and
            named in the report either way.

    Raises:
        InputError: There are no labels or no pictures, a table is wrong, or a subject lacks a task that others have.
    """
    protocol = read_protocol("bp4d", folds)
    tables = _label_files(folder)
    pictures = _picture_folders(folder)
    notes = [*_missing_tasks(tables, partial=partial), *_without_pictures(tables, pictures)]
    clips = []
    for (subject_id, task), path in sorted(tables.items()):
        files = numbered_pictures(pictures.get((subject_id, task)))
        frames = _read_table(path, protocol.au_ids, files)
        labelled = {frame.number for frame in frames}
        clips.append(
            Clip(
                subject_id=subject_id,
                task=task,
                fold=protocol.fold_of(subject_id),
                gender=protocol.gender_of(subject_id),
                frames=frames,
                unlabelled=len(files.keys() - labelled),
            )
        )
    uncoded = [path for key, path in pictures.items() if key not in tables]
    return Source(
        protocol,
        tuple(clips),
        unlabelled=sum(len(numbered_pictures(path)) for path in uncoded),
        notes=tuple(notes),
    )


def _missing_tasks(tables: Mapping[Key, Path], *, partial: bool) -> Iterator[str]:
    """Say which tasks the tables lack, or refuse a subject without one that others have."""
    there = {task for _, task in tables}
    example = next(iter(tables.values())).parent
    if absent := [task for task in TASKS if task not in there]:
        yield (
            f"No subject has codes of {', '.join(absent)} in {example}; the published numbers are of the tasks "
            f"{TASKS[0]} to {TASKS[-1]}."
        )
    subjects = sorted({subject_id for subject_id, _ in tables})
    gaps = [f"{name}_{task}.csv" for name in subjects for task in sorted(there) if (name, task) not in tables]
    if gaps and not partial:
        raise InputError(
            f"{example} lacks tables of tasks that other subjects have: {listed(gaps)}; the folds are tested on all "
            "tasks of a subject, so copy them again, or go on without them with --partial"
        )
    if gaps:
        yield f"Tables of codes that other subjects have and these lack: {listed(gaps)}."


def _without_pictures(tables: Mapping[Key, Path], pictures: Mapping[Key, Path]) -> Iterator[str]:
    blind = [f"{subject_id}/{task}" for subject_id, task in sorted(tables.keys() - pictures.keys())]
    if blind:
        yield f"Tasks with codes and no folder of pictures, left out: {listed(blind)}."


def _label_files(folder: Path) -> dict[Key, Path]:
    codes = find_first(folder, [("AUCoding", "AU_OCC"), ("AU_OCC",)])
    matches = [(LABEL_FILE.fullmatch(path.name), path) for path in entries(codes or folder)]
    found = {(match[1].upper(), match[2].upper()): path for match, path in matches if match}
    if not found:
        raise InputError(
            f"{codes or folder} holds no codes of BP4D; expected files such as AUCoding/AU_OCC/F001_T1.csv in the "
            "folder, name the one of the release"
        )
    return found


def _picture_folders(folder: Path) -> dict[Key, Path]:
    root = find_below(folder, "2D+3D") or folder
    found = {}
    for subject in named(root, SUBJECT):
        found.update({(subject.name.upper(), path.name.upper()): path for path in named(subject, TASK)})
    if not found:
        raise InputError(
            f"{root} holds no pictures of BP4D; expected folders such as 2D+3D/F001/T1 or F001/T1, put them there"
        )
    return found


def _read_table(path: Path, au_ids: Sequence[int], files: dict[int, Path]) -> tuple[LabelledFrame, ...]:
    rows = list(csv.reader(read_lines(path)))
    header = [cell.strip() for cell in rows[0]] if rows else []
    missing = [str(au_id) for au_id in au_ids if str(au_id) not in header[1:]]
    if missing:
        raise ManifestError(
            f"{path} has no column for the AU {', '.join(missing)}; expected a first line of the frame's column and "
            "AU numbers, copy the file again"
        )
    columns = [header.index(str(au_id), 1) for au_id in au_ids]
    frames: dict[int, LabelledFrame] = {}
    for line, row in enumerate(rows[1:], 2):
        try:
            number = int(row[0])
            occurrence = tuple(CODES[row[column].strip()] for column in columns)
        except (IndexError, KeyError, ValueError):
            raise ManifestError(
                f"{path}, line {line}: expected a frame's number and the codes 0, 1 or {UNKNOWN} (unknown), found "
                f"'{','.join(row)}'; correct the line"
            ) from None
        if number in frames:
            raise ManifestError(f"{path}, line {line}: frame {number} is coded twice; remove one of the lines")
        frames[number] = LabelledFrame(number, occurrence, picture=files.get(number))
    return tuple(frames[number] for number in sorted(frames))
