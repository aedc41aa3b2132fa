"""Reads BP4D as released: one table of codes and one folder of pictures for each task of a subject."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import (
    find_first_path,
    find_path,
    format_names,
    list_folder,
    matching_folders,
    numbered_pictures,
    read_lines,
)
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
        folder: The folder of the release.
        folds: A file with other folds than the published ones.
        partial: Whether a subject may lack a task that others have. Tasks that no subject has are only named in the
            report.

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
    """Yield a note on the missing tasks; refuse a subject without a task that others have."""
    present = {task for _, task in tables}
    example = next(iter(tables.values())).parent
    if absent := [task for task in TASKS if task not in present]:
        yield (
            f"No subject has codes for {', '.join(absent)} in {example}; the published numbers include the tasks "
            f"{TASKS[0]} to {TASKS[-1]}."
        )
    subjects = sorted({subject_id for subject_id, _ in tables})
    gaps = [f"{name}_{task}.csv" for name in subjects for task in sorted(present) if (name, task) not in tables]
    if gaps and not partial:
        raise InputError(
            f"{example} lacks tables of tasks that other subjects have: {format_names(gaps)}; the published folds "
            "include all tasks of a subject, so copy the tables again, or use --partial to continue without them"
        )
    if gaps:
        yield f"Missing tables of codes of tasks that other subjects have: {format_names(gaps)}."


def _without_pictures(tables: Mapping[Key, Path], pictures: Mapping[Key, Path]) -> Iterator[str]:
    without_pictures = [f"{subject_id}/{task}" for subject_id, task in sorted(tables.keys() - pictures.keys())]
    if without_pictures:
        yield f"Tasks with codes but no folder of pictures, skipped: {format_names(without_pictures)}."


def _label_files(folder: Path) -> dict[Key, Path]:
    codes = find_first_path(folder, [("AUCoding", "AU_OCC"), ("AU_OCC",)])
    matches = [(LABEL_FILE.fullmatch(path.name), path) for path in list_folder(codes or folder)]
    found = {(match[1].upper(), match[2].upper()): path for match, path in matches if match}
    if not found:
        raise InputError(
            f"{codes or folder} contains no BP4D codes; expected files such as AUCoding/AU_OCC/F001_T1.csv in it; pass "
            "the folder of the release"
        )
    return found


def _picture_folders(folder: Path) -> dict[Key, Path]:
    root = find_path(folder, "2D+3D") or folder
    found = {}
    for subject in matching_folders(root, SUBJECT):
        found.update({(subject.name.upper(), path.name.upper()): path for path in matching_folders(subject, TASK)})
    if not found:
        raise InputError(
            f"{root} contains no BP4D pictures; expected folders such as 2D+3D/F001/T1 or F001/T1; copy them there"
        )
    return found


def _read_table(path: Path, au_ids: Sequence[int], files: dict[int, Path]) -> tuple[LabelledFrame, ...]:
    rows = list(csv.reader(read_lines(path)))
    header = [cell.strip() for cell in rows[0]] if rows else []
    missing = [str(au_id) for au_id in au_ids if str(au_id) not in header[1:]]
    if missing:
        raise ManifestError(
            f"{path} has no column for AU {', '.join(missing)}; expected a header with a frame column and AU "
            "numbers; copy the file again"
        )
    columns = [header.index(str(au_id), 1) for au_id in au_ids]
    frames: dict[int, LabelledFrame] = {}
    for line, row in enumerate(rows[1:], 2):
        try:
            number = int(row[0])
            occurrence = tuple(CODES[row[column].strip()] for column in columns)
        except (IndexError, KeyError, ValueError):
            raise ManifestError(
                f"{path}, line {line}: expected a frame number and the codes 0, 1 or {UNKNOWN} (unknown), found "
                f"'{','.join(row)}'; correct the line"
            ) from None
        if number in frames:
            raise ManifestError(f"{path}, line {line}: frame {number} has two lines; remove one of them")
        frames[number] = LabelledFrame(number, occurrence, picture=files.get(number))
    return tuple(frames[number] for number in sorted(frames))
