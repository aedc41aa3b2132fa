"""`PictureResult.save`: the files of one picture, as `vlfau predict --out` writes them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.runs.running import csv_rows
from tests.tables.made_up import a_face, a_model
from vlfau.cli import main
from vlfau.errors import InputError, OutputError
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import PictureResult
from vlfau.media.images import Picture
from vlfau.tables.write import open_sink


def made_up(name="anna.jpg", *faces, **changes):
    options = {"model": a_model(), "source": Picture(np.full((48, 64, 3), 90, np.uint8))}
    return PictureResult(name, faces, **options | changes)


def names_in(folder):
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_a_saved_result_leaves_the_files_that_the_command_writes(tiny_bundle, astronaut, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(astronaut, "anna.png")
    Predictor(tiny_bundle).predict("anna.png").save("saved")
    assert main(["predict", "anna.png", "--model", str(tiny_bundle.folder), "--out", "written", "-q"]) == 0
    saved, written = tmp_path / "saved", tmp_path / "written"
    assert names_in(saved) == names_in(written)
    assert names_in(saved) >= {"anna.png.vlfau.jpg", "results.csv", "results.columns.json", "results.jsonl"}
    for name in names_in(written):
        assert (saved / name).read_bytes() == (written / name).read_bytes(), name


def test_results_that_are_saved_to_one_folder_share_its_tables(tmp_path):
    made_up("a.jpg", a_face(0.75), a_face(0.5)).save(tmp_path)
    made_up("b.jpg", a_face(0.25)).save(tmp_path)
    rows = csv_rows(tmp_path / "results.csv")
    assert [(row["file"], row["face"], row["AU12_prob"]) for row in rows] == [
        ("a.jpg", "1", "0.7500"),
        ("a.jpg", "2", "0.5000"),
        ("b.jpg", "1", "0.2500"),
    ]
    assert {"a.jpg.vlfau.jpg", "b.jpg.vlfau.jpg"} <= names_in(tmp_path)


def test_saving_the_same_result_again_changes_nothing(tmp_path):
    made_up("a.jpg", a_face()).save(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in names_in(tmp_path)}
    made_up("a.jpg", a_face()).save(str(tmp_path))
    assert {name: (tmp_path / name).read_bytes() for name in names_in(tmp_path)} == before


def test_other_results_of_the_same_picture_are_refused_and_the_earlier_ones_stay(tmp_path):
    made_up("a.jpg", a_face(0.75)).save(tmp_path)
    with pytest.raises(
        OutputError, match=r"results\.jsonl has different results for a\.jpg, perhaps from other options; save to"
    ):
        made_up("a.jpg", a_face(0.5)).save(tmp_path)
    assert [row["AU12_prob"] for row in csv_rows(tmp_path / "results.csv")] == ["0.7500"]


def test_results_of_another_model_are_refused(tmp_path):
    made_up("a.jpg", a_face()).save(tmp_path)
    with pytest.raises(InputError, match=r"model\.name"):
        made_up("b.jpg", a_face(), model=a_model(name="other")).save(tmp_path)


def test_a_picture_without_a_face_leaves_tables_without_rows(tmp_path):
    made_up("a.jpg").save(tmp_path)
    assert csv_rows(tmp_path / "results.csv") == []
    assert "a.jpg.vlfau.jpg" not in names_in(tmp_path)


def test_pictures_of_the_same_name_from_two_folders_do_not_overwrite_each_other(tmp_path):
    made_up("a/me.jpg", a_face()).save(tmp_path)
    with pytest.raises(OutputError, match=r"a/me\.jpg and b/me\.jpg would both write"):
        made_up("b/me.jpg", a_face()).save(tmp_path)


def test_a_file_that_vlfau_did_not_write_is_not_overwritten(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg.vlfau.jpg")
    with pytest.raises(OutputError, match="vlfau did not write it"):
        made_up("a.jpg", a_face()).save(tmp_path)


@pytest.mark.parametrize("name", ["results.csv", "results.jsonl", "errors.csv"])
def test_a_file_of_another_program_is_refused_and_nothing_is_left_beside_it(tmp_path, name):
    (tmp_path / name).write_text("subject,score\n1,2\n")
    with pytest.raises(OutputError, match=rf"{name} exists(, and vlfau did not write it| and is not a list of errors)"):
        made_up("a.jpg", a_face()).save(tmp_path)
    assert (tmp_path / name).read_text() == "subject,score\n1,2\n"
    assert names_in(tmp_path) == {name}


def test_a_refused_picture_takes_nothing_from_an_interrupted_run(tmp_path):
    with open_sink(tmp_path / "results.csv", model=a_model()) as sink:
        sink.write(made_up("a.jpg", a_face()))
        sink.write(made_up("b.jpg", a_face()))
        sink.suspend()
    before = (tmp_path / "results.csv.partial").read_text().splitlines()
    (tmp_path / "errors.csv").write_text("mine")
    with pytest.raises(OutputError, match="is not a list of errors"):
        made_up("c.jpg", a_face()).save(tmp_path)
    assert (tmp_path / "results.csv.partial").read_text().splitlines() == before


def test_only_rows_of_the_same_picture_are_parsed(tmp_path, monkeypatch):
    for number in range(4):
        made_up(f"{number}.jpg", a_face()).save(tmp_path)
    parsed = []
    monkeypatch.setattr("vlfau.runs.saving.parse_json", lambda line: parsed.append(json.loads(line)) or parsed[-1])
    made_up("3.jpg", a_face()).save(tmp_path)
    made_up("4.jpg", a_face()).save(tmp_path)
    assert [row["file"] for row in parsed] == ["3.jpg"]


def test_a_web_address_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        OutputError, match=r"^https://example\.org/out is a web address, and vlfau writes to local fold"
    ):
        made_up("a.jpg", a_face()).save("https://example.org/out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (made_up("", a_face()), r"has no name for its files; give it one: predict\(picture, names='anna'\)"),
        (made_up("a.mp4", frame=3, time_s=0.1), r"is frame 3 of a\.mp4, .* pass the video to vlfau\.run"),
        (made_up("a.jpg", model=None), r"does not name its model; use a result of Predictor\.predict"),
        (made_up("a.jpg", source=None), "does not hold its pixels"),
    ],
    ids=["no name", "a frame", "no model", "no pixels"],
)
def test_a_result_that_cannot_be_saved_says_why_and_writes_nothing(tmp_path, result, message):
    with pytest.raises(InputError, match=message):
        result.save(tmp_path / "out")
    assert not (tmp_path / "out").exists()
