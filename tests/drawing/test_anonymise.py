import numpy as np

from vlfau.drawing.anonymise import anonymised, mesh_edges
from vlfau.inference.predictor import Predictor
from vlfau.media.images import read_image


def test_a_face_gives_way_to_its_mesh_and_the_rest_stays(tiny_bundle, finder, astronaut):
    predictor = Predictor(tiny_bundle)
    predictor.finder = finder
    pixels = read_image(astronaut)
    result = predictor.predict(pixels)
    drawing, drawn = anonymised(pixels, result, tiny_bundle.info.crop)
    (face,), (drawn_face,) = result, drawn
    inside = tuple(face.landmarks_xy.mean(0).astype(int)[::-1])
    assert abs(drawing.astype(int) - pixels).sum(-1)[inside] > 30
    left, top, right, bottom = map(int, face.face_box_xyxy)
    covered = drawing[top:bottom, left:right].reshape(-1, 3).astype(int)
    assert (np.ptp(covered, axis=1) <= 8).mean() > 0.97  # grey, without skin or lips
    np.testing.assert_array_equal(drawing[300:], pixels[300:])
    assert np.ptp(drawn_face.crop.astype(int), axis=-1).mean() < np.ptp(face.crop.astype(int), axis=-1).mean() / 4
    assert [au.prob for au in drawn_face.aus] == [au.prob for au in face.aus]


def test_the_mesh_joins_neighbours_and_every_point():
    edges = mesh_edges()
    assert {point for edge in edges for point in edge} == set(range(468))
    assert 1000 < len(edges) < 1500
