import pytest
from PIL import Image

from vlfau.data.manifest import read_manifest
from vlfau.errors import CheckpointError
from vlfau.evaluation.provenance import Calibration, calibration_of, epoch_choice, tuned_on_tested


@pytest.fixture
def write_manifest(tmp_path):
    """Return a function that writes a manifest of (subject, fold, grey level) a frame, in a folder of its own."""

    def write(name, frames):
        folder = tmp_path / name
        folder.mkdir()
        lines = ["image,subject,fold,AU1"]
        for number, (subject, fold, grey) in enumerate(frames):
            Image.new("RGB", (4, 4), (grey, grey, grey)).save(folder / f"{number}.png")
            lines.append(f"{number}.png,{subject},{fold},{number % 2}")
        (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
        return read_manifest(folder / "manifest.csv")

    return write


def test_what_a_calibration_was_fitted_to_survives_the_metadata(write_manifest):
    frames = write_manifest("one", [("S2", 1, 10), ("S1", 3, 20), ("S1", 3, 30)])
    calibration = Calibration.on(frames, "training-folds")
    assert (calibration.frames, calibration.folds, calibration.subjects) == (3, (1, 3), ("S1", "S2"))
    assert len(calibration.pictures) == 3
    assert calibration_of({"calibration": calibration.as_json()}) == calibration
    assert calibration_of({}) is None
    assert calibration_of({"calibrated_on_frames": 7}) == Calibration("unknown", 7)
    with pytest.raises(CheckpointError, match=r"training\.calibration nothing that can be read"):
        calibration_of({"calibration": {"source": "elsewhere"}})


def test_equal_names_are_the_same_person_in_the_same_data_set_alone(write_manifest):
    calibration = Calibration.on(write_manifest("one", [("S1", 2, 10)]), "training-folds")
    others = write_manifest("two", [("S1", 1, 99)])
    assert tuned_on_tested(calibration, others, same_names=True)
    assert not tuned_on_tested(calibration, others, same_names=False)


def test_the_same_faces_are_found_under_other_names_and_in_another_folder(write_manifest):
    calibration = Calibration.on(write_manifest("one", [("S1", "", grey) for grey in range(40)]), "other-manifest")
    again = write_manifest("two", [(f"P{grey}", "", grey) for grey in range(40)])
    assert tuned_on_tested(calibration, again, same_names=False)
    assert not tuned_on_tested(
        calibration, write_manifest("three", [("S1", "", grey) for grey in range(50, 90)]), same_names=False
    )


def test_the_same_manifest_may_be_tested_on_the_folds_that_were_left_out(write_manifest):
    frames = write_manifest("one", [("S1", 1, 10), ("S2", 2, 20)])
    first, second = (part for part in frames.split(1))
    calibration = Calibration.on(first, "training-folds")  # fold 2
    assert not tuned_on_tested(calibration, second, same_names=True)
    assert tuned_on_tested(calibration, frames, same_names=False)


@pytest.mark.parametrize(
    ("training", "fold", "expected"),
    [
        ({"epoch_choice": "held-out"}, 1, "held-out"),
        ({"epoch_choice": "last"}, None, "last"),
        ({"recipe": {"run": {"max_epochs": 5, "validate_every_epochs": 5}}}, 1, "last"),
        ({"recipe": {"run": {"max_epochs": 5, "validate_every_epochs": 1}}}, 1, "test-fold"),
        ({"recipe": {"run": {"max_epochs": 5, "validate_every_epochs": 1}}}, None, None),
        ({}, 2, "test-fold"),
    ],
)
def test_a_checkpoint_that_does_not_say_chose_its_epoch_by_the_test_fold(training, fold, expected):
    assert epoch_choice(training, fold) == expected
