"""Sheets that show every action unit on several subjects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.facs import action_unit
from vlfau.files.atomic import make_folder, replacing
from vlfau.synthetic.components import components
from vlfau.synthetic.expression import JAW_DROP, LIPS_PART, MOUTH_STRETCH, Expression
from vlfau.synthetic.framing import Framing
from vlfau.synthetic.renderer import Renderer, Scene
from vlfau.synthetic.subject import Subject

__all__ = ["draw_sheet", "sheet_subjects", "write_sheets"]

UPPER_REGIONS: Final = ("brow", "eye", "cheek", "nose")
CAPTION_XY: Final = (4, 16)
ZOOM: Final = 1.35
GENDERS: Final[tuple[Literal["F"], Literal["M"]]] = ("F", "M")
NUM_SUBJECTS, NUM_CANDIDATES = 4, 12


def sheet_subjects(seed: int) -> list[Subject]:
    """Return four subjects with skin from light to dark, chosen from a dozen."""
    chances = components("laboratory")
    candidates = [
        Subject.sample(seed, number, gender=GENDERS[number % 2], chances=chances) for number in range(NUM_CANDIDATES)
    ]
    candidates = [subject for subject in candidates if subject.appearance.glasses == "none"]
    candidates.sort(key=lambda subject: subject.appearance.darkness)
    indices = np.linspace(0, len(candidates) - 1, NUM_SUBJECTS).round().astype(int)
    return [candidates[index] for index in indices]


def draw_sheet(
    subjects: Sequence[Subject], au_ids: Sequence[int], intensity: float, size: int = 224
) -> NDArray[np.uint8]:
    """Render every subject (row) at rest and with every AU (column).

    Args:
        subjects: The subjects.
        au_ids: The AUs.
        intensity: Intensity of the AUs, 0 to 5.
        size: Side length of a face in pixels.

    Returns:
        (rows * size, columns * size, 3) uint8, RGB.
    """
    renderer = Renderer(size)
    columns: list[tuple[str, Expression]] = [("neutral", Expression.of({}))]
    columns += [(action_unit(au_id).label, _alone(au_id, intensity)) for au_id in au_ids]
    rows = []
    for subject in subjects:
        faces = []
        for label, expression in columns:
            face = renderer.draw(subject, Scene(expression, framing=Framing(aligned=True, zoom=ZOOM))).image
            for colour, width in ((255, 3), (0, 1)):
                cv2.putText(face, label, CAPTION_XY, cv2.FONT_HERSHEY_SIMPLEX, 0.45, [colour] * 3, width, cv2.LINE_AA)
            faces.append(face)
        rows.append(np.concatenate(faces, axis=1))
    return np.concatenate(rows)


def _alone(au_id: int, intensity: float) -> Expression:
    with_it = {LIPS_PART: intensity} if au_id in {JAW_DROP, MOUTH_STRETCH} else {}
    return Expression.of({au_id: intensity, **with_it})


def write_sheets(folder: Path, subjects: Sequence[Subject], intensity: float, au_ids: Sequence[int]) -> list[Path]:
    """Write one PNG sheet for the AUs of the upper face and one for the lower face; a sheet without AUs is skipped.

    Raises:
        InputError: A file cannot be written.
    """
    make_folder(folder)
    upper = [au_id for au_id in au_ids if action_unit(au_id).region in UPPER_REGIONS]
    lower = [au_id for au_id in au_ids if au_id not in upper]
    paths = []
    for name, shown in (("upper", upper), ("lower", lower)):
        if not shown:
            continue
        path = folder / f"sheet-{name}.png"
        _, data = cv2.imencode(".png", draw_sheet(subjects, shown, intensity)[..., ::-1])
        with replacing(path) as temporary:
            temporary.write_bytes(data.tobytes())
        paths.append(path)
    return paths
