from dataclasses import replace

from vlfau.data.manifest import read_manifest
from vlfau.evaluation.rehearsal.sampling import sample_frames, write_sample


def shown(frames):
    return {
        (frame.fold, state.au_id) for frame in frames for state in frame.states if state is not None and state.active
    }


def test_every_person_and_every_active_au_of_every_fold_stays(toy_config, tmp_path):
    manifest = read_manifest(toy_config().data.manifest)
    indices = sample_frames(manifest.frames, 0)
    chosen = [manifest.frames[index] for index in indices]
    assert len(chosen) < len(manifest.frames)
    assert {frame.subject_id for frame in chosen} == {frame.subject_id for frame in manifest.frames}
    assert shown(chosen) == shown(manifest.frames)
    write_sample(manifest, indices, tmp_path / "elsewhere.csv")
    assert read_manifest(tmp_path / "elsewhere.csv").frames == tuple(
        replace(frame, image=frame.image.absolute()) for frame in chosen
    )


def test_a_larger_sample_takes_equally_many_frames_of_everybody(toy_config):
    frames = read_manifest(toy_config().data.manifest).frames
    assert sample_frames(frames, 1000) == list(range(16))
    subjects = [frames[index].subject_id for index in sample_frames(frames, 8)]
    assert {subjects.count(subject) for subject in set(subjects)} <= {2, 3}


def test_a_few_people_of_every_fold_are_enough_where_there_is_no_time(toy_config):
    frames = read_manifest(toy_config().data.manifest).frames
    chosen = [frames[index] for index in sample_frames(frames, 0, subjects_per_fold=1)]
    assert {frame.fold for frame in chosen} == {1, 2}
    assert len(chosen) < len(sample_frames(frames, 0)) + 2
    assert shown(chosen) == shown(frames)
