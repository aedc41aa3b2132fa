"""Movements of a face, estimated from its landmarks by MediaPipe's blendshape network.

The network is a mixer of points (Grishchenko et al., "Blendshapes GHUM: Real-time Monocular Facial Blendshape
Prediction", 2023, arXiv:2309.05782). It learned from people, not from drawn faces, so its movements carry over to
photographs. They are not action units: some combine several, and AU 6 and 9 hardly show in them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.faces.session import open_session

__all__ = ["BLENDSHAPE_LANDMARKS", "BLENDSHAPE_NAMES", "Blendshapes"]

WEIGHTS = Path(__file__).parent / "weights" / "blendshapes.onnx"

# fmt: off
BLENDSHAPE_LANDMARKS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)
"""Which of the 478 landmarks the network reads, in its order."""

BLENDSHAPE_NAMES = (
    "neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)
"""Names of the network's outputs, in its order; sides are the subject's own. "neutral" is unused."""
# fmt: on


class Blendshapes:
    """Estimates 52 movements from the landmarks of `DenseFaceMesh`.

    The weights are those of MediaPipe's Face Landmarker (Google, Apache License 2.0); see the NOTICE beside them.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._session = open_session(WEIGHTS, threads=threads)

    def __call__(self, landmarks_xy: NDArray[np.floating]) -> NDArray[np.float32]:
        """Estimate the movements of B faces.

        Args:
            landmarks_xy: (B, 478, 2), in any unit that is the same in both directions. The network expects faces
                whose eyes are level.

        Returns:
            (B, 52) float32 in [0, 1], in the order of `BLENDSHAPE_NAMES`.

        Raises:
            ConfigError: The landmarks have another shape.
        """
        if landmarks_xy.ndim != 3 or landmarks_xy.shape[1:] != (478, 2):
            raise ConfigError(f"expected landmarks (B, 478, 2), as DenseFaceMesh finds them, got {landmarks_xy.shape}")
        points = np.ascontiguousarray(landmarks_xy[:, BLENDSHAPE_LANDMARKS], np.float32)
        (movements,) = self._session.run(["blendshapes"], {"points": points})
        return np.asarray(movements, np.float32)
