"""Adds FaceMesh's landmarks to a manifest of real faces."""

import csv
from collections.abc import Callable
from pathlib import Path

from vlfau.errors import ImageError, ManifestError
from vlfau.faces import FaceFinder
from vlfau.faces.pose import SPARSE_LANDMARKS
from vlfau.files.atomic import replacing
from vlfau.media.images import read_image

__all__ = ["add_landmarks"]


def add_landmarks(
    manifest: Path, *, finder: FaceFinder | None = None, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Write the places of the landmarks that drawn faces have into a manifest, in place.

    Existing landmark columns are replaced. A picture in which no face is found keeps its row, with empty cells.

    Args:
        manifest: The CSV file of aligned faces.
        finder: Finds the faces; None loads one.
        progress: Called with the number of pictures that are done and of all.

    Returns:
        The number of pictures in which no face was found.

    Raises:
        ManifestError: The file is not a manifest, or a picture can't be read.
    """
    try:
        with manifest.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            columns, rows = list(reader.fieldnames or ()), list(reader)
    except OSError as error:
        raise ManifestError(f"manifest {manifest} can't be opened ({error.strerror}); check the path") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"manifest {manifest} is not a UTF-8 CSV file ({error}); export it as one") from None
    if "image" not in columns:
        raise ManifestError(f"manifest {manifest} has no column 'image'; give a file as `vlfau prepare` writes it")
    finder = finder or FaceFinder(max_faces=1)
    names = [f"landmark_{number}_{axis}" for number in SPARSE_LANDMARKS for axis in "xy"]
    missed = 0
    for done, row in enumerate(rows, start=1):
        row.update(dict.fromkeys(names, ""))
        try:
            faces = finder.find(read_image(manifest.parent / row["image"]))
        except ImageError as error:
            raise ManifestError(f"{error}; {manifest} names the file") from None
        if faces:
            for number in SPARSE_LANDMARKS:
                x, y = faces[0].landmarks_xy[number]
                row.update({f"landmark_{number}_x": f"{x:.2f}", f"landmark_{number}_y": f"{y:.2f}"})
        missed += not faces
        progress(done, len(rows))
    kept = [column for column in columns if not column.startswith("landmark_")]
    with replacing(manifest) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*kept, *names], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return missed
