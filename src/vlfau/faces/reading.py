"""A closer reading of a found face: 478 landmarks, the same without head pose, and 52 movements.

Finding faces does not need it, so its networks are opened when the first face is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.blendshapes import Blendshapes
from vlfau.faces.finder import Face
from vlfau.faces.mesh import DenseFaceMesh, Mesh
from vlfau.faces.pose import canonical_points
from vlfau.faces.warp import apply_affine

__all__ = ["FaceReader", "FaceReading"]

UNIT = 256
"""Side of the level square in which the blendshape network gets landmarks; the network has no unit."""


@dataclass(frozen=True)
class FaceReading:
    """One face, read closely.

    Attributes:
        landmarks_xy: (478, 2) float32, in pixels of the picture: FaceMesh's 468 landmarks, then ten on the irises.
        landmarks_z: (478,) float32, their depth in pixels, smaller nearer to the camera.
        canonical: (478, 3) float32, the landmarks on the mean face, without head pose; see `canonical_points`.
        blendshapes: (52,) float32 in [0, 1], in the order of `BLENDSHAPE_NAMES`.
        presence: Probability that there is a face.
    """

    landmarks_xy: NDArray[np.float32]
    landmarks_z: NDArray[np.float32]
    canonical: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    presence: float


class FaceReader:
    """Reads faces that the finder found, or followed through a video.

    Args:
        threads: Threads per network.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self.threads = threads

    def __call__(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> list[FaceReading]:
        """Read faces of a picture.

        Args:
            image: (H, W, 3) uint8, RGB.
            faces: The faces, from the finder.
        """
        if not faces:
            return []
        # As in MediaPipe, the square of half again the size of the face's box, turned until the eyes are level.
        regions = [Mesh(face.landmarks_xy, face.landmarks_z, face.score).region() for face in faces]
        meshes = self._mesh(image, regions)
        level = [
            apply_affine(region.matrix(UNIT), mesh.landmarks_xy) for region, mesh in zip(regions, meshes, strict=True)
        ]
        return [
            FaceReading(
                landmarks_xy=mesh.landmarks_xy,
                landmarks_z=mesh.landmarks_z,
                canonical=canonical_points(mesh.landmarks_xy, mesh.landmarks_z).astype(np.float32),
                blendshapes=movements,
                presence=mesh.presence,
            )
            for mesh, movements in zip(meshes, self._blendshapes(np.stack(level)), strict=True)
        ]

    @cached_property
    def _mesh(self) -> DenseFaceMesh:
        return DenseFaceMesh(threads=self.threads)

    @cached_property
    def _blendshapes(self) -> Blendshapes:
        return Blendshapes(threads=self.threads)
