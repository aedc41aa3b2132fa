import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.inference.tiny_bundle import write_tiny_bundle
from tests.runs.running import csv_rows, names_in
from vlfau.cli import main


def photo(astronaut):
    with Image.open(astronaut) as image:
        return image.convert("RGB")


def test_a_photo_gives_tables_and_an_annotated_picture(predict, astronaut, tmp_path):
    code, printed, rows = predict(astronaut)
    assert (code, printed.err) == (0, "")
    for expected in (f"{astronaut}: face 1 of 1", "Inner Brow Raiser", "active", "This person raises the"):
        assert expected in printed.out.replace("\n", "")
    (row,) = rows
    assert (row["file"], row["face"]) == (str(astronaut), "1")
    (line,) = (tmp_path / "out" / "results.jsonl").read_text("utf-8").splitlines()
    header = json.loads((tmp_path / "out" / "results.jsonl.columns.json").read_text("utf-8"))
    assert header["model"]["name"] == "tiny"
    assert json.loads(line)["global_text"] == row["global_text"]
    assert printed.out.splitlines()[-2].startswith("1 picture, 1 face in ")
    assert printed.out.splitlines()[-1] == f"results: {tmp_path / 'out'}"
    assert names_in(tmp_path / "out") == [
        "astronaut.png.vlfau.jpg",
        "results.columns.json",
        "results.csv",
        "results.jsonl",
        "results.jsonl.columns.json",
    ]


def test_without_an_output_folder_nothing_is_written(tiny_bundle, astronaut, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", str(astronaut), "--model", str(tiny_bundle.folder)]) == 0
    assert "Lip Corner Puller" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_table_without_rows_is_not_said_to_be_there(tiny_bundle, tmp_path, capsys):
    table = tmp_path / "a.csv"
    assert main(["predict", str(tmp_path / "no.png"), "--table", str(table), "--model", str(tiny_bundle.folder)]) == 2
    assert not table.exists()
    assert "results: " not in capsys.readouterr().out


def test_quiet_prints_no_tables(predict, astronaut):
    code, printed, rows = predict(astronaut, "--quiet")
    assert (code, printed.out, len(rows)) == (0, "", 1)


def save_16_bit(image, path):
    Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(path)


def save_grey(image, path):
    image.convert("L").save(path)


def save_rgba(image, path):
    image.convert("RGBA").save(path)


def save_cmyk(image, path):
    image.convert("CMYK").save(path, "JPEG", quality=95)


def save_palette(image, path):
    image.quantize(256).save(path)


def save_rotated(image, path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image.rotate(90, expand=True).save(path, exif=exif)


def save_wide(image, path):
    wide = Image.new("RGB", (20_000, 1024), (127, 127, 127))
    wide.paste(image.resize((1024, 1024)), (5000, 0))
    wide.save(path, "JPEG")


@pytest.mark.parametrize("save", [save_16_bit, save_grey, save_rgba, save_cmyk, save_palette, save_rotated, save_wide])
def test_every_kind_of_picture_is_read_under_any_name(predict, astronaut, tmp_path, save):
    path = tmp_path / "Größe 顔 🙂.png"
    save(photo(astronaut), path)
    code, printed, rows = predict(path)
    assert (code, printed.err) == (0, "")
    assert [row["file"] for row in rows] == [str(path)]
    assert (tmp_path / "out" / "Größe 顔 🙂.png.vlfau.jpg").is_file()


def half_a_jpeg():
    stream = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(stream, "JPEG")
    return stream.getvalue()[:3000]


def write_faceless(path):
    Image.new("RGB", (300, 200), "grey").save(path, "PNG")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_text("no picture"), "is not a picture that vlfau can read"),
        (lambda path: path.write_bytes(b""), "is empty; copy it again"),
        (lambda path: path.write_bytes(half_a_jpeg()), "is damaged or incomplete"),
        (lambda path: path.mkdir(), "has no file that ends in .3gp, "),
        (lambda path: None, "does not exist; check the path"),
        (write_faceless, "no face found in "),
    ],
    ids=["no picture", "empty", "truncated", "folder without pictures", "missing", "without a face"],
)
def test_a_bad_input_is_named_and_the_others_are_processed(predict, astronaut, tmp_path, spoil, message):
    bad = tmp_path / "schlecht ü.jpg"
    spoil(bad)
    code, printed, rows = predict(bad, astronaut)
    assert code == 2
    assert printed.err.count("\n") == 1
    assert str(bad) in printed.err
    assert message in printed.err
    assert [row["file"] for row in rows] == [str(astronaut)]
    (error,) = csv_rows(tmp_path / "out" / "errors.csv")
    assert error["file"] == str(bad)
    assert f"error: {error['message']}\n" == printed.err
    assert printed.out.splitlines()[-2].split(" in ")[0].endswith(", 1 face, 1 error")


