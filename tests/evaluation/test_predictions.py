import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from vlfau.errors import InputError
from vlfau.evaluation.predictions import Predictions
from vlfau.language.descriptions_file import read_descriptions

FIRST_DESCRIPTIONS = Path(__file__).parents[1] / "language" / "data" / "first_descriptions.json"
WORDS = {
    "local_captions": (("Brows up.", "Lips drawn."), ("", ""), ("Brows rest.", "Lips rest.")),
    "global_captions": ("This woman smiles.", "", "This man rests."),
    "consistent_captions": None,
}


@pytest.fixture
def predictions(make_predictions):
    probs = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.3]]
    return make_predictions(probs, [[1, 0], [-1, 1], [0, 0]], subject_ids=["S1", "S1", "S2"], **WORDS)


def assert_equal(ours, theirs):
    for entry in fields(Predictions):
        first, second = getattr(ours, entry.name), getattr(theirs, entry.name)
        if isinstance(first, np.ndarray):
            np.testing.assert_array_equal(first, second, err_msg=entry.name)
            assert first.dtype == second.dtype
        else:
            assert first == second, entry.name


def test_answers_come_back_as_they_were_saved(predictions, tmp_path):
    predictions.save(tmp_path)
    assert_equal(Predictions.load(tmp_path), predictions)
    first = json.loads((tmp_path / "captions.jsonl").read_text().splitlines()[0])
    local = {"1": "Brows up.", "12": "Lips drawn."}
    assert first == {"image": "0.png", "local": local, "global": "This woman smiles."}


def test_answers_without_words_leave_no_captions_of_an_earlier_run(predictions, make_predictions, tmp_path):
    predictions.save(tmp_path)
    make_predictions([[0.5, 0.5]], [[1, 1]]).save(tmp_path)
    assert Predictions.load(tmp_path).local_captions is None
    assert [path.name for path in tmp_path.iterdir()] == ["answers.npz"]


def test_frames_can_be_chosen(predictions):
    assert predictions.described().images == ("0.png", "2.png")
    one = predictions.take([2])
    assert (one.au_ids, one.subject_ids) == (predictions.au_ids, ("S2",))
    assert one.local_captions == predictions.local_captions[2:]
    assert one.au_probs.tolist() == predictions.au_probs[2:].tolist()


def test_parts_are_joined_in_order_and_only_if_they_fit(predictions, make_predictions):
    joined = Predictions.joined([predictions.take([2]), predictions.take([0, 1])])
    assert_equal(joined, predictions.take([2, 0, 1]))
    with pytest.raises(InputError, match=r"AUs \[1, 12\] and \[1, 4\].* can't be joined"):
        Predictions.joined(
            [make_predictions([[0.1, 0.2]], [[0, 0]]), make_predictions([[0.1, 0.2]], [[0, 0]], au_ids=(1, 4))]
        )
    with pytest.raises(InputError, match="can't be joined"):
        Predictions.joined([predictions, make_predictions([[0.1, 0.2]], [[0, 0]])])


def test_missing_and_damaged_files_are_named_with_the_remedy(predictions, tmp_path):
    with pytest.raises(InputError, match=r"holds no answers\.npz; run `vlfau evaluate`"):
        Predictions.load(tmp_path)
    predictions.save(tmp_path)
    lines = (tmp_path / "captions.jsonl").read_text().splitlines()
    (tmp_path / "captions.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(InputError, match=r"damaged \(captions\.jsonl is of other frames"):
        Predictions.load(tmp_path)
    (tmp_path / "answers.npz").write_bytes((tmp_path / "answers.npz").read_bytes()[:200])
    with pytest.raises(InputError, match="are damaged"):
        Predictions.load(tmp_path)


def test_pickled_arrays_are_refused(predictions, tmp_path):
    predictions.save(tmp_path)
    content = dict(np.load(tmp_path / "answers.npz"))
    np.savez(tmp_path / "answers.npz", **content | {"images": np.array([{}], object)})
    with pytest.raises(InputError, match="are damaged"):
        Predictions.load(tmp_path)


def test_arrays_of_another_size_are_refused(make_predictions):
    with pytest.raises(ValueError, match="occurrence has the shape"):
        make_predictions([[0.5, 0.5]], [[1], [0]])
    with pytest.raises(ValueError, match="global_captions has 2 entries for 1 frames"):
        make_predictions([[0.5, 0.5]], [[1, 0]], global_captions=("a", "b"))


def test_answers_keep_the_texts_that_their_network_learned(predictions, make_predictions, tmp_path):
    learned = replace(predictions, descriptions=read_descriptions(FIRST_DESCRIPTIONS))
    learned.save(tmp_path)
    assert_equal(Predictions.load(tmp_path), learned)
    assert Predictions.load(tmp_path).take([1]).descriptions == learned.descriptions
    with pytest.raises(InputError, match="can't be joined"):
        Predictions.joined([learned, predictions])
    (tmp_path / "descriptions.json").write_text("{")
    with pytest.raises(InputError, match="damaged .*descriptions.json"):
        Predictions.load(tmp_path)
    predictions.save(tmp_path)
    assert Predictions.load(tmp_path).descriptions is None
