"""FaceMesh: the landmarks of a face, and whether there is a face.

There are two networks. `FaceMesh` finds 468 landmarks and is fast; the finder uses it. `DenseFaceMesh` finds the same
468 more finely, above all on lids and lips, and ten on the irises; it takes about four times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.session import CPU, batch_size, open_session
from vlfau.faces.warp import apply_affine, invert_affine, warp

__all__ = ["DenseFaceMesh", "FaceMesh", "Mesh", "Region"]

WEIGHTS = Path(__file__).parent / "weights"
REGION_SCALE = 1.5  # of the face's box, as FaceMesh was trained
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263  # the subject's own right and left


@dataclass(frozen=True)
class Region:
    """A rotated square of a picture.

    Attributes:
        centre_xy: (2,), in pixels.
        side: In pixels.
        angle: Clockwise rotation of the square in the picture, in radians.
    """

    centre_xy: NDArray[np.floating]
    side: float
    angle: float

    @classmethod
    def around(
        cls,
        points_xy: NDArray[np.floating],
        right_eye_xy: NDArray[np.floating],
        left_eye_xy: NDArray[np.floating],
    ) -> "Region":
        """Return FaceMesh's input region for points (P, 2) on a face whose eyes are known."""
        across = left_eye_xy - right_eye_xy
        angle = float(np.arctan2(across[1], across[0]))
        cosine, sine = np.cos(angle), np.sin(angle)
        upright = np.array([[cosine, sine], [-sine, cosine]])
        turned = points_xy @ upright.T
        lowest, highest = turned.min(0), turned.max(0)
        return cls((lowest + highest) / 2 @ upright, REGION_SCALE * float((highest - lowest).max()), angle)

    def matrix(self, size: int) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from the picture to this square drawn with `size` pixels a side."""
        scale = size / max(self.side, 1e-6)
        cosine, sine = scale * np.cos(self.angle), scale * np.sin(self.angle)
        linear = np.array([[cosine, sine], [-sine, cosine]])
        return np.column_stack([linear, (size - 1) / 2 - linear @ self.centre_xy])


@dataclass(frozen=True)
class Mesh:
    """The landmarks of one face.

    Attributes:
        landmarks_xy: (P, 2) float32, in pixels of the picture, in FaceMesh's order.
        landmarks_z: (P,) float32, depth in the same unit, smaller nearer to the camera, without an origin.
        presence: Probability that the region holds a face.
    """

    landmarks_xy: NDArray[np.float32]
    landmarks_z: NDArray[np.float32]
    presence: float

    def region(self) -> Region:
        """Return the region for the next look at the same face."""
        points = self.landmarks_xy
        return Region.around(points, points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER])


class FaceMesh:
    """Finds the 468 landmarks of faces whose region is known.

    The weights are Google's (MediaPipe, Apache License 2.0); see the NOTICE beside them.
    """

    weights: ClassVar = "facemesh.onnx"
    input_size: ClassVar = 192

    def __init__(self, *, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        self._session = open_session(WEIGHTS / self.weights, threads=threads, providers=providers)
        self._batch_size = batch_size(providers)

    def __call__(self, image: NDArray[np.uint8], regions: Sequence[Region]) -> list[Mesh]:
        """Find the landmarks of every region.

        Args:
            image: (H, W, 3) uint8, RGB.
            regions: Where the faces are.
        """
        meshes: list[Mesh] = []
        for start in range(0, len(regions), self._batch_size):
            meshes += self._run(image, regions[start : start + self._batch_size])
        return meshes

    def _run(self, image: NDArray[np.uint8], regions: Sequence[Region]) -> list[Mesh]:
        matrices = [region.matrix(self.input_size) for region in regions]
        crops = np.stack([warp(image, matrix, self.input_size) for matrix in matrices]).astype(np.float32) / 255
        landmarks, logits = self._session.run(["landmarks", "presence_logits"], {"images": crops})
        return [
            Mesh(
                landmarks_xy=apply_affine(invert_affine(matrix), points[:, :2] - 0.5).astype(np.float32),
                landmarks_z=points[:, 2] * np.float32(region.side / self.input_size),
                presence=float(1 / (1 + np.exp(-logit))),
            )
            for matrix, region, points, logit in zip(matrices, regions, landmarks, logits, strict=True)
        ]


class DenseFaceMesh(FaceMesh):
    """Finds 478 landmarks of faces whose region is known: FaceMesh's 468, then five on each iris.

    The weights are those of MediaPipe's Face Landmarker (Google, Apache License 2.0); see the NOTICE beside them.
    Their regions are FaceMesh's.
    """

    weights: ClassVar = "facemesh_v2.onnx"
    input_size: ClassVar = 256