def test_a_wrong_bundle_stops_the_run_with_one_sentence(astronaut, tmp_path, capsys):
    assert main(["predict", str(astronaut), "--model", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path} is neither a bundle nor a checkpoint" in error
    assert error.count("\n") == 1


def test_an_output_folder_that_is_a_file_is_named(tiny_bundle, astronaut, tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    arguments = [
        "predict",
        str(astronaut),
        "--model",
        str(tiny_bundle.folder),
        "--out",
        str(tmp_path / "taken"),
    ]
    assert main(arguments) == 2
    assert f"cannot make the folder {tmp_path / 'taken'}" in capsys.readouterr().err


def test_photos_of_the_same_name_keep_their_own_annotated_pictures(predict, astronaut, tmp_path):
    for folder in ("a", "B"):
        (tmp_path / folder).mkdir()
        photo(astronaut).save(tmp_path / folder / "me.png")
    code, _, rows = predict(tmp_path / "a", tmp_path / "B")
    assert (code, len(rows)) == (0, 2)
    out = tmp_path / "out"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*.jpg")}
    assert names == {"a/me.png.vlfau.jpg", "B/me.png.vlfau.jpg"}


def test_a_folder_that_holds_its_own_results_gives_the_same_again(predict, astronaut, tmp_path):
    shutil.copy(astronaut, tmp_path)
    first = predict(tmp_path, out=tmp_path)
    again = predict(tmp_path, out=tmp_path)
    assert first[2] == again[2]
    assert len(again[2]) == 1


def test_earlier_results_survive_a_run_in_which_nothing_can_be_read(predict, astronaut, tmp_path):
    _, _, rows = predict(astronaut)
    code, _, rows_after = predict(tmp_path / "missing.jpg")
    assert code == 2
    assert rows_after == rows
    assert not [name for name in names_in(tmp_path / "out") if name.startswith(".") or "partial" in name]


def test_several_photos_show_their_progress_to_whoever_watches(predict, astronaut, tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    copy = shutil.copy(astronaut, tmp_path / "copy.png")
    code, printed, rows = predict(astronaut, tmp_path / "missing.jpg", copy)
    assert (code, len(rows)) == (2, 2)
    assert "Inputs" in printed.err
    assert "1 of 3" in printed.err
    assert "Inputs" not in printed.out
    assert printed.out.count("Lip Corner Puller") == 2


def test_a_model_of_synthetic_faces_says_so_once(astronaut, tmp_path, capsys):
    bundle = write_tiny_bundle(tmp_path / "bundle", training={"synthetic": True})
    assert main(["predict", str(astronaut), "--model", str(bundle.folder), "--free-words"]) == 0
    assert capsys.readouterr().err == (
        "note: model tiny 1.0 learned its AUs from synthetic faces only; don't rely on its results\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report"], "--report writes files; name a folder with --out"),
        (["--heatmap", "12"], "--heatmap writes files; name a folder with --out"),
        (["--resume"], "--resume continues tables; name them with --out or --table"),
        (["--every", "0"], "--every is 0; give more than 0 s"),
        (["--start", "2", "--end", "1.5"], "--end is 1.5, which is not after the start (2)"),
        (["--heatmap", "13", "--out", "out"], "'13'; this model knows 1, 6, 12"),
        (["--table", "a.ods"], "use a name that ends in .csv, .jsonl, .parquet, .arrows or .xlsx"),
        (["--baseline", "clip", "--baseline", "a.jpg"], "give only one of these"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_work(
    tiny_bundle, tmp_path, monkeypatch, arguments, message, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "missing.jpg", "--model", str(tiny_bundle.folder), "--free-words", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "missing.jpg" not in error
    assert error.count("\n") == 1


def test_heat_maps_are_drawn_of_each_face(predict, astronaut, tmp_path):
    assert predict(astronaut, "--heatmap", "12,6")[0] == 0
    with Image.open(tmp_path / "out" / "astronaut.png.heat.jpg") as sheet:
        wide = sheet.size
    assert predict(astronaut, "--heatmap", "12")[0] == 0
    with Image.open(tmp_path / "out" / "astronaut.png.heat.jpg") as sheet:
        assert sheet.width < wide[0]


def test_tables_can_be_written_without_a_folder_and_in_other_formats(tiny_bundle, astronaut, tmp_path, capsys):
    missing = tmp_path / "missing.jpg"
    tables = [tmp_path / "a.csv", tmp_path / "a.jsonl"]
    arguments = ["predict", astronaut, missing, "--table", tables[0], "--table", tables[1], "--format", "openface"]
    assert main([*map(str, arguments), "--model", str(tiny_bundle.folder), "-q"]) == 2
    (row,) = csv_rows(tables[0])
    assert (row["success"], row["file"]) == ("1", str(astronaut))
    assert json.loads(tables[1].read_text("utf-8").splitlines()[0])["file"] == str(astronaut)
    assert csv_rows(tmp_path / "a.errors.csv")[0]["file"] == str(missing)
    assert names_in(tmp_path) == ["a.columns.json", "a.csv", "a.errors.csv", "a.jsonl", "a.jsonl.columns.json"]


def test_narrow_terminals_have_the_words_below_the_table(predict, astronaut, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, narrow, _ = predict(astronaut)
    assert "Description" not in narrow.out
    assert "\nAU 12  The lip corners rise, up.\n" in "\n".join(map(str.rstrip, narrow.out.splitlines()))
    monkeypatch.setenv("COLUMNS", "120")
    _, wide, _ = predict(astronaut)
    assert "Description" in wide.out
