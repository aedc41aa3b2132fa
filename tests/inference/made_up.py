"""A face whose numbers a person can check."""

import numpy as np

from vlfau.faces import HeadPose
from vlfau.inference.results import AUResult, FaceResult


def a_face(prob=0.75):
    return FaceResult(
        aus=(
            AUResult(1, "Inner Brow Raiser", 0.125, False, attention_map=np.ones((2, 2), np.float32)),
            AUResult(6, "Cheek Raiser", 0.25, False),
            AUResult(12, "Lip Corner Puller", prob, True, "The lip corners rise, up.", 3.14159),
        ),
        global_caption='This person "smiles".',
        face_box_xyxy=(10.04, 20.0, 30.0, 40.0),
        landmarks_xy=np.ones((468, 2), np.float32),
        score=0.98765,
        pose=HeadPose(yaw=1.25, pitch=-2.0, roll=0.0),
        crop=np.zeros((4, 4, 3), np.uint8),
    )
