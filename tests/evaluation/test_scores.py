import json

import numpy as np
import pytest
from pydantic import ValidationError

from vlfau.data.manifest import Frame
from vlfau.errors import InputError
from vlfau.evaluation.figures import caption_scores, drawn_scores, figures, mean_figures
from vlfau.evaluation.scores import read_scores, write_json
from vlfau.facs import AUState
from vlfau.language import Gender, global_description, local_description


def test_an_au_without_positives_has_no_f1_and_counts_in_no_mean(make_predictions):
    found = figures(make_predictions([[0.9, 0.9], [0.2, 0.1]], [[1, 0], [0, 0]]), 0.5)
    assert found["f1_per_au"] == {"1": 1, "12": None}
    assert found["roc_auc_per_au"] == {"1": 1, "12": None}
    assert (found["f1_macro"], found["accuracy_macro"]) == (1, 0.75)
    assert found["f1_micro"] == pytest.approx(2 / 3)


def test_shares_are_averaged_and_counts_added_up():
    folds = [
        {"pairs": 2, "share": 0.2, "per_au": {"1": 1.0, "12": None}, "only": None, "interval": [0.1, 0.2]},
        {"pairs": 3, "share": 0.4, "per_au": {"1": 0.5, "12": 0.3}, "only": None, "interval": [0.1, 0.2]},
    ]
    assert mean_figures(folds) == {
        "pairs": 5,
        "share": pytest.approx(0.3),
        "per_au": {"1": 0.75, "12": 0.3},
        "only": None,
    }


def test_no_nan_reaches_the_file_and_damaged_files_are_named(tmp_path):
    content = {
        "data": {"synthetic": True},
        "au_ids": (1, 12),
        "f1_per_au": {1: np.float64("nan"), 12: np.float32(0.5)},
        "f1_macro": 0.5,
        "counterfactuals": {"pairs": np.int64(3), "chance": {"state_flips": 0.123456789}},
        "frames": 8,
        "subjects": 2,
        "of a later version": [1],
    }
    write_json(tmp_path / "scores.json", content)
    scores = read_scores(tmp_path)
    assert (scores.f1_per_au, scores.counterfactuals["pairs"]) == ({1: None, 12: 0.5}, 3)
    assert scores.number("counterfactuals.chance.state_flips") == 0.123457
    assert scores.to_dict() == json.loads((tmp_path / "scores.json").read_text())
    assert list(scores.to_dict()) == ["format", *content]
    with pytest.raises(ValidationError, match="frozen"):
        scores.frames = 9
    write_json(tmp_path / "scores.json", {**content, "f1_macro": 1.5})
    with pytest.raises(InputError, match=r"scores\.json is damaged at 'f1_macro'"):
        read_scores(tmp_path)
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(InputError, match=r"scores\.json is damaged"):
        read_scores(tmp_path)
    (tmp_path / "scores.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(InputError, match="of another format than 1"):
        read_scores(tmp_path)
    with pytest.raises(InputError, match="evaluate the run first"):
        read_scores(tmp_path / "absent")


def test_true_words_score_highest_and_unknown_states_and_undescribed_frames_do_not_count(make_predictions, tmp_path):
    smile, rest = AUState(12, active=True, intensity=3), AUState(1, active=False)
    states = [(rest, smile), (None, smile), (rest, smile)]
    frames = [Frame(tmp_path, "S1", 1, Gender.WOMAN, each) for each in states]
    own = (local_description(rest), local_description(smile, np.random.default_rng(1)))
    predictions = make_predictions(
        [[0.1, 0.9]] * 3,
        [[0, 1], [-1, 1], [0, 1]],
        local_captions=(own, ("nonsense", own[1]), ("", "")),
        global_captions=(*[global_description([smile], Gender.WOMAN, np.random.default_rng(5))] * 2, ""),
    )
    scores = caption_scores(predictions, frames, [0, 1])
    assert (scores["local_bleu4"], scores["local_rouge_l"]) == pytest.approx((1, 1))
    assert scores["global_rouge_l"] > 0.4
    assert "consistent_bleu4" not in scores
    assert caption_scores(predictions, frames, [0, 1, 2])["local_bleu4"] < 1


def test_held_captions_of_no_network_show_what_the_grammar_alone_is_worth(make_predictions, tmp_path):
    states = [(AUState(1, active=False), AUState(12, active=True, intensity=3)), (None, AUState(12, active=False))] * 20
    frames = [Frame(tmp_path, "S1", 1, None, each) for each in states]
    held = (("anything", "anything"),) * 40
    right = make_predictions([[0.1, 0.9], [0.1, 0.1]] * 20, [[0, 1], [-1, 0]] * 20, consistent_captions=held)
    wrong = make_predictions([[0.9, 0.1], [0.9, 0.9]] * 20, [[0, 1], [-1, 0]] * 20, consistent_captions=held)
    found, other = (drawn_scores(each, frames, range(40), 0.5)["consistent_drawn_bleu4"] for each in (right, wrong))
    # Texts of the true states, of any degree and side, resemble the references though no network chose them.
    assert found > 0.55
    assert other < found - 0.2
    assert drawn_scores(right, frames, range(40), 0.5)["consistent_drawn_bleu4"] == found
