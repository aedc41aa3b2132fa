import numpy as np
import pytest

from tests.measures.made_up import mean_mesh, measured
from tests.tables.made_up import a_face, a_model
from vlfau.errors import ConfigError
from vlfau.faces import HeadPose
from vlfau.inference.results import PictureResult
from vlfau.measures.definitions import definitions
from vlfau.measures.quality import FaceQuality
from vlfau.tables.face_columns import EXTRAS, combinations_of_extras, extra_columns
from vlfau.tables.read import read_results
from vlfau.tables.table import Table
from vlfau.tables.write import open_sink


def a_measured_face():
    return a_face().measured_by(measured(mean_mesh()))


def a_masked_face():
    face = a_face()
    masked = FaceQuality(0.97, 0.1, 0.1, 0.5, 60.0, HeadPose(0.0, 0.0, 0.0))
    face.__dict__["quality"] = masked
    return face


def test_a_table_has_every_measurement_and_the_sides_of_those_with_sides():
    table = Table("native", a_model(), extras=["measurements"])
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
    (row,) = Table("native", a_model(), extras=["measurements"]).rows(PictureResult("a.jpg", (a_face(),)))
    assert row["mouth_width"] is None


def test_a_masked_mouth_leaves_its_aus_empty_unless_they_are_kept():
    result = PictureResult("a.jpg", (a_masked_face(),))
    (empty,) = Table("native", a_model(), extras=["quality"], keep_doubtful=False).rows(result)
    assert (empty["AU12_prob"], empty["AU12_state"], empty["AU12_text"], empty["global_text"]) == (None,) * 4
    assert empty["AU1_prob"] == pytest.approx(0.1235, abs=1e-4)
    assert (empty["lower_visible"], empty["doubtful_aus"]) == (0.1, "12")
    (kept,) = Table("native", a_model(), extras=["quality"]).rows(result)
    assert (kept["AU12_prob"], kept["doubtful_aus"]) == (0.75, "12")


def test_the_cells_of_other_formats_are_emptied_too():
    result = PictureResult("a.jpg", (a_masked_face(),))
    (row,) = Table("openface", a_model(), keep_doubtful=False).rows(result)
    assert (row["AU12_c"], row["AU12_r"], row["AU01_c"]) == (None, None, 0.0)


def test_unknown_columns_are_refused():
    with pytest.raises(ConfigError, match="there are no columns 'gaze'; choose among quality, measurements"):
        Table("native", a_model(), extras=["gaze"])


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("extras", list(combinations_of_extras()), ids="+".join)
@pytest.mark.parametrize("layout", ["native", "openface"])
def test_tables_with_more_columns_are_read_again(tmp_path, suffix, extras, layout):
    path = tmp_path / f"a.{suffix}"
    with open_sink(path, model=a_model(), format=layout, extras=extras) as sink:
        sink.write(PictureResult("a.jpg", (a_measured_face(), a_masked_face())))
    frame = read_results(path)
    for column in extra_columns(extras):
        assert column.name in frame.columns
    if "measurements" in extras:
        assert frame["mouth_width"].iloc[0] == pytest.approx(a_measured_face().measurements[0].value, abs=2)
        assert np.isnan(frame["mouth_width"].iloc[1])


def test_every_group_has_its_own_columns():
    names = [column.name for name in EXTRAS for column in extra_columns((name,))]
    assert len(names) == len(set(names))
