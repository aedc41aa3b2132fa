"""Reads CK+ as released: one folder of pictures for each sequence, and one file of FACS codes for its last frame."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.facs import Side, action_unit
from vlfau.prepare.clips import Clip, LabelledFrame, Skipped, Source
from vlfau.prepare.folders import (
    find_first_path,
    format_names,
    list_folder,
    matching_folders,
    numbered_pictures,
    read_genders,
    read_lines,
)
from vlfau.prepare.protocol import Protocol, read_protocol

__all__ = ["read_ckplus"]

IMAGES: Final = "cohn-kanade-images"
SUBJECT: Final = re.compile(r"S\d+", re.IGNORECASE)
SEQUENCE: Final = re.compile(r"\d+")
CODES: Final = re.compile(r"(S\d+)_(\d+)_(\d+)_facs\.txt", re.IGNORECASE)
PICTURE: Final = re.compile(r"S\d+_\d+_(\d+)", re.IGNORECASE)
CODE: Final = re.compile(r"([LR]?)(\d+(?:\.\d*)?(?:e[+-]?\d+)?)", re.IGNORECASE)
SIDES: Final = {"": None, "L": Side.LEFT, "R": Side.RIGHT}
FIRST: Final = 1
"""Number of a sequence's first frame, which is neutral by design."""
UNREADABLE: Final = "codes unreadable"

Key = tuple[str, str]
"""A subject and a sequence, such as ("S005", "001")."""


@dataclass(frozen=True, slots=True)
class _Code:
    """One AU of a peak frame; intensity 0 means not coded."""

    au_id: int
    intensity: int
    sides: frozenset[Side] = frozenset()


@dataclass(slots=True)
class _Findings:
    """Findings to mention in the report."""

    unknown: Counter[int] = field(default_factory=Counter)
    codes: int = 0
    ungraded: int = 0
    unreadable: list[str] = field(default_factory=list)
    not_last: list[str] = field(default_factory=list)
    without_first: list[str] = field(default_factory=list)


def read_ckplus(folder: Path, folds: Path | None = None, *, with_neutral: bool = False) -> Source:
    """Read `FACS/S005/001/S005_001_00000011_facs.txt` and find `cohn-kanade-images/S005/001/S005_001_00000011.png`.

    Each line of a file has an AU and its intensity; intensity 0 means not coded. A code may begin with L or R
    for one side. An AU that the file does not list is absent.

    Args:
        folder: The folder of the release; it may contain a `subjects.csv` with genders.
        folds: A file with folds; without it, subjects are assigned to folds by a fixed rule.
        with_neutral: Whether to include the first frame of every coded sequence, with all AUs absent. The data set is
            designed so that sequences begin neutral, but these frames were not coded.

    Raises:
        InputError: There are no codes or no pictures, or a sequence has two files of codes or those of another.
    """
    protocol = read_protocol("ckplus", folds)
    genders = read_genders(folder)
    codes, pictures = _code_files(folder), _picture_folders(folder)
    protocol = protocol.assign_folds(Counter(subject_id for subject_id, _ in codes))
    findings = _Findings()
    clips, skipped = [], []
    for key, path in sorted(codes.items()):
        subject_id, sequence = key
        files = numbered_pictures(pictures.get(key), PICTURE)
        clip = Clip(subject_id, sequence, protocol.fold_of(subject_id), genders.get(subject_id, ""), frames=())
        frame, readable = _peak_frame(path, files, protocol, findings)
        frames = [frame] if readable else []
        skipped += [] if readable else [Skipped.of(clip, frame, UNREADABLE)]
        if with_neutral and FIRST in files and frame.number != FIRST:
            frames.insert(0, _neutral_frame(files[FIRST], len(protocol.au_ids)))
        elif with_neutral:
            findings.without_first.append(_name(key))
        unlabelled = len(files.keys() - {frame.number, *(each.number for each in frames)})
        clips.append(replace(clip, frames=tuple(frames), unlabelled=unlabelled))
    uncoded = sorted(key for key in pictures if key not in codes)
    surplus = sum(len(numbered_pictures(pictures[key], PICTURE)) for key in uncoded)
    notes = [*_missing(codes, pictures, uncoded), *_sentences(findings, with_neutral=with_neutral)]
    return Source(protocol, tuple(clips), surplus, tuple(skipped), tuple(notes))


def _code_files(folder: Path) -> dict[Key, Path]:
    root = find_first_path(folder, [("FACS",), ("FACS_labels", "FACS"), ("FACS_labels",)])
    found: dict[Key, Path] = {}
    for key, sequence in _sequences(root) if root is not None else ():
        files = [path for path in list_folder(sequence) if CODES.fullmatch(path.name)]
        for path in files:
            match = CODES.fullmatch(path.name)
            assert match is not None
            if (match[1].upper(), match[2]) != key:
                raise ManifestError(
                    f"{path} has the codes of {match[1]}/{match[2]} in the folder of {_name(key)}; copy both again"
                )
        if len(files) > 1:
            raise ManifestError(
                f"{sequence} contains {len(files)} files of codes ({', '.join(path.name for path in files)}); expected "
                "one, for the last frame; remove the others"
            )
        if files:
            found[key] = files[0]
    if not found:
        raise InputError(
            f"{root or folder} contains no CK+ codes; expected files such as "
            "FACS/S005/001/S005_001_00000011_facs.txt in it; pass the folder of the release"
        )
    return found


