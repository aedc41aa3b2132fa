"""Reads DISFA as released: one file of intensities per AU and subject, and one video per subject."""

import re
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.media.labelled_video import count_frames
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import find_path, format_names, list_folder, read_genders, read_lines
from vlfau.prepare.protocol import Protocol, read_protocol

__all__ = ["read_disfa"]

SUBJECT: Final = re.compile(r"SN\d+", re.IGNORECASE)
VIDEO: Final = re.compile(r"leftvideo(SN\d+)_comp\.avi", re.IGNORECASE)
LINE: Final = re.compile(r"\s*(\d+)\s*,\s*([0-5])\s*")
CAMERA: Final = "left"


def read_disfa(folder: Path, folds: Path | None = None) -> Source:
    """Read `ActionUnit_Labels/SN001/SN001_au1.txt` and find `Videos_LeftCamera/LeftVideoSN001_comp.avi`.

    Args:
        folder: The folder of the release; it may contain a `subjects.csv` with genders.
        folds: A file with other folds than the published ones.

    Raises:
        InputError: There are no labels or no videos, a file is wrong, or a video is shorter than its labels.
    """
    protocol = read_protocol("disfa", folds)
    genders = read_genders(folder)
    videos = _videos(folder)
    clips = []
    for subject_id, labels in sorted(_label_folders(folder).items()):
        video = videos.pop(subject_id, None)
        frames = _read_labels(labels, subject_id, protocol)
        clips.append(
            Clip(
                subject_id=subject_id,
                task=CAMERA,
                fold=protocol.fold_of(subject_id),
                gender=genders.get(subject_id, ""),
                frames=frames,
                video=video,
                unlabelled=_surplus(video, labels, frames) if video is not None else 0,
            )
        )
    without_video = [clip.subject_id for clip in clips if clip.video is None]
    notes = [f"Subjects with labels but no video, skipped: {format_names(without_video)}."] if without_video else []
    surplus = sum(max(0, count_frames(video)) for video in videos.values())
    return Source(protocol, tuple(clips), unlabelled=surplus, notes=tuple(notes))


def _label_folders(folder: Path) -> dict[str, Path]:
    root = find_path(folder, "ActionUnit_Labels") or folder
    found = {path.name.upper(): path for path in list_folder(root) if SUBJECT.fullmatch(path.name) and path.is_dir()}
    if not found:
        raise InputError(
            f"{root} contains no DISFA labels; expected files such as ActionUnit_Labels/SN001/SN001_au1.txt in it; "
            "pass the folder of the release"
        )
    return found


def _videos(folder: Path) -> dict[str, Path]:
    root = find_path(folder, "Videos_LeftCamera") or folder
    matches = [(VIDEO.fullmatch(path.name), path) for path in list_folder(root)]
    found = {match[1].upper(): path for match, path in matches if match}
    if not found:
        raise InputError(
            f"{root} contains no DISFA videos; expected files such as Videos_LeftCamera/LeftVideoSN001_comp.avi; "
            "copy them there"
        )
    return found


def _read_labels(folder: Path, subject_id: str, protocol: Protocol) -> tuple[LabelledFrame, ...]:
    by_au: list[dict[int, int]] = []
    first: Path | None = None
    for au_id in protocol.au_ids:
        name = f"{subject_id}_au{au_id}.txt"
        path = find_path(folder, name)
        if path is None:
            raise ManifestError(f"{folder} lacks {name}; copy the labels of {subject_id} again")
        intensities = _read_intensities(path)
        first = first or path
        if by_au and intensities.keys() != by_au[0].keys():
            raise ManifestError(
                f"{path} labels {len(intensities)} frames, but {first} labels {len(by_au[0])} or other ones; both "
                "must label the same frames, so copy them again"
            )
        by_au.append(intensities)
    frames = []
    for number in sorted(by_au[0]):
        intensity = tuple(intensities[number] for intensities in by_au)
        occurrence = tuple(int(value >= protocol.occurs_at) for value in intensity)
        frames.append(LabelledFrame(number, occurrence, intensity))
    return tuple(frames)


def _read_intensities(path: Path) -> dict[int, int]:
    found: dict[int, int] = {}
    for line, text in enumerate(read_lines(path), 1):
        match = LINE.fullmatch(text)
        if match is None or int(match[1]) < 1 or int(match[1]) in found:
            raise ManifestError(
                f"{path}, line {line}: expected a new frame number (1 or more) and an intensity from 0 to 5, such as "
                f"'17,2', found '{text}'; correct the line"
            )
        found[int(match[1])] = int(match[2])
    if not found:
        raise ManifestError(f"{path} is empty; copy it again")
    return found


def _surplus(video: Path, labels: Path, frames: tuple[LabelledFrame, ...]) -> int:
    """Return the number of frames of a video without labels."""
    length, last = count_frames(video), frames[-1].number
    if 0 < length < last:
        raise InputError(
            f"{video} has {length} frames, but the labels in {labels} go to frame {last}; copy the video again"
        )
    return max(0, length - len(frames))
