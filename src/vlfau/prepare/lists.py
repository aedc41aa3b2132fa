"""Reads the list files of ME-GraphAU and JAA-Net: one file of paths and one file of labels per fold."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import find_path, list_folder, numbered_pictures, read_genders, read_lines
from vlfau.prepare.protocol import Protocol, read_protocol

__all__ = ["read_lists"]

ME_GRAPHAU: Final = re.compile(r"(BP4D|DISFA)_test_img_path_fold(\d+)\.txt")
JAA_NET: Final = re.compile(r"(BP4D|DISFA)_part(\d+)_path\.txt")
SUBJECT: Final = re.compile(r"(?:[FM]|SN)\d+", re.IGNORECASE)
ONLY_TASK: Final = "left"
CODES: Final = {"0": 0, "1": 1, "9": None}


@dataclass(frozen=True, slots=True)
class _Lists:
    """The files of one fold."""

    dataset: str
    fold: int
    paths: Path
    labels: Path


def read_lists(folder: Path, images: Path) -> Source:
    """Read the test lists of every fold; together they list every frame once.

    Supported are `BP4D_test_img_path_fold1.txt` with `BP4D_test_label_fold1.txt`, and `BP4D_part1_path.txt` with
    `BP4D_part1_AUoccur.txt`, where fold 1 tests part 3.

    Args:
        folder: The folder of the lists; it may contain a `subjects.csv` with the genders of DISFA.
        images: The folder that the paths in the lists are relative to.

    Raises:
        InputError: There are no lists, lists and labels differ in length, or two folds share a subject.
    """
    lists = _find_lists(folder)
    protocol = read_protocol(lists[0].dataset.lower())
    genders = read_genders(folder)
    list_folder(images)
    clips: list[Clip] = []
    for files in lists:
        grouped = _read_fold(files, protocol, images)
        for (subject_id, task), frames in sorted(grouped.items()):
            gender = protocol.gender_of(subject_id) or genders.get(subject_id, "")
            numbers = sorted(frames)
            clips.append(Clip(subject_id, task, files.fold, gender, tuple(frames[number] for number in numbers)))
    _check_folds(clips, lists)
    return Source(protocol, tuple(clips))


def _find_lists(folder: Path) -> list[_Lists]:
    found = []
    for path in list_folder(folder):
        if match := ME_GRAPHAU.fullmatch(path.name):
            labels = path.with_name(f"{match[1]}_test_label_fold{match[2]}.txt")
            found.append(_Lists(match[1], int(match[2]), path, labels))
        elif match := JAA_NET.fullmatch(path.name):
            labels = path.with_name(f"{match[1]}_part{match[2]}_AUoccur.txt")
            # Fold 1 tests part 3, fold 2 part 2, fold 3 part 1.
            found.append(_Lists(match[1], 4 - int(match[2]), path, labels))
    if not found:
        raise InputError(
            f"{folder} contains no list files; expected BP4D_test_img_path_fold1.txt or BP4D_part1_path.txt "
            "(or DISFA_...)"
        )
    found.sort(key=lambda files: files.fold)
    if len({files.dataset for files in found}) > 1 or [files.fold for files in found] != [1, 2, 3]:
        names = ", ".join(files.paths.name for files in found)
        raise InputError(
            f"{folder} must contain one test list for each of the folds 1, 2 and 3 of one data set, found {names}; "
            "move other lists to another folder, or add the missing ones"
        )
    return found


def _read_fold(files: _Lists, protocol: Protocol, images: Path) -> dict[tuple[str, str], dict[int, LabelledFrame]]:
    """Return the frames of a fold by subject and task, then by number."""
    paths, labels = read_lines(files.paths), read_lines(files.labels)
    if len(paths) != len(labels):
        raise ManifestError(
            f"{files.paths} has {len(paths)} lines, but {files.labels} has {len(labels)}; each line of one must "
            "belong to a line of the other; copy both again"
        )
    pictures = cache(lambda parent: numbered_pictures(find_path(images, *parent)))
    grouped: dict[tuple[str, str], dict[int, LabelledFrame]] = defaultdict(dict)
    for line, (text, codes) in enumerate(zip(paths, labels, strict=True), 1):
        path = PurePosixPath(text.strip().replace("\\", "/"))
        names = [name for name in path.parts if SUBJECT.fullmatch(name)]
        if path.is_absolute() or ".." in path.parts or not names or not path.stem.isdecimal():
            raise ManifestError(
                f"{files.paths}, line {line}: expected a relative path with a subject and a frame number, such as "
                f"F001/T1/2440.jpg or SN002/0.png, found '{text}'; correct the line"
            )
        subject_id = names[-1].upper()
        task = path.parent.name.upper() if path.parent.name != names[-1] else ONLY_TASK
        number = int(path.stem)
        frames = grouped[subject_id, task]
        occurrence = _occurrence(files.labels, line, codes, len(protocol.au_ids))
        frame = LabelledFrame(
            number + protocol.list_offset, occurrence, picture=pictures(path.parent.parts).get(number)
        )
        if frames.setdefault(frame.number, frame) is not frame:
            raise ManifestError(
                f"{files.paths}, line {line}: '{text}' is listed twice; remove one of the two and its labels"
            )
    return grouped


def _occurrence(path: Path, line: int, text: str, num_aus: int) -> tuple[int | None, ...]:
    codes = text.replace(",", " ").split()
    if len(codes) != num_aus or not CODES.keys() >= set(codes):
        raise ManifestError(
            f"{path}, line {line}: expected {num_aus} codes of 0, 1 or 9 (unknown), separated by spaces, found "
            f"'{text}'; correct the line"
        )
    return tuple(CODES[code] for code in codes)


def _check_folds(clips: list[Clip], lists: list[_Lists]) -> None:
    folds: dict[str, int] = {}
    for clip in clips:
        fold = folds.setdefault(clip.subject_id, clip.fold)
        if fold != clip.fold:
            one, other = (files.paths for files in lists if files.fold in {fold, clip.fold})
            raise ManifestError(
                f"{one} and {other} both list subject '{clip.subject_id}'; folds must be subject-exclusive, so "
                "remove it from one"
            )
