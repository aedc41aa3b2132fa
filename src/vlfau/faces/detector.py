"""BlazeFace, a face detector, applied to square parts of a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.mesh import Region
from vlfau.faces.session import CPU, batch_size, open_session
from vlfau.faces.warp import apply_affine, invert_affine, warp

__all__ = ["Detection", "FaceDetector"]

WEIGHTS = Path(__file__).parent / "weights" / "blazeface_back.onnx"
INPUT_SIZE = 256
GRIDS = ((16, 2), (8, 6))  # cells per side, anchors per cell
NUM_KEYPOINTS = 6
RIGHT_EYE, LEFT_EYE = 0, 1
MAX_OVERLAP = 0.3


@dataclass(frozen=True)
class Detection:
    """One face.

    Attributes:
        corners_xy: (4, 2), the box's corners in pixels of the picture; the box is upright in the look that
            found it, which may be turned.
        keypoints_xy: (6, 2): right eye, left eye, nose tip, mouth, right ear, left ear; sides are the
            subject's own.
        score: In [0, 1].
    """

    corners_xy: NDArray[np.float64]
    keypoints_xy: NDArray[np.float64]
    score: float

    def region(self) -> Region:
        """Return the region to give to FaceMesh."""
        return Region.around(self.corners_xy, self.keypoints_xy[RIGHT_EYE], self.keypoints_xy[LEFT_EYE])


class FaceDetector:
    """Finds faces that take up a tenth or more of a square, rotated by up to about 45 degrees.

    The weights are Google's (MediaPipe's back-camera model, Apache License 2.0); see the NOTICE beside them.
    """

    def __init__(self, *, threads: int = 1, min_score: float = 0.5, providers: Sequence[str] = CPU) -> None:
        self._session = open_session(WEIGHTS, threads=threads, providers=providers)
        self._batch_size = batch_size(providers)
        self._min_score = min_score
        self._anchors = _anchors()

    def __call__(self, image: NDArray[np.uint8], looks: list[Region]) -> list[Detection]:
        """Detect faces in square parts of a picture.

        Args:
            image: (H, W, 3) uint8, RGB.
            looks: The squares; anything outside the picture is black.

        Returns:
            The faces of all squares, best first; several squares may have found the same face.
        """
        found: list[Detection] = []
        for start in range(0, len(looks), self._batch_size):
            matrices = [look.matrix(INPUT_SIZE) for look in looks[start : start + self._batch_size]]
            crops = np.stack([warp(image, matrix, INPUT_SIZE) for matrix in matrices]).astype(np.float32)
            boxes, logits = self._session.run(["boxes", "score_logits"], {"images": crops / 127.5 - 1})
            for matrix, raw_boxes, raw_scores in zip(matrices, boxes, logits, strict=True):
                found += self._decode(matrix, raw_boxes, raw_scores)
        return sorted(found, key=lambda detection: -detection.score)

    def _decode(
        self, matrix: NDArray[np.float64], raw: NDArray[np.float32], logits: NDArray[np.float32]
    ) -> list[Detection]:
        scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        chosen = np.flatnonzero(scores >= self._min_score)
        points = (
            raw[chosen].reshape(len(chosen), 2 + NUM_KEYPOINTS, 2).astype(np.float64)
        )  # centre, size, six key points
        points[:, 0] += self._anchors[chosen]
        points[:, 2:] += self._anchors[chosen, None]
        back = invert_affine(matrix)
        detections = []
        for shape, score in _merge(points, scores[chosen]):
            centre, half = shape[0], shape[1] / 2
            corners = centre + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
            detections.append(Detection(apply_affine(back, corners), apply_affine(back, shape[2:]), score))
        return detections


def _anchors() -> NDArray[np.float64]:
    """Return the (896, 2) centres to which boxes are relative, in pixels of the input."""
    centres = []
    for cells, per_cell in GRIDS:
        line = (np.arange(cells) + 0.5) * INPUT_SIZE / cells
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)  # rows first
        centres.append(np.repeat(grid, per_cell, axis=0))
    return np.concatenate(centres)


def _merge(points: NDArray[np.float64], scores: NDArray[np.floating]) -> list[tuple[NDArray[np.float64], float]]:
    """Average overlapping boxes, weighted by score (BlazeFace, Bazarevsky et al., 2019, section 4.2)."""
    merged = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        same = _overlaps(points[left], points[left[0]]) > MAX_OVERLAP
        same[0] = True
        group = left[same]
        merged.append((np.average(points[group], axis=0, weights=scores[group]), float(scores[left[0]])))
        left = left[~same]
    return merged


def _overlaps(points: NDArray[np.float64], one: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of boxes (P, centre and size first) with one of them."""
    low = np.maximum(points[:, 0] - points[:, 1] / 2, one[0] - one[1] / 2)
    high = np.minimum(points[:, 0] + points[:, 1] / 2, one[0] + one[1] / 2)
    shared = np.clip(high - low, 0, None).prod(1)
    overlaps: NDArray[np.float64] = shared / (points[:, 1].prod(1) + one[1].prod() - shared)
    return overlaps
