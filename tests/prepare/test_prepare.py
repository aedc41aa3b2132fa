import csv
import io
import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

from tests.prepare.conftest import contents, rows_of
from vlfau.cli.prepare import prepare as command
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, InputError, NoFaceError, VlfauError
from vlfau.faces import CropGeometry, FaceFinder, align_face
from vlfau.facs import AU_SETS
from vlfau.language import Gender
from vlfau.prepare import Clip, LabelledFrame, prepare, read_bp4d, read_disfa
from vlfau.prepare.align import align_clips

SIZE = 64
DIES_AT_FRAME_8 = """
import os, signal, sys
from pathlib import Path
from vlfau.prepare import align, prepare, read_bp4d
find, seen = align._finder().find, []
def find_or_die(pixels):
    seen.append(1)
    return find(pixels) if len(seen) < 8 else os.kill(os.getpid(), signal.SIGKILL)
align._finder().find = find_or_die
prepare(read_bp4d(Path(sys.argv[1])), Path(sys.argv[2]), size=int(sys.argv[3]))
"""


def test_bp4d_becomes_a_manifest_that_training_reads(bp4d, tmp_path):
    seen = []
    prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 18) for done in range(19)]
    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    assert manifest.au_ids == AU_SETS["bp4d"]
    assert len(manifest.frames) == 18
    first = manifest.frames[0]
    assert (first.subject_id, first.fold, first.gender) == ("F001", 3, Gender.WOMAN)
    assert first.states[0] is None
    assert first.states[AU_SETS["bp4d"].index(12)].active
    train, test = manifest.split(1)
    assert {frame.subject_id for frame in test.frames} == {"F007"}
    assert {frame.subject_id for frame in train.frames} == {"M011", "F001"}
    row = rows_of(manifest.path)[0]
    assert (row["clip"], row["frame"], row["image"]) == ("T1", "2440", "faces/F001/T1/02440.jpg")
    assert "AU12_intensity" not in row
    assert "occurrence_from" not in row
    assert not any(state.trace for frame in manifest.frames for state in frame.states if state is not None)


def test_disfa_keeps_intensities(make_disfa, tmp_path):
    source = read_disfa(make_disfa({"SN002": [{12: 1}, {12: 3}], "SN003": [{}, {}]}))
    prepare(source, tmp_path / "out", size=SIZE)
    rows = rows_of(tmp_path / "out" / "manifest.csv")
    assert [(row["frame"], row["AU12"], row["AU12_intensity"], row["occurrence_from"]) for row in rows[:2]] == [
        ("1", "0", "1", "2"),
        ("2", "1", "3", "2"),
    ]
    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    at_1, lowest = (manifest.frames[0].states[AU_SETS["disfa"].index(au_id)] for au_id in (12, 25))
    assert (at_1.active, at_1.trace) == (False, True)
    assert (lowest.active, lowest.trace) == (False, False)
    assert manifest.frames[1].states[AU_SETS["disfa"].index(12)].intensity == 3
    assert manifest.frames[0].gender is None


@pytest.mark.parametrize("kind", ["picture", "video"])
def test_the_crop_is_the_aligned_face_in_its_true_colours(make_bp4d, make_disfa, photo, tmp_path, kind):
    if kind == "picture":
        source = read_bp4d(make_bp4d({("F001", "T1"): {1: {}}}))
    else:
        source = read_disfa(make_disfa({"SN002": [{}]}))
    prepare(source, tmp_path / "out", size=SIZE)
    landmarks = FaceFinder().find(photo)[0].landmarks_xy
    expected = align_face(photo, landmarks, CropGeometry(SIZE, SIZE)).astype(int)
    (path,) = (tmp_path / "out").rglob("*.jpg")
    made = cv2.imread(str(path))[..., ::-1].astype(int)
    assert made.shape == (SIZE, SIZE, 3)
    assert np.abs(made - expected).mean() < 4 < np.abs(made[..., ::-1] - expected).mean()


def test_what_cannot_be_used_is_listed_with_its_reason_and_stops_nothing(bp4d, jpeg, tmp_path):
    pictures = bp4d / "2D+3D/F001/T1"
    (pictures / "2440.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (pictures / "2441.jpg").write_bytes(cv2.imencode(".jpg", np.full((200, 200, 3), 90, np.uint8))[1].tobytes())
    (pictures / "2442.jpg").unlink()
    text = prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE)
    rows = rows_of(tmp_path / "out" / "skipped.csv")
    assert [(row["subject"], row["fold"], row["clip"], row["frame"], row["reason"]) for row in rows] == [
        ("F001", "3", "T1", "2440", "picture damaged"),
        ("F001", "3", "T1", "2441", "no face found"),
        ("F001", "3", "T1", "2442", "no picture"),
    ]
    assert len(read_manifest(tmp_path / "out" / "manifest.csv").frames) == 15
    assert "| labelled frames | 18 |" in text
    assert "| skipped: no face found | 1 |" in text


def test_frames_that_are_left_out_keep_their_labels_and_are_counted_by_fold(bp4d, tmp_path):
    for place in ("F001/T1/2440.jpg", "F001/T1/2441.jpg", "M011/T8/7.jpg"):
        (bp4d / "2D+3D" / place).unlink()
    text = prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE)
    rows = rows_of(tmp_path / "out" / "skipped.csv")
    assert list(rows[0]) == [
        "subject",
        "fold",
        "clip",
        "frame",
        "reason",
        *(f"AU{number}" for number in AU_SETS["bp4d"]),
    ]
    assert [(row["fold"], row["AU1"], row["AU6"], row["AU12"]) for row in rows] == [
        ("3", "", "0", "1"),  # 9, unknown, is an empty cell
        ("3", "0", "1", "1"),
        ("2", "1", "1", "1"),
    ]
    left_out = text.partition("## Skipped frames")[2].partition("##")[0]
    assert "| frames | 0 | 1 | 2 |" in left_out
    assert "| AU1 | 0 | 1 | 0 |" in left_out
    assert "| AU12 | 0 | 1 | 2 |" in left_out


