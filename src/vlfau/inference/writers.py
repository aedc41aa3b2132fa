"""Results as files: a table for statistics (CSV) and the whole as a document (JSON).

`write_csv` writes UTF-8 with one row a face and these columns:

| column | meaning |
|---|---|
| file | the picture's path, as given |
| face | the number of the face in the picture, from 1, as in the annotated picture |
| box_x1, box_y1, box_x2, box_y2 | left, top, right, bottom of the face, in pixels |
| face_score | how sure the face finder is, 0 to 1 |
| yaw, pitch, roll | head pose in degrees; the signs are those of `vlfau.facs` |
| AU1_prob, AU1_state, AU1_intensity, AU1_text, ... | an AU's probability, 1 if it occurs and 0 if not, its intensity \
from 0 to 5 (empty from a model that has none), and its words |
| global_text | the whole face in words |

A picture without a face has no row. `write_json` lists every picture, also those without a face, together
with the model that judged them.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import vlfau
from vlfau.atomic import replacing
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult, PictureResult

__all__ = ["csv_columns", "write_csv", "write_json"]

_FACE_COLUMNS = ("file", "face", "box_x1", "box_y1", "box_x2", "box_y2", "face_score", "yaw", "pitch", "roll")


def csv_columns(au_ids: Sequence[int]) -> list[str]:
    """Return the names of the columns for these AUs.

    >>> csv_columns([12])[-5:]
    ['AU12_prob', 'AU12_state', 'AU12_intensity', 'AU12_text', 'global_text']
    """
    au_columns = [f"AU{au_id}_{what}" for au_id in au_ids for what in ("prob", "state", "intensity", "text")]
    return [*_FACE_COLUMNS, *au_columns, "global_text"]


def write_csv(path: Path, pictures: Sequence[PictureResult], *, model: BundleInfo) -> None:
    """Write one row a face, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(csv_columns(model.au_ids))
        for picture in pictures:
            for number, face in enumerate(picture.faces, start=1):
                writer.writerow([picture.file, number, *_cells(face)])


def write_json(path: Path, pictures: Sequence[PictureResult], *, model: BundleInfo) -> None:
    """Write everything that `FaceResult.to_dict` gives, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    document: dict[str, Any] = {
        "format": 1,
        "vlfau": vlfau.__version__,
        "model": {
            "name": model.name,
            "version": model.version,
            "synthetic": model.is_synthetic,
            "au_ids": list(model.au_ids),
        },
        "pictures": [
            {"file": picture.file, "faces": [face.to_dict() for face in picture.faces]} for picture in pictures
        ],
    }
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        json.dump(document, stream, ensure_ascii=False, allow_nan=False, indent=2)
        stream.write("\n")


def _cells(face: FaceResult) -> Iterator[object]:
    yield from (f"{value:.1f}" for value in face.face_box_xyxy)
    yield f"{face.score:.4f}"
    yield from (f"{angle:.1f}" for angle in (face.pose.yaw, face.pose.pitch, face.pose.roll))
    for au in face.aus:
        intensity = "" if au.intensity is None else f"{au.intensity:.2f}"
        yield from (f"{au.prob:.4f}", int(au.state), intensity, au.local_caption or "")
    yield face.global_caption or ""
