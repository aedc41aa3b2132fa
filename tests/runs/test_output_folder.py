import shutil
from pathlib import Path

import pytest

from tests.runs.running import names_in
from vlfau.cli import main
from vlfau.errors import OutputError
from vlfau.runs.output_folder import OutputFolder, output_name


def test_a_picture_that_is_named_like_a_drawing_of_another_is_not_overwritten(predict, astronaut, tmp_path):
    folder = tmp_path / "dd"
    folder.mkdir()
    one, two = folder / "me.png", folder / "me.png.vlfau.jpg"
    shutil.copy(astronaut, one)
    two.write_bytes(b"the second picture")
    code, printed, rows = predict(one, two, "--overwrite", out=folder)
    assert (code, rows) == (2, [])
    assert f"{two} is one of the inputs and is not overwritten; choose another --out" in printed.err
    assert two.read_bytes() == b"the second picture"


@pytest.mark.parametrize("name", ["results.csv", "results.jsonl", "errors.csv", "astronaut.png.vlfau.jpg"])
def test_a_file_of_others_is_kept_unless_told(predict, astronaut, tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("subject,score\n")
    code, printed, _ = predict(astronaut, "-q")
    assert code == 2
    assert f"{out / name} exists" in printed.err
    assert (out / name).read_text() == "subject,score\n"
    assert predict(astronaut, "-q", "--overwrite")[0] == 0
    assert not (out / name).exists() or (out / name).read_bytes() != b"subject,score\n"
    assert predict(astronaut, "-q")[0] == 0


@pytest.mark.parametrize("resume", [[], ["--resume"]], ids=["anew", "resumed"])
def test_a_folder_in_the_place_of_a_table_is_named(tiny_bundle, astronaut, tmp_path, resume, capsys):
    (tmp_path / "out" / "results.csv").mkdir(parents=True)
    words = ["predict", str(astronaut), "--model", str(tiny_bundle.folder), "--out", str(tmp_path / "out"), *resume]
    assert main(words) == 2
    assert "results.csv (Is a directory); move it away" in capsys.readouterr().err


def test_a_table_that_is_a_link_stays_one(predict, astronaut, tmp_path):
    table, link = tmp_path / "real" / "a.csv", tmp_path / "a.csv"
    table.parent.mkdir()
    link.symlink_to(table)
    for _ in range(2):
        assert predict(astronaut, "-q", "--table", link)[0] == 0
        assert link.is_symlink()
        assert table.read_text("utf-8").startswith("file,frame,")


def test_inputs_of_one_name_are_refused_before_the_work(predict, astronaut, tmp_path):
    other = shutil.copy(astronaut, tmp_path)
    code, printed, rows = predict(astronaut, other, "-q")
    assert (code, rows) == (2, [])
    assert f"{astronaut} and {other} would write the same files" in printed.err
    code, _, rows = predict(astronaut, other, "-q", "--parents")
    assert (code, len(rows)) == (0, 2)
    assert (tmp_path / "out" / str(other).lstrip("/")).with_name("astronaut.png.vlfau.jpg").is_file()


def test_two_faces_and_a_picture_named_like_one_of_them_keep_apart(tmp_path):
    folder = OutputFolder(tmp_path, resume=False, overwrite=False)
    folder.claim(Path("a.png.face1.heat.jpg"), "a.png")
    with pytest.raises(OutputError, match=r"a\.png and a\.png\.face1 would both write .*a\.png\.face1\.heat\.jpg"):
        folder.claim(Path("a.png.face1.heat.jpg"), "a.png.face1")
    folder.close()


def test_what_a_kill_left_is_known_as_ours(tmp_path):
    folder = OutputFolder(tmp_path, resume=False, overwrite=False)
    folder.claim(Path("b/a.png.vlfau.jpg"), "a.png").write_bytes(b"half")
    folder.close()
    with (tmp_path / ".vlfau-outputs.jsonl").open("a") as record:
        record.write('{"file": "c.png.vl')
    again = OutputFolder(tmp_path, resume=True, overwrite=False)
    again.check(Path("b/a.png.vlfau.jpg"), "a.png")
    again.claim(Path("c.png.vlfau.jpg"), "c.png")
    again.close()
    assert len((tmp_path / ".vlfau-outputs.jsonl").read_text().splitlines()) == 2
    assert names_in(tmp_path) == ["b"]


@pytest.mark.parametrize(
    ("given", "file", "name"),
    [
        ("me.png", "me.png", "me.png"),
        ("../x/me.png", "../x/me.png", "me.png"),
        ("g", "g/b/me.png", "g/b/me.png"),
        ("/data/g/", "/data/g/b/me.png", "g/b/me.png"),
        ("camera:0", "camera:0", "camera-0"),
    ],
)
def test_a_name_depends_on_its_input_alone(given, file, name):
    assert output_name(Path(given), Path(file)).as_posix() == name


def test_long_names_stay_apart():
    names = {output_name(Path(file), Path(file)).name for file in ("ü" * 120 + "1.png", "ü" * 120 + "2.png")}
    assert len(names) == 2
    assert all(len(name.encode()) <= 180 for name in names)


def test_a_run_that_is_repeated_records_its_files_once(predict, astronaut, tmp_path):
    assert predict(astronaut, "-q")[0] == 0
    record = (tmp_path / "out" / ".vlfau-outputs.jsonl").read_bytes()
    assert predict(astronaut, "-q")[0] == 0
    assert (tmp_path / "out" / ".vlfau-outputs.jsonl").read_bytes() == record