def test_a_mended_picture_is_taken_up_by_the_next_run(bp4d, jpeg, tmp_path):
    broken = bp4d / "2D+3D/F001/T1/2440.jpg"
    broken.write_bytes(b"no picture")
    prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE)
    broken.write_bytes(jpeg)
    prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE)
    assert rows_of(tmp_path / "out" / "skipped.csv") == []
    assert len(read_manifest(tmp_path / "out" / "manifest.csv").frames) == 18


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill so")
def test_a_run_that_is_killed_goes_on_and_ends_as_an_undisturbed_one(bp4d, tmp_path):
    prepare(read_bp4d(bp4d), tmp_path / "whole", size=SIZE)
    out = tmp_path / "killed"
    killed = subprocess.run(
        [sys.executable, "-c", DIES_AT_FRAME_8, str(bp4d), str(out), str(SIZE)], check=False, timeout=60
    )
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg")}
    assert (killed.returncode, len(kept), (out / "manifest.csv").exists()) == (-signal.SIGKILL, 7, False)
    prepare(read_bp4d(bp4d), out, size=SIZE)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(out) == contents(tmp_path / "whole")


def test_a_video_stopped_half_way_goes_on_with_the_missing_frames(make_disfa, tmp_path):
    source = read_disfa(make_disfa({"SN002": [{12: 3}] * 4}))
    prepare(source, tmp_path / "out", size=SIZE)
    before = contents(tmp_path / "out")
    for number in (2, 4):
        (tmp_path / "out" / f"faces/SN002/left/{number:05d}.jpg").unlink()
    (tmp_path / "out" / "manifest.csv").unlink()
    prepare(source, tmp_path / "out", size=SIZE)
    assert contents(tmp_path / "out") == before


def test_two_workers_make_the_same_files(make_bp4d, tmp_path):
    source = read_bp4d(make_bp4d({("F001", "T1"): {1: {}, 2: {}}, ("F007", "T1"): {1: {12: 1}}}))
    seen = []
    prepare(source, tmp_path / "one", size=SIZE)
    prepare(source, tmp_path / "two", size=SIZE, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 3), (3, 3))


class Deadly:
    """Ends the process that receives it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_worker_that_dies_is_said_in_a_sentence(tmp_path):
    frame = LabelledFrame(1, (0,), picture=Deadly())
    clips = [Clip(subject, "T1", 1, "", (frame,)) for subject in ("F001", "F002")]
    with pytest.raises(VlfauError, match="a worker process died.*again with fewer --workers, and it will resume"):
        list(align_clips(clips, tmp_path, size=SIZE, workers=2, progress=lambda tried: None))


def test_new_labels_reach_the_manifest_without_new_faces(make_bp4d, tmp_path):
    out = tmp_path / "out"
    prepare(read_bp4d(make_bp4d({("F001", "T1"): {1: {12: 0}}})), out, size=SIZE)
    (face,) = out.rglob("*.jpg")
    made = face.stat().st_mtime_ns
    prepare(read_bp4d(make_bp4d({("F001", "T1"): {1: {12: 1}}}, folder="corrected")), out, size=SIZE)
    assert rows_of(out / "manifest.csv")[0]["AU12"] == "1"
    assert face.stat().st_mtime_ns == made


def test_a_folder_with_something_else_is_refused(bp4d, tmp_path):
    source = read_bp4d(bp4d)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="full already contains other files; choose a new or empty folder"):
        prepare(source, tmp_path / "full", size=SIZE)
    prepare(source, tmp_path / "out", size=SIZE)
    with pytest.raises(InputError, match="was started with size 64 .now 65.; .*choose another folder"):
        prepare(source, tmp_path / "out", size=SIZE + 1)


def test_impossible_settings_are_refused(bp4d, tmp_path):
    with pytest.raises(ConfigError, match="workers must be 1 or more and size 32 to 2048, not 0 and 256"):
        prepare(read_bp4d(bp4d), tmp_path / "out", workers=0)


def test_a_source_without_any_usable_picture_is_refused(bp4d, tmp_path):
    for path in bp4d.rglob("*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(NoFaceError, match="no face was found in any of the 18 pictures"):
        prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE)
    for path in bp4d.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(InputError, match="none of the 18 labelled frames has a picture; check"):
        prepare(read_bp4d(bp4d), tmp_path / "other", size=SIZE)


def test_the_command_prints_the_report_it_writes(bp4d, tmp_path, capsys):
    out = tmp_path / "out"
    code = command(["bp4d", str(bp4d), str(out), "--size", str(SIZE)], result_action="return_value")
    printed = capsys.readouterr().out
    assert code == 0
    assert printed.startswith((out / "report.md").read_text(encoding="utf-8"))
    assert f"manifest: {out}/manifest.csv" in printed


def test_a_report_of_the_command_is_a_table_with_a_cell_a_fold(bp4d, tmp_path):
    text = prepare(read_bp4d(bp4d), tmp_path / "out", size=SIZE)
    lines = [line.strip("|") for line in text.splitlines() if line.startswith("| AU12 |")]
    counts, weights = csv.reader(io.StringIO("\n".join(lines)), delimiter="|")
    assert [cell.strip() for cell in counts] == ["AU12", "3 (-28,063)", "3 (-26,184)", "3 (-28,274)"]
    assert weights[1].strip().endswith("(0.457287)")
