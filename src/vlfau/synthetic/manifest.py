"""The rows of a data set's manifest, in the format that `vlfau.data.read_manifest` reads."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vlfau.facs import action_unit
from vlfau.synthetic.clips import Clip, Shot
from vlfau.synthetic.expression import Expression
from vlfau.synthetic.framing import landmark_points
from vlfau.synthetic.presets import Preset
from vlfau.synthetic.sampler import LEVEL_STARTS
from vlfau.synthetic.subject import Subject

__all__ = ["columns", "read_rows", "row"]

FRAME_COLUMNS = ("image", "subject", "fold", "gender", "clip", "frame")
POSE_COLUMNS = ("yaw", "pitch", "roll", "gaze_yaw", "gaze_pitch", "distance")
SCENE_COLUMNS = (
    "light",
    "background",
    "hair",
    "beard",
    "make_up",
    "glasses",
    "headwear",
    "occluder",
    "covered",
    "camera",
    "quality",
    "face_height",
)


def columns(preset: Preset) -> list[str]:
    """Return the manifest's columns.

    The preset's AUs have occurrence, integer intensity, and side. Every AU that its faces may show has its exact
    intensity on the subject's own left and right (`left_AU12`, `right_AU12`), or a single one (`exact_AU17`).
    """
    labels = []
    for au_id in preset.au_ids:
        labels += [f"AU{au_id}", f"AU{au_id}_intensity"]
        labels += [f"AU{au_id}_side"] if action_unit(au_id).sided else []
    exact = []
    for au_id in preset.drawn_ids:
        exact += [f"left_AU{au_id}", f"right_AU{au_id}"] if action_unit(au_id).sided else [f"exact_AU{au_id}"]
    landmarks = [f"landmark_{number}_{axis}" for number in sorted(landmark_points()) for axis in "xy"]
    return [*FRAME_COLUMNS, *labels, *exact, *POSE_COLUMNS, *SCENE_COLUMNS, *landmarks]


def _whole_intensity(intensity: float) -> int:
    """Return the FACS letter of an intensity as a number: 0 below A, 1 for A, up to 5 for E.

    >>> _whole_intensity(3.9)
    3
    """
    return int(np.searchsorted(LEVEL_STARTS[:-1], intensity, side="right"))


def _label_cells(expression: Expression, preset: Preset) -> dict[str, str]:
    """Return the cells of all AU columns."""
    cells: dict[str, str] = {}
    for au_id in preset.au_ids:
        intensity = expression.intensity(au_id)
        present = intensity >= preset.occurs_at
        cells[f"AU{au_id}"] = str(int(present))
        cells[f"AU{au_id}_intensity"] = str(_whole_intensity(intensity))
        side = expression.acting_side(au_id)
        if action_unit(au_id).sided:
            cells[f"AU{au_id}_side"] = str(side) if present and side is not None else ""
    for au_id in preset.drawn_ids:
        if action_unit(au_id).sided:
            cells[f"left_AU{au_id}"] = f"{expression.left.get(au_id, 0):.3f}"
            cells[f"right_AU{au_id}"] = f"{expression.right.get(au_id, 0):.3f}"
        else:
            cells[f"exact_AU{au_id}"] = f"{expression.left.get(au_id, 0):.3f}"
    return cells


def row(first_cells: Sequence[str], subject: Subject, clip: Clip, shot: Shot, preset: Preset) -> Mapping[str, str]:
    """Return the row of a frame, by column.

    Args:
        first_cells: The cells of the first six columns.
        subject: The subject.
        clip: The clip of the frame.
        shot: The frame.
        preset: The preset, whose AUs are labelled.
    """
    pose, framing, appearance = shot.scene.pose, shot.scene.framing, subject.appearance
    cells = dict(zip(FRAME_COLUMNS, first_cells, strict=True)) | _label_cells(shot.scene.expression, preset)
    pose_cells = (pose.yaw, pose.pitch, pose.roll, pose.gaze_yaw, pose.gaze_pitch, framing.distance)
    cells |= {name: f"{value:.2f}" for name, value in zip(POSE_COLUMNS, pose_cells, strict=True)}
    scene_cells = (
        shot.scene.light.name,
        clip.background,
        appearance.hair_style,
        appearance.beard,
        appearance.make_up,
        appearance.glasses,
        appearance.headwear,
        clip.occluder_kind,
        f"{shot.covered:.3f}",
        " ".join(clip.camera.strengths),
        str(clip.camera.quality),
        f"{shot.face_height:.0f}",
    )
    cells |= dict(zip(SCENE_COLUMNS, scene_cells, strict=True))
    for number, (x, y) in shot.landmarks_xy.items():
        cells |= {f"landmark_{number}_x": f"{x:.2f}", f"landmark_{number}_y": f"{y:.2f}"}
    return cells


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a table written by this package."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
