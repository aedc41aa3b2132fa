"""Reads DISFA+ as released: one folder of pictures and one of intensities for each trial of a subject."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import (
    find_first_path,
    find_path,
    format_names,
    matching_folders,
    numbered_pictures,
    read_genders,
    read_lines,
)
from vlfau.prepare.protocol import Protocol, read_protocol

__all__ = ["read_disfaplus"]

SUBJECT: Final = re.compile(r"SN\d+", re.IGNORECASE)
TRIAL: Final = re.compile(r".+")
LINE: Final = re.compile(r"\s*(\d+)(?:\.(?:jpe?g|png|bmp))?[\s,]+([0-5])(?:\.0*)?\s*", re.IGNORECASE | re.ASCII)

Key = tuple[str, str]
"""A subject and a trial, the trial in lower case."""


def read_disfaplus(folder: Path, folds: Path | None = None) -> Source:
    """Read `Labels/SN001/A1_AU1_TrailNo_1/AU1.txt` and find `Images/SN001/A1_AU1_TrailNo_1/000.jpg`.

    Each file may begin with header lines; every other line has a picture's name and an intensity. If the file of an AU
    is missing in a trial, or a file lacks a frame that others have, the AU is unknown there.

    Args:
        folder: The folder of the release; it may contain a `subjects.csv` with genders.
        folds: A file with other folds than those of the same subjects in DISFA.

    Raises:
        InputError: There are no labels or no pictures, or a file is wrong.
    """
    protocol = read_protocol("disfaplus", folds)
    genders = read_genders(folder)
    trials, pictures = _trials(folder, "Labels"), _trials(folder, "Images")
    clips, missing, partial = [], [], []
    for key, path in sorted(trials.items()):
        subject_id = key[0]
        files = numbered_pictures(pictures.get(key))
        by_au = {au_id: _read_file(path, au_id) for au_id in protocol.au_ids}
        if not any(by_au.values()):
            raise ManifestError(f"{path} contains no labels; expected files such as AU1.txt; copy the folder again")
        frames = tuple(_frames(by_au, files, protocol))
        missing += [f"{subject_id}/{path.name}/AU{au_id}.txt" for au_id, found in by_au.items() if found is None]
        partial += [
            f"{subject_id}/{path.name}/AU{au_id}.txt"
            for au_id, found in by_au.items()
            if found is not None and len(found) < len(frames)
        ]
        clips.append(
            Clip(
                subject_id=subject_id,
                task=path.name,
                fold=protocol.fold_of(subject_id),
                gender=genders.get(subject_id, ""),
                frames=frames,
                unlabelled=len(files.keys() - {frame.number for frame in frames}),
            )
        )
    unlabelled = sum(len(numbered_pictures(path)) for key, path in pictures.items() if key not in trials)
    without_pictures = [
        f"{clip.subject_id}/{clip.task}" for clip in clips if (clip.subject_id, clip.task.lower()) not in pictures
    ]
    return Source(protocol, tuple(clips), unlabelled, notes=tuple(_notes(missing, partial, without_pictures)))


def _trials(folder: Path, kind: str) -> dict[Key, Path]:
    """Return the folders of all trials. A subject's folder may be nested in another of the same name."""
    root = find_path(folder, kind)
    example = "AU1.txt" if kind == "Labels" else "000.jpg"
    found: dict[Key, Path] = {}
    for subject in matching_folders(root, SUBJECT) if root is not None else ():
        trials = find_path(subject, subject.name) or subject
        for trial in matching_folders(trials, TRIAL):
            other = found.setdefault((subject.name.upper(), trial.name.lower()), trial)
            if other != trial:
                raise ManifestError(f"{trial} and {other.name} are the same trial; remove one of them")
    if not found:
        raise InputError(
            f"{root or folder} contains no DISFA+ {'labels' if kind == 'Labels' else 'pictures'}; expected files such "
            f"as {kind}/SN001/A1_AU1_TrailNo_1/{example} in it; pass the folder of the release"
        )
    return found


def _read_file(trial: Path, au_id: int) -> dict[int, int] | None:
    """Return the intensity of an AU by frame number; None if the trial has no file for it."""
    path = find_first_path(trial, [(f"AU{au_id}.txt",), (f"AU{au_id:02}.txt",)])
    if path is None:
        return None
    found: dict[int, int] = {}
    for line, text in enumerate(read_lines(path), 1):
        match = LINE.fullmatch(text)
        if match is None and not found and not text.lstrip()[:1].isdecimal():
            continue  # a header line
        if match is None or int(match[1]) in found:
            raise ManifestError(
                f"{path}, line {line}: expected the name of a new picture and an intensity from 0 to 5, such as "
                f"'000.jpg 2', found '{text}'; correct the line"
            )
        found[int(match[1])] = int(match[2])
    if not found:
        raise ManifestError(f"{path} labels no frame; expected lines such as '000.jpg 2'; copy it again")
    return found


def _frames(
    by_au: dict[int, dict[int, int] | None], files: dict[int, Path], protocol: Protocol
) -> Iterator[LabelledFrame]:
    for number in sorted({number for found in by_au.values() for number in found or ()}):
        intensity = tuple((by_au[au_id] or {}).get(number) for au_id in protocol.au_ids)
        yield LabelledFrame(
            number=number,
            occurrence=tuple(None if value is None else int(value >= protocol.occurs_at) for value in intensity),
            intensity=intensity,
            picture=files.get(number),
        )


def _notes(missing: list[str], partial: list[str], without_pictures: list[str]) -> Iterator[str]:
    if missing:
        yield (
            f"Missing label files, whose AUs are unknown in these trials: {format_names(missing)}. Copy them again if "
            "they are part of the release."
        )
    if partial:
        yield f"Files that label fewer frames than others of the same trial: {format_names(partial)}."
    if without_pictures:
        yield f"Trials with labels but no folder of pictures, skipped: {format_names(without_pictures)}."