def _picture_folders(folder: Path) -> dict[Key, Path]:
    root = find_first_path(folder, [(IMAGES,), (f"extended-{IMAGES}", IMAGES), (f"extended-{IMAGES}",)])
    found = dict(_sequences(root)) if root is not None else {}
    if not found:
        raise InputError(
            f"{root or folder} contains no CK+ pictures; expected files such as "
            f"{IMAGES}/S005/001/S005_001_00000011.png; copy them there"
        )
    return found


def _sequences(root: Path) -> Iterator[tuple[Key, Path]]:
    for subject in matching_folders(root, SUBJECT):
        for sequence in matching_folders(subject, SEQUENCE):
            yield (subject.name.upper(), sequence.name), sequence


def _peak_frame(
    path: Path, files: Mapping[int, Path], protocol: Protocol, findings: _Findings
) -> tuple[LabelledFrame, bool]:
    """Return the coded frame of a sequence, and whether its codes can be read; if not, the frame has no labels."""
    match = CODES.fullmatch(path.name)
    assert match is not None
    number = int(match[3])
    if files and number in files and number != max(files):
        findings.not_last.append(f"{match[1]}/{match[2]}")
    try:
        codes = _read_codes(path)
    except ManifestError as error:
        findings.unreadable.append(str(error))
        return LabelledFrame(number, (None,) * len(protocol.au_ids), picture=files.get(number)), False
    findings.codes += len(codes)
    findings.ungraded += sum(not code.intensity for code in codes.values())
    findings.unknown.update(au_id for au_id in codes if au_id not in protocol.au_ids)
    present = [codes.get(au_id) for au_id in protocol.au_ids]
    return (
        LabelledFrame(
            number=number,
            occurrence=tuple(int(code is not None) for code in present),
            intensity=tuple(0 if code is None else code.intensity or None for code in present),
            picture=files.get(number),
            side=tuple(_side(code) for code in present),
        ),
        True,
    )


def _read_codes(path: Path) -> dict[int, _Code]:
    """Return the AUs that a file lists.

    Raises:
        ManifestError: A line is wrong, or the file is empty.
    """
    found: dict[int, _Code] = {}
    for line, text in enumerate(read_lines(path), 1):
        code = _read_code(text)
        if code is None:
            raise ManifestError(
                f"{path}, line {line}: expected an AU and an intensity from 0 to 5, such as '9.0 4.0', found '{text}'; "
                "correct the line"
            )
        other = found.get(code.au_id)
        if other is not None and (not code.sides or not other.sides or code.sides & other.sides):
            raise ManifestError(f"{path}, line {line}: AU {code.au_id} is coded twice; remove a line")
        if other is not None:
            code = _Code(code.au_id, max(code.intensity, other.intensity), code.sides | other.sides)
        found[code.au_id] = code
    if not found:
        raise ManifestError(f"{path} is empty; copy it again")
    return found


def _read_code(text: str) -> _Code | None:
    words = text.split()
    matches = [CODE.fullmatch(word) for word in words]
    if len(words) != 2 or matches[0] is None or matches[1] is None or matches[1][1]:
        return None
    au_id, intensity = float(matches[0][2]), float(matches[1][2])
    if not (1 <= au_id < 100 and au_id.is_integer() and intensity in range(6)):
        return None
    side = SIDES[matches[0][1].upper()]
    return _Code(int(au_id), int(intensity), frozenset() if side is None else frozenset({side}))


def _side(code: _Code | None) -> str:
    if code is None or not code.sides or not action_unit(code.au_id).sided:
        return ""
    return Side.BOTH if len(code.sides) > 1 else next(iter(code.sides))


def _neutral_frame(picture: Path, num_aus: int) -> LabelledFrame:
    return LabelledFrame(FIRST, (0,) * num_aus, (0,) * num_aus, picture, coded=False)


def _missing(codes: Mapping[Key, Path], pictures: Mapping[Key, Path], uncoded: list[Key]) -> Iterator[str]:
    if uncoded:
        yield (
            f"Sequences with pictures but no codes, not used: {format_names(map(_name, uncoded))}. Expected a file "
            "such as FACS/S005/001/S005_001_00000011_facs.txt for each."
        )
    without_pictures = sorted(key for key in codes if key not in pictures)
    if without_pictures:
        yield (
            f"Sequences with codes but no pictures, skipped: {format_names(map(_name, without_pictures))}. "
            f"Expected a folder such as {IMAGES}/S005/001 for each."
        )


def _sentences(findings: _Findings, *, with_neutral: bool) -> Iterator[str]:
    yield f"Codes without an intensity (empty in the intensity column): {findings.ungraded:,} of {findings.codes:,}."
    if findings.unknown:
        counts = ", ".join(f"AU {au_id} ({count:,})" for au_id, count in sorted(findings.unknown.items()))
        yield f"Coded AUs that the catalogue does not contain, ignored (number of sequences in brackets): {counts}."
    if findings.not_last:
        yield (
            "Sequences whose coded frame (according to the file name) is not the last picture: "
            f"{format_names(findings.not_last)}."
        )
    yield from (f"Skipped: {sentence}." for sentence in findings.unreadable)
    if with_neutral:
        yield (
            "First frames are in the manifest with all AUs absent: sequences begin neutral by design of the data set. "
            "These frames were not coded (0 in the column 'coded')."
        )
    if findings.without_first:
        yield (
            f"Sequences without a picture of frame {FIRST}, the neutral frame: {format_names(findings.without_first)}."
        )


def _name(key: Key) -> str:
    return "/".join(key)
