import numpy as np
import pytest

from vlfau.data.manifest import Frame, Manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.lost_frames import lost_figures, read_lost_frames
from vlfau.facs import AUState


@pytest.fixture
def manifest(tmp_path):
    states = (AUState(1, active=True), AUState(12, active=False))
    frames = tuple(Frame(tmp_path / f"{fold}.png", f"S{fold}", fold, None, states) for fold in (1, 2))
    return Manifest(tmp_path / "manifest.csv", (1, 12), frames)


def write(folder, *rows, header="subject,clip,frame,reason,fold,AU1,AU12"):
    (folder / "skipped.csv").write_text("\n".join([header, *rows]) + "\n")


def test_lost_frames_of_the_tested_fold_are_read_with_their_labels(manifest, tmp_path):
    write(tmp_path, "S1,T1,4,no face found,1,1,", "S2,T1,9,no picture,2,0,1", "S3,T1,2,no face found,1,0,1")
    lost = read_lost_frames(manifest, 1)
    assert lost.subject_ids == ("S1", "S3")
    assert lost.occurrence.tolist() == [[1, -1], [0, 1]]
    assert len(read_lost_frames(manifest, None).subject_ids) == 3


def test_a_table_of_an_earlier_version_counts_frames_by_the_subjects_fold_and_has_no_figures(
    manifest, tmp_path, make_predictions
):
    write(tmp_path, "S1,T1,4,no face found", "S2,T1,9,no face found", header="subject,clip,frame,reason")
    lost = read_lost_frames(manifest, 2)
    assert lost.subject_ids == ("S2",)
    predictions = make_predictions([[0.9, 0.1]], [[1, 0]])
    assert lost_figures(predictions, lost, 0.5) == {
        "frames": 1,
        "subjects": 2,
        "f1_macro": None,
        "accuracy_macro": None,
    }


def test_without_a_table_nothing_is_known_and_an_empty_one_changes_no_score(manifest, tmp_path, make_predictions):
    assert read_lost_frames(manifest, 1) is None
    write(tmp_path)
    found = lost_figures(make_predictions([[0.9, 0.9]], [[1, 1]]), read_lost_frames(manifest, 1), 0.5)
    assert (found["frames"], found["f1_macro"], found["accuracy_macro"]) == (0, 1, 1)


def test_lost_frames_count_as_inactive(manifest, tmp_path, make_predictions):
    write(tmp_path, "S1,T1,4,no face found,1,1,0", "S1,T1,5,no face found,1,1,")
    # AU 1: two hits, and two positives that are lost. AU 12: one hit, one right rest, one unknown.
    predictions = make_predictions([[0.9, 0.9], [0.8, 0.1]], [[1, 1], [1, 0]])
    found = lost_figures(predictions, read_lost_frames(manifest, 1), np.array([0.5, 0.5]))
    assert found["frames"] == 2
    assert found["f1_per_au"] == {"1": pytest.approx(2 * 2 / (2 * 2 + 2)), "12": 1}
    assert found["accuracy_per_au"] == {"1": 0.5, "12": 1}
    assert found["f1_macro"] == pytest.approx((2 / 3 + 1) / 2)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("subject,fold,AU1", "S1,1,yes", r"skipped\.csv, line 2: expected 1, 0 or nothing under AU1, found 'yes'"),
        ("subject,fold,AU1", "S1,one,1", r"skipped\.csv, line 2: expected a number under fold, found 'one'"),
        ("person,fold", "S1,1", r"skipped\.csv lacks the column subject"),
    ],
)
def test_a_wrong_table_is_named(manifest, tmp_path, header, row, message):
    write(tmp_path, row, header=header)
    with pytest.raises(ManifestError, match=message):
        read_lost_frames(manifest, 1)
