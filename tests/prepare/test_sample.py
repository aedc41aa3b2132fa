from vlfau.facs import AU_SETS
from vlfau.prepare import read_bp4d, read_disfa
from vlfau.prepare.prepare import sample_source
from vlfau.prepare.report import Counts


def numbers(source):
    return {(clip.subject_id, clip.task): [frame.number for frame in clip.frames] for clip in source.clips}


def test_a_sample_has_every_clip_and_in_every_fold_every_au(make_bp4d):
    frames = {number: {12: int(number == 30)} for number in range(40)}
    source = read_bp4d(make_bp4d({(subject, "T1"): frames for subject in ("F007", "M011", "F001")}))
    chosen = sample_source(source, 0.1)
    assert numbers(chosen) == {(subject, "T1"): [0, 13, 26, 30, 39] for subject in ("F001", "F007", "M011")}
    whole = Counts.of(source.protocol, source.frames()).positives > 0
    assert ((Counts.of(chosen.protocol, chosen.frames()).positives > 0) == whole).all()


def test_of_videos_the_first_frames_are_taken_so_that_they_need_not_be_read_to_their_end(make_disfa):
    frames = [dict.fromkeys(AU_SETS["disfa"], 2 * (number in {3, 9})) for number in range(12)]
    source = read_disfa(make_disfa({"SN003": frames, "SN013": frames}))
    assert numbers(sample_source(source, 0.2)) == {("SN003", "left"): [1, 2, 4], ("SN013", "left"): [1, 2, 4]}


def test_a_frame_without_a_picture_is_none_to_sample(make_bp4d):
    folder = make_bp4d({("F007", "T1"): {number: {12: 1} for number in range(4)}})
    for number in (0, 3):
        (folder / "2D+3D" / "F007" / "T1" / f"{number}.jpg").unlink()
    assert numbers(sample_source(read_bp4d(folder), 0.01)) == {("F007", "T1"): [1]}
