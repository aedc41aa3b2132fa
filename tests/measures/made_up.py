"""A face whose measurements a person can work out: the mean face, at a known place and of a known size."""

import numpy as np

from vlfau.faces.mesh import Mesh
from vlfau.faces.pose import MEAN_FACE
from vlfau.measures.geometry import eye_distance
from vlfau.measures.measuring import MeasuredFace

SIDE = 160


def mean_mesh(move=None, *, turn=None):
    """The mean face in a crop of 160 pixels, 60 pixels from eye to eye; `move` shifts landmarks in eye distances."""
    points = MEAN_FACE.copy()
    for landmark, (right, down) in (move or {}).items():
        points[landmark, :2] += np.array([right, down]) * eye_distance(MEAN_FACE)
    turned = points @ (np.eye(3) if turn is None else turn).T * 60 / eye_distance(MEAN_FACE)
    return Mesh((turned[:, :2] + [80, 60]).astype(np.float32), turned[:, 2].astype(np.float32), 1.0)


def measured(mesh, *, pixels_per_pixel=1.0, crop=None, own_rest=None):
    """Measurements of a mesh, without a network; the crop is plain skin."""
    matrix = np.array([[pixels_per_pixel, 0, 0], [0, pixels_per_pixel, 0]])
    crop = np.full((SIDE, SIDE, 3), 150, np.uint8) if crop is None else crop
    face = MeasuredFace(crop, matrix, own_rest=own_rest)
    face.__dict__["mesh"] = mesh
    return face


def by_name(face):
    return {each.name: each for each in face.measurements}
