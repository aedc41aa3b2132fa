import numpy as np

from vlfau.prepare import Clip, LabelledFrame, read_protocol
from vlfau.prepare.report import Counts, class_weights


def test_a_rate_counts_annotated_frames_alone():
    assert class_weights(np.array([10, 10]), np.array([100, 50])).round(6).tolist() == [1.333333, 0.666667]


def test_an_au_that_never_occurs_leaves_no_weights():
    assert np.isnan(class_weights(np.array([0, 10]), np.array([100, 100]))).all()


def test_frames_are_counted_in_the_fold_that_tests_them():
    protocol = read_protocol("disfa")
    labels = (1, 0, None, 0, 0, 1, 0, 0)
    frames = [
        (Clip("SN003", "left", 1, "", ()), LabelledFrame(1, labels)),
        (Clip("SN003", "left", 1, "", ()), LabelledFrame(2, labels)),
        (Clip("SN002", "left", 3, "", ()), LabelledFrame(1, labels)),
    ]
    counts = Counts.of(protocol, frames)
    assert counts.frames.tolist() == [2, 0, 1]
    assert counts.subjects.tolist() == [1, 0, 1]
    assert counts.positives[0].tolist() == [2, 0, 0, 0, 0, 2, 0, 0]
    assert counts.known[0].tolist() == [2, 2, 0, 2, 2, 2, 2, 2]
