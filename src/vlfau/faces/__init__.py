"""Find faces, their landmarks and pose, and cut them out upright."""

from vlfau.faces.align import CropGeometry, align_face, alignment_matrix
from vlfau.faces.finder import Face, FaceFinder
from vlfau.faces.geometry import FaceGeometry, Gaze
from vlfau.faces.pose import HeadPose
from vlfau.faces.reading import FaceReader, FaceReading

__all__ = [
    "CropGeometry",
    "Face",
    "FaceFinder",
    "FaceGeometry",
    "FaceReader",
    "FaceReading",
    "Gaze",
    "HeadPose",
    "align_face",
    "alignment_matrix",
]
