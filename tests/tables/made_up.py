"""A run that nobody has to wait for: pictures and videos with made-up faces."""

from itertools import product

import numpy as np

from vlfau.faces import CropGeometry, HeadPose
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import AUResult, FaceResult, PictureResult


def a_model(**changes):
    values = {
        "name": "tiny",
        "version": "1.0",
        "licence": "Apache-2.0",
        "created": "2026-01-31",
        "au_ids": (12, 1),
        "thresholds": (0.25, 0.5),
        "crop": CropGeometry(aligned_size=16, crop_size=16),
        "training": {"synthetic": True},
    }
    return BundleInfo(**values | changes)


def a_face(prob=0.75, **changes):
    values = {
        "aus": (
            AUResult(12, "Lip Corner Puller", prob, prob >= 0.25, 'The lip corners rise, "up".', 3.14159),
            AUResult(1, "Inner Brow Raiser", 0.12345, False),
        ),
        "global_caption": "This person smiles.",
        "face_box_xyxy": (10.04, 20.0, 30.26, 60.5),
        "landmarks_xy": np.ones((468, 2), np.float32),
        "score": 0.98765,
        "pose": HeadPose(yaw=-0.04, pitch=-20.0, roll=5.0),
        "crop": np.zeros((4, 4, 3), np.uint8),
    }
    return FaceResult(**values | changes)


STRANGE_NAMES = (
    "=1+1.jpg",
    "a,b.jpg",
    'say "cheese".jpg',
    "two\nlines.jpg",
    "NA",
    "顔 🙂.jpg",
    "caf\udce9.jpg",
    "r\rn.jpg",
)


def a_run(frames=12):
    """Return the results of pictures with strange names and 0 to 2 faces, then of two videos."""
    pictures = [
        PictureResult(name, tuple(a_face(prob=0.1 * index + 0.01 * face) for face in range(index % 3)))
        for index, name in enumerate(STRANGE_NAMES, start=1)
    ]
    videos = [
        PictureResult(
            file,
            tuple(a_face(prob=(frame % 10) / 10, face_id=face_id) for face_id in range(3, 3 + frame % 3)),
            frame=frame,
            time_s=frame / 30,
        )
        for file, frame in product(("a.mp4", "b, 2.mp4"), range(frames))
    ]
    return [*pictures, *videos]
