"""DISFA as it is delivered: a text of intensities an AU and subject, and a video a subject."""

import re
from pathlib import Path
from typing import Final

from vlfau.errors import InputError, ManifestError
from vlfau.media.labelled_video import count_frames
from vlfau.prepare.clips import Clip, LabelledFrame, Source
from vlfau.prepare.folders import entries, find_below, listed, read_genders, read_lines
from vlfau.prepare.protocol import Protocol, read_protocol

__all__ = ["read_disfa"]

SUBJECT: Final = re.compile(r"SN\d+", re.IGNORECASE)
VIDEO: Final = re.compile(r"leftvideo(SN\d+)_comp\.avi", re.IGNORECASE)
LINE: Final = re.compile(r"\s*(\d+)\s*,\s*([0-5])\s*")
CAMERA: Final = "left"


def read_disfa(folder: Path, folds: Path | None = None) -> Source:
    """Read `ActionUnit_Labels/SN001/SN001_au1.txt` and find `Videos_LeftCamera/LeftVideoSN001_comp.avi`.

    Args:
        folder: Of the release; a `subjects.csv` in it may tell genders.
        folds: A file with other folds than the field's.

    Raises:
        InputError: There are no labels or no videos, a text is wrong, or a video is shorter than its labels.
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
    blind = [clip.subject_id for clip in clips if clip.video is None]
    notes = [f"Subjects with labels and no video, left out: {listed(blind)}."] if blind else []
    surplus = sum(max(0, count_frames(video)) for video in videos.values())
    return Source(protocol, tuple(clips), unlabelled=surplus, notes=tuple(notes))


def _label_folders(folder: Path) -> dict[str, Path]:
    root = find_below(folder, "ActionUnit_Labels") or folder
    found = {path.name.upper(): path for path in entries(root) if SUBJECT.fullmatch(path.name) and path.is_dir()}
    if not found:
        raise InputError(
            f"{root} holds no labels of DISFA; expected files such as ActionUnit_Labels/SN001/SN001_au1.txt in the "
            "folder, name the one of the release"
        )
    return found


def _videos(folder: Path) -> dict[str, Path]:
    root = find_below(folder, "Videos_LeftCamera") or folder
    matches = [(VIDEO.fullmatch(path.name), path) for path in entries(root)]
    found = {match[1].upper(): path for match, path in matches if match}
    if not found:
        raise InputError(
            f"{root} holds no videos of DISFA; expected files such as Videos_LeftCamera/LeftVideoSN001_comp.avi, put "
            "them there"
        )
    return found


def _read_labels(folder: Path, subject_id: str, protocol: Protocol) -> tuple[LabelledFrame, ...]:
    by_au: list[dict[int, int]] = []
    first: Path | None = None
    for au_id in protocol.au_ids:
        name = f"{subject_id}_au{au_id}.txt"
        path = find_below(folder, name)
        if path is None:
            raise ManifestError(f"{folder} lacks {name}; copy the labels of {subject_id} again")
        intensities = _read_text(path)
        first = first or path
        if by_au and intensities.keys() != by_au[0].keys():
            raise ManifestError(
                f"{path} labels {len(intensities)} frames, but {first} labels {len(by_au[0])} or others; they must be "
                "the same, copy both again"
            )
        by_au.append(intensities)
    frames = []
    for number in sorted(by_au[0]):
        intensity = tuple(intensities[number] for intensities in by_au)
        occurrence = tuple(int(value >= protocol.occurs_at) for value in intensity)
        frames.append(LabelledFrame(number, occurrence, intensity))
    return tuple(frames)


def _read_text(path: Path) -> dict[int, int]:
    found: dict[int, int] = {}
    for line, text in enumerate(read_lines(path), 1):
        match = LINE.fullmatch(text)
        if match is None or int(match[1]) < 1 or int(match[1]) in found:
            raise ManifestError(
                f"{path}, line {line}: expected a new frame's number from 1 and an intensity from 0 to 5, such as "
                f"'17,2', found '{text}'; correct the line"
            )
        found[int(match[1])] = int(match[2])
    if not found:
        raise ManifestError(f"{path} is empty; copy it again")
    return found


def _surplus(video: Path, labels: Path, frames: tuple[LabelledFrame, ...]) -> int:
    """Return how many frames of a video have no labels."""
    length, last = count_frames(video), frames[-1].number
    if 0 < length < last:
        raise InputError(
            f"{video} has {length} frames, but the labels in {labels} go to frame {last}; copy the video again"
        )
    return max(0, length - len(frames))
