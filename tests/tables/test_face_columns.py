from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from tests.measures.made_up import mean_mesh, measured
from tests.tables.made_up import a_face, a_model
from vlfau.errors import ConfigError
from vlfau.faces import HeadPose
from vlfau.inference.results import PictureResult, SideResult
from vlfau.measures.definitions import definitions
from vlfau.measures.quality import FaceQuality
from vlfau.tables.columns import LAYOUTS
from vlfau.tables.read import read_results
from vlfau.tables.table import Table
from vlfau.tables.write import open_sink


def a_measured_face():
    return a_face().measured_by(measured(mean_mesh()))


def a_masked_face():
    face = a_face()
    face = replace(
        face, doubt="the lower face is hidden", aus=tuple(replace(au, doubtful=au.au_id == 12) for au in face.aus)
    )
    face.__dict__["quality"] = FaceQuality(0.97, 0.1, 0.1, 0.5, 60.0, HeadPose(0.0, 0.0, 0.0))
    return face


def test_a_table_has_every_measurement_and_the_sides_of_those_with_sides():
    table = Table("native", a_model(), groups=["measurements"])
    face = a_measured_face()
    (row,) = table.rows(PictureResult("a.jpg", (face,)))
    by_name = {each.name: each for each in face.measurements}
    assert row["mouth_width"] == pytest.approx(by_name["mouth_width"].value, abs=1e-4)
    assert row["outer_brow_height_left"] == pytest.approx(by_name["outer_brow_height"].left, abs=1e-4)
    assert "mouth_width_left" not in row
    assert {each.name for each in definitions()} <= row.keys()
    assert list(row)[: len(Table("native", a_model()).columns)] == [
        column.name for column in Table("native", a_model()).columns
    ]


def test_a_face_that_was_not_measured_has_empty_cells():
    (row,) = Table("native", a_model(), groups=["measurements"]).rows(PictureResult("a.jpg", (a_face(),)))
    assert row["mouth_width"] is None


def test_a_masked_mouth_leaves_its_aus_empty_unless_they_are_kept():
    result = PictureResult("a.jpg", (a_masked_face(),))
    (empty,) = Table("native", a_model(), groups=["quality"], keep_doubtful=False).rows(result)
    assert (empty["AU12_prob"], empty["AU12_state"], empty["AU12_text"], empty["global_text"]) == (None,) * 4
    assert empty["AU1_prob"] == pytest.approx(0.1235, abs=1e-4)
    assert (empty["lower_visible"], empty["doubtful_aus"]) == (0.1, "12")
    (kept,) = Table("native", a_model(), groups=["quality"]).rows(result)
    assert (kept["AU12_prob"], kept["doubtful_aus"]) == (0.75, "12")


def test_a_table_lists_the_doubtful_aus_and_keeps_their_cells_if_nothing_else_is_asked_for():
    masked, clear = Table("native", a_model()).rows(PictureResult("a.jpg", (a_masked_face(), a_face())))
    assert (masked["AU12_prob"], masked["AU12_state"], masked["doubtful_aus"]) == (0.75, True, "12")
    assert clear["doubtful_aus"] is None


def test_the_cells_of_other_formats_are_emptied_too():
    result = PictureResult("a.jpg", (a_masked_face(),))
    (row,) = Table("openface", a_model(), keep_doubtful=False).rows(result)
    assert (row["AU12_c"], row["AU12_r"], row["AU01_c"]) == (None, None, 0.0)


def test_the_sides_of_an_au_have_columns_if_it_has_sides():
    sides = {"left": SideResult(0.75, state=True, intensity=3.0), "right": SideResult(0.2, state=False, intensity=0.5)}
    face = a_face()
    face = replace(face, aus=tuple(replace(au, **sides) if au.au_id == 12 else au for au in face.aus))
    table = Table("native", a_model(), groups=["sides"])
    (row,) = table.rows(PictureResult("a.jpg", (face,)))
    assert (row["AU12_left_prob"], row["AU12_left_state"], row["AU12_left_intensity"]) == (0.75, True, 3.0)
    assert (row["AU12_right_prob"], row["AU12_right_state"], row["AU12_right_intensity"]) == (0.2, False, 0.5)
    assert (row["AU12_side"], row["AU1_left_prob"], row["AU1_side"]) == ("left", None, None)
    assert not any(name.startswith("AU17_left") for name in row)


def test_a_format_without_a_group_refuses_it():
    with pytest.raises(ConfigError, match="format openface has no columns for sides; choose another format"):
        Table("openface", a_model(), groups=["sides"])


CHOICES = [choice for count in (1, 3) for choice in combinations(("sides", "quality", "measurements"), count)]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("groups", CHOICES, ids="+".join)
def test_tables_with_more_columns_are_read_again(tmp_path, suffix, groups):
    path = tmp_path / f"a.{suffix}"
    with open_sink(path, model=a_model(), groups=groups) as sink:
        sink.write(PictureResult("a.jpg", (a_measured_face(), a_masked_face())))
    frame = read_results(path)
    for name in groups:
        assert {column.name for column in LAYOUTS["native"].group(name, a_model().au_ids)} <= set(frame.columns)
    if "measurements" in groups:
        assert frame["mouth_width"].iloc[0] == pytest.approx(a_measured_face().measurements[0].value, abs=2)
        assert np.isnan(frame["mouth_width"].iloc[1])


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_every_group_has_its_own_columns(layout):
    names = [column.name for column in layout.columns((1, 12, 17), layout.groups)]
    assert len(names) == len(set(names))
