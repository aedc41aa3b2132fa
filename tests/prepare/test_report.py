import numpy as np

from vlfau.prepare import Clip, Skipped, Source, read_protocol
from vlfau.prepare.report import Counts, report


def published(name):
    """A source and counts that are exactly the published ones."""
    protocol = read_protocol(name)
    folds = protocol.folds
    clips = tuple(
        Clip(subject, "T1", number, "", ()) for number, fold in enumerate(folds, 1) for subject in fold.subjects
    )
    frames = np.array([fold.frames for fold in folds])
    positives = np.array([fold.positives for fold in folds])
    known = np.repeat(frames[:, None], len(protocol.au_ids), axis=1)
    subjects = np.array([len(fold.subjects) for fold in folds])
    return Source(protocol, clips), Counts(subjects, frames, known, positives)


def test_the_published_data_set_is_said_to_be_the_published_one():
    text = report(*published("bp4d"), [])
    assert text.startswith("# BP4D: 146,847 aligned faces of 41 subjects\n")
    assert "All numbers match the published ones." in text
    assert "| frames | 46,034 (=) | 50,182 (=) | 50,631 (=) |" in text
    assert "| AU1 | 1.342985 (1.342985) | 1.191051 (1.191051) | 1.132895 (1.132895) |" in text


def test_every_difference_is_named():
    source, counts = published("disfa")
    counts.frames[0] -= 2
    counts.positives[0, 5] -= 1
    counts.known[0, 0] -= 4
    clips = tuple(clip for clip in source.clips if clip.subject_id != "SN002")
    text = report(
        Source(source.protocol, clips, unlabelled=7),
        counts,
        [Skipped("SN003", 1, "left", 1, "no face found", (0,) * 8)],
    )
    assert "* Fold 1 has 43,603 frames; 43,605 are published." in text
    assert "* Fold 1 differs in the positives of AU12 (-1)." in text
    assert "* Fold 3 has no frames of the subjects SN002." in text
    assert "* Fold 2" not in text
    assert "| skipped: no face found | 1 |" in text
    assert "| pictures without labels, not used | 7 |" in text


def test_own_folds_have_nothing_to_compare_with(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[bp4d.folds]]\nsubjects = ["F001"]\n[[bp4d.folds]]\nsubjects = ["M001"]\n', encoding="utf-8")
    protocol = read_protocol("bp4d", path)
    counts = Counts(np.array([1, 1]), np.array([4, 4]), np.full((2, 12), 4), np.full((2, 12), 2))
    text = report(Source(protocol, ()), counts, [])
    assert "No numbers have been published for these folds." in text
    assert "| frames | 4 | 4 |" in text
    assert "| AU24 | 1.000000 | 1.000000 |" in text
