from dataclasses import replace

import pytest

from vlfau.errors import BundleError
from vlfau.inference.bundle import load_bundle
from vlfau.inference.score_parts import ScoreParts, score_parts


@pytest.mark.parametrize(
    ("parts", "note"),
    [
        (
            ScoreParts(0.194, 0.645, 0.161),
            "The geometry of the face weighs 64 % in this score, this map's branch 19 %.",
        ),
        (ScoreParts(0.1, 0.3, 0.6), "The appearance of the face weighs 60 % in this score, this map's branch 10 %."),
        (ScoreParts(0.0, 1.0, 0.0), "The geometry of the face weighs 100 % in this score, this map's branch nothing."),
        (ScoreParts(0.5, 0.5, 0.0), "This map's branch weighs 50 % in this score."),
    ],
)
def test_a_note_beside_a_map_says_how_much_of_the_score_it_can_show(parts, note):
    assert parts.map_note == note


def test_the_parts_of_an_au_are_read_from_the_bundle_and_a_wrong_record_is_refused(tiny_bundle):
    info = replace(tiny_bundle.info, training={"score_parts": {"12": [0.2, 0.7, 0.1], "4": [0.2, 0.8]}})
    assert score_parts(info, 12) == ScoreParts(0.2, 0.7, 0.1)
    assert score_parts(info, 1) is None
    assert score_parts(replace(info, training={}), 12) is None
    with pytest.raises(BundleError, match=r"has \[0.2, 0.8\] for AU 4, expected 3 shares from 0 to 1"):
        score_parts(info, 4)


def test_the_default_model_records_the_parts_of_every_au():
    info = load_bundle("default").info
    for au_id in info.au_ids:
        parts = score_parts(info, au_id)
        assert parts is not None
        assert parts.branch + parts.geometry + parts.appearance == pytest.approx(1, abs=2e-3)
