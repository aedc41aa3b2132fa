"""The rows of a data set's manifest, in the format that `vlfau.data.manifest.read_manifest` reads."""

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from vlfau.facs import action_unit
from vlfau.synthetic.clips import Clip, Shot
from vlfau.synthetic.expression import BLINK, EYES_CLOSED, JAW_DROP, MOUTH_STRETCH, Expression
from vlfau.synthetic.framing import landmark_points
from vlfau.synthetic.presets import Preset
from vlfau.synthetic.sampler import LEVEL_STARTS
from vlfau.synthetic.subject import Subject

__all__ = ["columns", "read_rows", "row", "unknown_on_stills"]

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


def unknown_on_stills(present: Collection[int]) -> set[int]:
    """Return the AUs whose state a single picture does not show, given those that are present.

    A blink (AU 45) looks like closed eyes (AU 43). A jaw that has dropped as far as it goes is coded as AU 27 alone,
    although the movement of AU 26 is there too.

    >>> unknown_on_stills([12, 27, 43])
    {26, 45}
    """
    hidden = {EYES_CLOSED: BLINK, BLINK: EYES_CLOSED, MOUTH_STRETCH: JAW_DROP}
    return {hidden[au_id] for au_id in hidden.keys() & set(present)}


def _label_cells(expression: Expression, preset: Preset, *, stills: bool) -> dict[str, str]:
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
    if stills:
        present_ids = [au_id for au_id in preset.au_ids if cells[f"AU{au_id}"] == "1"]
        for au_id in unknown_on_stills(present_ids) & set(preset.au_ids):
            cells |= dict.fromkeys((name for name in cells if name.split("_")[0] == f"AU{au_id}"), "")
    for au_id in preset.drawn_ids:
        if action_unit(au_id).sided:
            cells[f"left_AU{au_id}"] = f"{expression.left.get(au_id, 0):.3f}"
            cells[f"right_AU{au_id}"] = f"{expression.right.get(au_id, 0):.3f}"
        else:
            cells[f"exact_AU{au_id}"] = f"{expression.left.get(au_id, 0):.3f}"
    return cells


def row(
    first_cells: Sequence[str], subject: Subject, clip: Clip, shot: Shot, preset: Preset, *, stills: bool = False
) -> Mapping[str, str]:
    """Return the row of a frame, by column.

    Args:
        first_cells: The cells of the first six columns.
        subject: The subject.
        clip: The clip of the frame.
        shot: The frame.
        preset: The preset, whose AUs are labelled.
        stills: Whether to leave labels empty that a single picture cannot show.
    """
    pose, framing, appearance = shot.scene.pose, shot.scene.framing, subject.appearance
    cells = dict(zip(FRAME_COLUMNS, first_cells, strict=True)) | _label_cells(
        shot.scene.expression, preset, stills=stills
    )
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
