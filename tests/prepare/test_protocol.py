import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlfau.errors import ConfigError, ManifestError
from vlfau.facs import AU_SETS
from vlfau.prepare import read_protocol
from vlfau.prepare.protocol import balanced_folds
from vlfau.prepare.report import class_weights

# List files of ME-GraphAU, fold 1 (the same in JAA-Net).
GOLDEN = {
    "bp4d": "1.342985 1.689665 1.248091 0.561356 0.433044 0.435894 0.457287 0.541004 1.408054 0.722762 "
    "1.493145 1.666711",
    "disfa": "1.422290 2.347771 0.399672 0.795021 1.878217 0.440125 0.195583 0.521322",
}
TOTALS = {
    "bp4d": [31043, 25110, 29755, 67677, 80617, 87271, 82531, 68376, 24869, 50407, 24288, 22229],
    "disfa": [6506, 5644, 19933, 10327, 5473, 16851, 36247, 11533],
}


def printed(weights):
    return " ".join(f"{weight:.6f}" for weight in weights)


@pytest.mark.parametrize("name", ["bp4d", "disfa"])
def test_the_published_counts_give_the_published_weights_of_every_fold_to_the_last_digit(name):
    folds = read_protocol(name).folds
    positives = np.array([fold.positives for fold in folds])
    frames = np.array([[fold.frames] * len(fold.positives) for fold in folds])
    weights = [class_weights(positives.sum(0) - positives[k], frames.sum(0) - frames[k]) for k in range(3)]
    assert printed(weights[0]) == GOLDEN[name]
    assert [printed(row) for row in weights] == [printed(fold.weights) for fold in folds]


@pytest.mark.parametrize(("name", "frames", "people"), [("bp4d", 146_847, 41), ("disfa", 130_814, 27)])
def test_the_folds_hold_every_subject_and_frame_once(name, frames, people):
    protocol = read_protocol(name)
    subjects = [subject for fold in protocol.folds for subject in fold.subjects]
    assert len(subjects) == len(set(subjects)) == people
    assert sum(fold.frames for fold in protocol.folds) == frames
    assert protocol.au_ids == AU_SETS[name]


@pytest.mark.parametrize("name", ["bp4d", "disfa"])
def test_the_positives_sum_to_the_published_totals_but_for_one_frame(name):
    summed = np.sum([fold.positives for fold in read_protocol(name).folds], axis=0)
    assert (np.array(TOTALS[name]) - summed).tolist() == (
        [1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0] if name == "bp4d" else [0] * 8
    )


def test_bp4d_has_23_women_and_18_men_by_their_names():
    protocol = read_protocol("bp4d")
    genders = [protocol.gender_of(subject) for fold in protocol.folds for subject in fold.subjects]
    assert (genders.count("F"), genders.count("M")) == (23, 18)
    assert read_protocol("disfa").gender_of("SN001") == ""


def test_a_fold_tests_the_part_that_the_field_gives_it():
    assert [read_protocol("bp4d").fold_of(subject) for subject in ("F014", "M005", "M008")] == [1, 2, 3]
    assert [read_protocol("disfa").fold_of(subject) for subject in ("SN004", "SN024", "SN016")] == [1, 2, 3]


def test_a_subject_without_a_fold_is_named_with_the_remedy():
    with pytest.raises(
        ManifestError, match=r"subject 'F099' belongs to no fold of .*folds.toml; leave .* with --folds"
    ):
        read_protocol("bp4d").fold_of("F099")


def test_own_folds_replace_the_subjects_and_publish_nothing(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[bp4d.folds]]\nsubjects = ["f099"]\n[[bp4d.folds]]\nsubjects = ["M001"]\n', encoding="utf-8")
    protocol = read_protocol("bp4d", path)
    assert (protocol.fold_of("F099"), protocol.fold_of("M001")) == (1, 2)
    assert protocol.folds[0].frames is None
    assert protocol.au_ids == AU_SETS["bp4d"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[bp4d.folds]]\nsubjects = ["F1"]\n[[bp4d.folds]]\nsubjects = ["F1"]', "subject 'F1' in the folds 1 and 2"),
        ('[[bp4d.folds]]\nsubjects = ["F1"]', r"needs at least two tables \[\[bp4d.folds\]\]"),
        ("[[bp4d.folds]]\nsubjects = [1]\n[[bp4d.folds]]\nsubjects = [2]", "a fold without subjects"),
        (
            '[[bp4d.folds]]\nsubjects=["F1"]\npositives=[3]\n[[bp4d.folds]]\nsubjects=["F2"]',
            "must have 12 positives and weights per fold, one per AU",
        ),
        ('[[bp4d.folds]]\nsubjects=["F1"]\nframes=1\npositives=[inf]\n[[bp4d.folds]]\nsubjects=["F2"]', "correct it"),
        ("bp4d = ", "is not a TOML file"),
        ("bp4d = " + "[" * 20_000, "is not a TOML file"),
    ],
)
def test_wrong_folds_are_refused(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_protocol("bp4d", path)


@given(
    st.dictionaries(st.text("0123456789", min_size=1, max_size=3), st.integers(1, 12), min_size=3), st.integers(0, 9)
)
def test_dealt_folds_hold_every_subject_once_and_differ_by_less_than_one_subject(frames, seed):
    folds = balanced_folds(frames, 3, seed)
    assert sorted(name for fold in folds for name in fold) == sorted(frames)
    totals = [sum(frames[name] for name in fold) for fold in folds]
    assert max(totals) - min(totals) <= max(frames.values())
    assert balanced_folds(dict(reversed(frames.items())), 3, seed) == folds


def test_the_published_positives_of_ck_plus_are_the_published_rates_of_593():
    published = read_protocol("ckplus").published
    rates = {1: 292, 2: 196, 4: 322, 5: 172, 6: 206, 7: 201, 9: 125, 12: 187, 15: 150, 20: 130}
    rates |= {24: 96, 25: 484, 27: 137}  # van der Maaten and Hendriks 2012, Table 2, in thousandths
    assert {au_id: round(1000 * count / 593) for au_id, count in published.positives.items()} == rates
    assert (published.subjects, published.frames) == (123, 593)
