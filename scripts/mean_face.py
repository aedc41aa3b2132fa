"""Measure the mean face for alignment and head pose.

    python scripts/mean_face.py FOLDER

FOLDER contains pictures of one face each. Only frontal faces are used, together with their mirror images.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.faces.detector import FaceDetector
from vlfau.faces.mesh import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, FaceMesh, Region
from vlfau.files.atomic import replacing

OUTPUT = Path(__file__).parents[1] / "src" / "vlfau" / "faces" / "mean_face.csv"
NOSE_TIP = 1
MAX_OFF_CENTRE = 0.06  # of the nose tip, in distances between the outer eye corners


def standard_face(image: NDArray[np.uint8], detect: FaceDetector, mesh: FaceMesh) -> NDArray[np.float64] | None:
    """Return the landmarks (468, 3) with level eyes at distance 1; None if no face is found."""
    height, width = image.shape[:2]
    whole = Region(np.array([(width - 1) / 2, (height - 1) / 2]), float(max(height, width)), 0.0)
    detections = detect(image, [whole])
    if not detections:
        return None
    (rough,) = mesh(image, [detections[0].region()])
    (found,) = mesh(image, [rough.region()])
    points = np.column_stack([found.landmarks_xy, found.landmarks_z]).astype(np.float64)
    right, left = points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER]
    across = (left - right)[:2]
    cosine, sine = across / np.linalg.norm(across)
    points -= (left + right) / 2
    points[:, :2] @= np.array([[cosine, -sine], [sine, cosine]])
    return points / np.linalg.norm(across)


def main() -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(description="Measure the mean face.")
    parser.add_argument("folder", type=Path)
    paths = sorted(parser.parse_args().folder.glob("*.jpg"))
    detect, mesh = FaceDetector(), FaceMesh()
    faces: list[NDArray[np.float64]] = []
    for path in paths:
        image = np.asarray(Image.open(path).convert("RGB"), np.uint8)
        pair = [standard_face(np.ascontiguousarray(view), detect, mesh) for view in (image, image[:, ::-1])]
        faces += [face for face in pair if face is not None and abs(face[NOSE_TIP, 0]) < MAX_OFF_CENTRE]
    mean = np.mean(faces, axis=0)
    print(f"{len(faces)} of {2 * len(paths)} views are frontal")
    rows = "\n".join(",".join(f"{value:.4f}" for value in row) for row in mean)
    with replacing(OUTPUT) as temporary:
        temporary.write_text(f"# mean of {len(faces)} frontal synthetic faces: x, y, z\n{rows}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
