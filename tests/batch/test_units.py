import os

from vlfau.batch.inputs import ArchiveFile
from vlfau.batch.units import PICTURES_A_UNIT, Unit, units_of


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
