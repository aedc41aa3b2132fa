import pandas
import pytest

from tests.tables.made_up import a_face, a_model
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import LAYOUTS
from vlfau.tables.read import read_results
from vlfau.tables.write import open_sink


@pytest.mark.parametrize(
    "result",
    [
        PictureResult("a.jpg", (a_face(0.75), a_face(0.125)), model=a_model()),
        PictureResult("a.jpg", (), model=a_model()),
        PictureResult("a.mp4", (a_face(face_id=3),), frame=7, time_s=0.123456, model=a_model()),
        PictureResult("a.mp4", (), frame=7, time_s=0.28, model=a_model()),
    ],
    ids=["two faces", "no face", "a frame", "a frame without a face"],
)
def test_a_frame_of_a_result_is_what_its_table_reads_back(tmp_path, result):
    with open_sink(tmp_path / "a.parquet", model=result.model) as sink:
        sink.write(result)
    expected = read_results(tmp_path / "a.parquet")
    frame = result.to_pandas()
    pandas.testing.assert_frame_equal(frame, expected)
    assert frame.attrs == expected.attrs
    assert frame.attrs["model"]["name"] == "tiny"


def test_a_picture_has_one_row_per_face_with_rounded_numbers():
    frame = PictureResult("a.jpg", (a_face(0.75), a_face(0.123456))).to_pandas()
    assert frame["face"].tolist() == [1, 2]
    assert frame["AU12_prob"].tolist() == [0.75, 0.1235]
    assert frame["AU12_state"].tolist() == [True, False]
    assert frame["box_x1"].tolist() == [10.0, 10.0]


def test_columns_do_not_depend_on_whether_there_is_a_face():
    empty = PictureResult("a.jpg", (), model=a_model()).to_pandas()
    assert list(empty.columns) == [column.name for column in LAYOUTS["native"].columns((12, 1))]
    assert len(empty) == 0


def test_frames_of_many_pictures_are_put_together():
    results = [PictureResult(f"{number}.jpg", (a_face(),), model=a_model()) for number in range(3)]
    frame = pandas.concat([result.to_pandas() for result in results], ignore_index=True)
    assert frame["file"].tolist() == ["0.jpg", "1.jpg", "2.jpg"]
    assert frame["AU12_state"].dtype == "boolean"


def test_a_face_of_a_video_gives_its_number_as_the_name_of_its_series():
    series = a_face(face_id=5).to_pandas()
    assert series.name == 5
    assert series["AU12_prob"] == 0.75
    assert "file" not in series
