"""The options that `vlfau batch` shares with `vlfau predict`."""

from fractions import Fraction

import av
import pytest
from PIL import Image

from tests.batch.running import lines, process_here, rows
from tests.batch.test_command import run  # noqa: F401 - a fixture
from tests.video.clips import moving, numbered, scene, write_video
from vlfau.errors import ConfigError
from vlfau.runs.options import ArchiveOptions


def processed(folder, options, source, **changes):
    """Return the outcome of the first file and all rows."""
    folder.mkdir(exist_ok=True)
    out = folder / "out"
    process_here(source, out, ArchiveOptions(model=options.model, **changes))
    return lines(out / "files.csv")[0], rows(out)


def test_the_list_of_files_says_what_was_done_to_a_video(options, tmp_path):
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "a.mp4", moving(3, (240, 180)), pixel_shape=Fraction(4, 3))
    write_video(tmp_path / "films" / "b.mp4", moving(3, (320, 180)))
    process_here(tmp_path / "films", tmp_path / "out", options)
    notes = [line["notes"] for line in lines(tmp_path / "out" / "files.csv")]
    assert notes == ["made the pixels square (240 x 180 to 320 x 180)", ""]


def test_a_chosen_stream_is_read_in_place_of_the_largest(options, tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25, width=w, height=h) for w, h in ((320, 180), (64, 48))]
        for stream, pictures in zip(streams, (moving(4, (320, 180)), numbered(4)), strict=True):
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    line, found = processed(tmp_path, options, path, stream=2)
    assert (line["frames"], line["faces"]) == ("4", "0")
    assert "stream 2 of 2" in line["notes"]
    assert found["face"].isna().all()


def test_numbered_pictures_are_a_video_at_the_given_rate(options, tmp_path):
    for number, picture in enumerate(moving(3, (320, 180)), start=1):
        Image.fromarray(picture).save(tmp_path / f"frames_{number:03d}.png")
    line, found = processed(tmp_path, options, tmp_path / "frames_%03d.png", fps=10.0)
    assert line["status"] == "done"
    assert found["time_s"].tolist() == pytest.approx([0, 0.1, 0.2])


def test_faces_are_followed_in_the_given_region_only(options, tmp_path):
    path = write_video(tmp_path / "a.mp4", [scene([(160, 180), (480, 180)])] * 3)
    line, found = processed(tmp_path, options, path, region="0,0,320,360")
    assert line["faces"] == "3"
    assert (found["box_x2"] <= 320).all()


def test_people_and_smoothed_probabilities_have_their_columns(options, tmp_path):
    path = write_video(tmp_path / "a.mp4", moving(6, (320, 180)))
    _, found = processed(tmp_path, options, path, identities=True, smooth=True, head_position=True)
    assert found["person"].tolist() == [1] * 6
    assert found[["AU12_prob_centred", "AU12_prob_causal", "head_z"]].notna().all(axis=None)


def test_frames_that_wait_to_be_smoothed_are_kept_when_a_video_breaks_off(options, archive, tmp_path):
    plain, _ = processed(tmp_path / "plain", options, archive.folder / "cut.mp4")
    line, found = processed(tmp_path / "smooth", options, archive.folder / "cut.mp4", smooth=True)
    assert (line["status"], line["frames"]) == ("partial", plain["frames"])
    assert found["AU12_prob_centred"].notna().all()


def test_wrong_values_are_refused_before_anything_is_read(run, tmp_path):  # noqa: F811
    for words, message in (
        (["--stream", "0"], "give the number of a video stream, from 1"),
        (["--fps", "0"], "give more than 0 pictures per second"),
        (["--tiles", "2"], "--tiles"),
        (["--keep-doubtful"], "give both"),
    ):
        with pytest.raises(ConfigError, match=message):
            run(tmp_path / "none", tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_another_region_does_not_continue_a_run(options, tmp_path):
    path = write_video(tmp_path / "a.mp4", moving(3, (320, 180)))
    processed(tmp_path, options, path)
    with pytest.raises(Exception, match="started with tiles not given"):
        processed(tmp_path, options, path, tiles="2x2")
