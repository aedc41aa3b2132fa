import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from vlfau.errors import InputError
from vlfau.evaluation import Answers
from vlfau.language.carried import read_descriptions

FIRST_DESCRIPTIONS = Path(__file__).parents[1] / "language" / "data" / "first_descriptions.json"
WORDS = {
    "local_captions": (("Brows up.", "Lips drawn."), ("", ""), ("Brows rest.", "Lips rest.")),
    "global_captions": ("This woman smiles.", "", "This man rests."),
    "consistent_captions": None,
}


@pytest.fixture
def answers(make_answers):
    probs = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.3]]
    return make_answers(probs, [[1, 0], [-1, 1], [0, 0]], subject_ids=["S1", "S1", "S2"], **WORDS)


def assert_equal(ours, theirs):
    for entry in fields(Answers):
        first, second = getattr(ours, entry.name), getattr(theirs, entry.name)
        if isinstance(first, np.ndarray):
            np.testing.assert_array_equal(first, second, err_msg=entry.name)
            assert first.dtype == second.dtype
        else:
            assert first == second, entry.name


def test_answers_come_back_as_they_were_saved(answers, tmp_path):
    answers.save(tmp_path)
    assert_equal(Answers.load(tmp_path), answers)
    first = json.loads((tmp_path / "captions.jsonl").read_text().splitlines()[0])
    local = {"1": "Brows up.", "12": "Lips drawn."}
    assert first == {"image": "0.png", "local": local, "global": "This woman smiles."}


def test_answers_without_words_leave_no_captions_of_an_earlier_run(answers, make_answers, tmp_path):
    answers.save(tmp_path)
    make_answers([[0.5, 0.5]], [[1, 1]]).save(tmp_path)
    assert Answers.load(tmp_path).local_captions is None
    assert [path.name for path in tmp_path.iterdir()] == ["answers.npz"]


def test_frames_and_aus_can_be_chosen(answers):
    assert answers.described().images == ("0.png", "2.png")
    one = answers.take([2]).restricted([12])
    assert (one.au_ids, one.subject_ids, one.local_captions) == ((12,), ("S2",), (("Lips rest.",),))
    assert one.au_probs.tolist() == [[np.float32(0.3)]]


def test_parts_are_joined_in_order_and_only_if_they_fit(answers, make_answers):
    joined = Answers.joined([answers.take([2]), answers.take([0, 1])])
    assert_equal(joined, answers.take([2, 0, 1]))
    with pytest.raises(InputError, match=r"AUs \[1, 12\] and \[1, 4\].* can't be joined"):
        Answers.joined([make_answers([[0.1, 0.2]], [[0, 0]]), make_answers([[0.1, 0.2]], [[0, 0]], au_ids=(1, 4))])
    with pytest.raises(InputError, match="can't be joined"):
        Answers.joined([answers, make_answers([[0.1, 0.2]], [[0, 0]])])


def test_missing_and_damaged_files_are_named_with_the_remedy(answers, tmp_path):
    with pytest.raises(InputError, match=r"holds no answers\.npz; run `vlfau evaluate`"):
        Answers.load(tmp_path)
    answers.save(tmp_path)
    lines = (tmp_path / "captions.jsonl").read_text().splitlines()
    (tmp_path / "captions.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(InputError, match=r"damaged \(captions\.jsonl is of other frames"):
        Answers.load(tmp_path)
    (tmp_path / "answers.npz").write_bytes((tmp_path / "answers.npz").read_bytes()[:200])
    with pytest.raises(InputError, match="are damaged"):
        Answers.load(tmp_path)


def test_pickled_arrays_are_refused(answers, tmp_path):
    answers.save(tmp_path)
    content = dict(np.load(tmp_path / "answers.npz"))
    np.savez(tmp_path / "answers.npz", **content | {"images": np.array([{}], object)})
    with pytest.raises(InputError, match="are damaged"):
        Answers.load(tmp_path)


def test_arrays_of_another_size_are_refused(make_answers):
    with pytest.raises(ValueError, match="occurrence has the shape"):
        make_answers([[0.5, 0.5]], [[1], [0]])
    with pytest.raises(ValueError, match="global_captions has 2 entries for 1 frames"):
        make_answers([[0.5, 0.5]], [[1, 0]], global_captions=("a", "b"))


def test_answers_keep_the_texts_that_their_network_learned(answers, make_answers, tmp_path):
    learned = replace(answers, descriptions=read_descriptions(FIRST_DESCRIPTIONS))
    learned.save(tmp_path)
    assert_equal(Answers.load(tmp_path), learned)
    assert Answers.load(tmp_path).take([1]).descriptions == learned.descriptions
    with pytest.raises(InputError, match="can't be joined"):
        Answers.joined([learned, answers])
    (tmp_path / "descriptions.json").write_text("{")
    with pytest.raises(InputError, match="damaged .*descriptions.json"):
        Answers.load(tmp_path)
    answers.save(tmp_path)
    assert Answers.load(tmp_path).descriptions is None
