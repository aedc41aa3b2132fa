import os

import pytest

from vlfau.batch.inputs import PICTURES_A_UNIT, ArchiveFile, Unit, find_files, units_of
from vlfau.errors import InputError, ManifestError


def names(source):
    return [file.name for file in find_files(source)]


@pytest.fixture
def films(tmp_path):
    (tmp_path / "films" / "deep").mkdir(parents=True)
    for name in ("a.mp4", "deep/b.MKV", "deep/c.jpg", "notes.md"):
        (tmp_path / "films" / name).write_bytes(b"12345")
    return tmp_path / "films"


def test_a_text_list_names_files_from_its_own_folder_once(films):
    (films / "list.txt").write_text("deep/b.MKV\n\na.mp4\r\ndeep/b.MKV\nmissing.mp4\n")
    found = find_files(films / "list.txt")
    assert [(file.name, file.size) for file in found] == [("deep/b.MKV", 5), ("a.mp4", 5), ("missing.mp4", None)]
    assert [file.path for file in found] == [str(films / name) for name in ("deep/b.MKV", "a.mp4", "missing.mp4")]


def test_a_table_names_files_in_the_column_file(films):
    (films / "list.csv").write_text('subject,file\n1,a.mp4\n2,"odd, name.mp4"\n', "utf-8-sig")
    assert names(films / "list.csv") == ["a.mp4", "odd, name.mp4"]


def test_a_folder_gives_videos_and_pictures_below_it(films):
    assert names(films) == [str(films / name) for name in ("a.mp4", "deep/b.MKV", "deep/c.jpg")]


def test_a_pattern_gives_what_fits(films, monkeypatch):
    monkeypatch.chdir(films)
    assert names("**/*[bc].*") == ["deep/b.MKV", "deep/c.jpg"]


def test_a_name_that_is_no_unicode_is_found(films):
    name = os.fsdecode(b"a\xff.mp4")
    (films / name).write_bytes(b"1")
    (films / "list.txt").write_bytes(b"a\xff.mp4\n")
    assert [(file.name, file.size) for file in find_files(films / "list.txt")] == [(name, 1)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", "\n", "names no file"),
        ("empty.csv", "", "has the columns of an empty file; one must be called 'file'"),
        ("other.csv", "path\na.mp4\n", "has the columns path; one must be called 'file'"),
    ],
)
def test_a_list_without_files_is_refused(films, name, content, message):
    (films / name).write_text(content)
    with pytest.raises(ManifestError, match=message):
        find_files(films / name)


@pytest.mark.parametrize(("source", "message"), [("gone.txt", "does not exist"), ("*.mov", "fits the pattern")])
def test_what_is_not_there_is_named(films, monkeypatch, source, message):
    monkeypatch.chdir(films)
    with pytest.raises(InputError, match=message):
        find_files(source)


def file(name, size=1):
    return ArchiveFile(name, f"/archive/{name}", size)


def test_every_video_is_a_unit_and_the_largest_comes_first():
    units = units_of([file("small.mp4", 10), file("large.mov", 30), file("missing.avi", None)])
    assert [[each.name for each in unit.files] for unit in units] == [["large.mov"], ["small.mp4"], ["missing.avi"]]


def test_pictures_are_taken_together():
    units = units_of([file(f"{number}.png") for number in range(PICTURES_A_UNIT + 3)])
    assert [len(unit.files) for unit in units] == [PICTURES_A_UNIT, 3]
    assert units[0].files[-1].name == f"{PICTURES_A_UNIT - 1}.png"


def test_shards_have_clean_names_that_readers_do_not_pass_over():
    (unit,) = units_of([file("_über/.gr ö/ß.mp4")])
    assert unit.shard == f"{unit.key[:2]}/{unit.key}-ß.parquet"
    assert units_of([file("a.mp4")])[0].shard != units_of([file("b/a.mp4")])[0].shard


def test_no_name_leads_a_shard_out_of_the_folder_of_results():
    for name in ("../../escaped.mp4", "/etc/passwd.mp4", "..\\..\\escaped.mp4", "...mp4"):
        (unit,) = units_of([ArchiveFile(name, name, 1)])
        folder, shard = unit.shard.split("/")
        assert folder == unit.key[:2]
        assert shard.startswith(f"{unit.key}-")
        assert "\\" not in shard


def test_a_unit_survives_its_way_to_a_worker():
    unit = Unit((file(os.fsdecode(b"a\xff.mp4")),))
    assert unit.to_json().isascii()
    assert Unit.from_json(unit.to_json()) == unit
