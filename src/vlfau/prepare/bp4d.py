"""BP4D as it is delivered: a table of codes a task, and a folder of pictures a task."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import entries, find_below, find_first, numbered_pictures, read_lines
from vlfau.prepare.protocol import read_protocol

__all__ = ["read_bp4d"]

LABEL_FILE: Final = re.compile(r"([FM]\d+)_(T\d+)\.csv", re.IGNORECASE)
SUBJECT: Final = re.compile(r"[FM]\d+", re.IGNORECASE)
TASK: Final = re.compile(r"T\d+", re.IGNORECASE)
UNKNOWN: Final = "9"
CODES: Final = {"0": 0, "1": 1, UNKNOWN: None}


def read_bp4d(folder: Path, folds: Path | None = None) -> Source:
    """Read `AUCoding/AU_OCC/F001_T1.csv` and find `2D+3D/F001/T1/2440.jpg`, whatever their case and padding.

    Args:
        folder: Of the release.
        folds: A file with other folds than the field's.

    Raises:
        InputError: There are no labels or no pictures, or a table is wrong.
    """
    protocol = read_protocol("bp4d", folds)
    tables = _label_files(folder)
    pictures = _picture_folders(folder)
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
    return Source(protocol, tuple(clips), unlabelled=sum(len(numbered_pictures(path)) for path in uncoded))


def _label_files(folder: Path) -> dict[tuple[str, str], Path]:
    codes = find_first(folder, [("AUCoding", "AU_OCC"), ("AU_OCC",)])
    matches = [(LABEL_FILE.fullmatch(path.name), path) for path in entries(codes or folder)]
    found = {(match[1].upper(), match[2].upper()): path for match, path in matches if match}
    if not found:
        raise InputError(
            f"{codes or folder} holds no codes of BP4D; expected files such as AUCoding/AU_OCC/F001_T1.csv in the "
            "folder, name the one of the release"
        )
    return found


def _picture_folders(folder: Path) -> dict[tuple[str, str], Path]:
    root = find_below(folder, "2D+3D") or folder
    found = {}
    for subject in entries(root):
        if SUBJECT.fullmatch(subject.name) and subject.is_dir():
            tasks = [path for path in entries(subject) if TASK.fullmatch(path.name) and path.is_dir()]
            found.update({(subject.name.upper(), path.name.upper()): path for path in tasks})
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
