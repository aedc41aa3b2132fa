import math

import pytest

from vlfau.evaluation.caption_metrics import score_captions

CAPTIONS = [
    "The inner ends of the brows rise.",
    "The lip corners are pulled up and back, the cheeks bulge.",
    "The brows rest.",
    "The lips part slightly and the jaw hangs, the lips part.",
    "Both corners of the mouth lie where they lie at rest.",
]
REFERENCES = [
    ["The inner ends of the brows are pulled up.", "The medial frontalis raises the inner ends of the brows."],
    ["The zygomatic major pulls the lip corners up and back.", "The lip corners are drawn up, the cheeks bulge."],
    ["The brows are drawn together and down.", "The corrugator knits the brows, which sink."],
    ["The lips part and show the teeth.", "The lips part slightly, the jaw does not drop."],
    ["The lip corners are at rest.", "Nothing pulls at the corners of the mouth, which lie at rest."],
]
GOLDEN = (0.397911346, 0.631816633, 2.756541117)


def test_equal_texts_score_highest():
    texts = ["The brows rise at their inner ends.", "Both lip corners are drawn up and back."]
    scores = score_captions(texts, [[text] for text in texts])
    assert (scores.bleu4, scores.rouge_l) == pytest.approx((1, 1))
    assert scores.cider_d == pytest.approx(10)


def test_bleu_and_rouge_are_those_counted_by_hand():
    scores = score_captions(["the lips are parted a little"], [["The lips are parted wide, a bit."]])
    # 5 of 6 words, 3 of 5 pairs, 2 of 4 triples and 1 of 3 fours are in the reference of 7 words.
    expected = (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25 * math.exp(1 - 7 / 6)
    assert scores.bleu4 == pytest.approx(expected)
    precision, recall = 5 / 6, 5 / 7
    assert scores.rouge_l == pytest.approx(2.44 * precision * recall / (recall + 1.44 * precision))


def test_words_that_all_references_share_weigh_nothing_in_cider():
    scores = score_captions(["the brow"] * 2, [["the brow"], ["the lip"]])
    # "the" is in both sets. First item: unigrams and bigrams match; second: nothing does. No longer n-grams.
    assert scores.cider_d == pytest.approx((10 * 2 / 4 + 0) / 2)


def test_scores_equal_those_of_the_coco_evaluation():
    scores = score_captions(CAPTIONS, REFERENCES)
    # Computed once with Bleu(4), Rouge() and Cider() of pycocoevalcap 1.2, of the texts in small letters and
    # without punctuation.
    assert (scores.bleu4, scores.rouge_l, scores.cider_d) == pytest.approx(GOLDEN, rel=1e-6)


def test_an_item_that_comes_twice_counts_twice():
    doubled = score_captions([*CAPTIONS, CAPTIONS[0]], [*REFERENCES, REFERENCES[0]])
    split = score_captions([*CAPTIONS, CAPTIONS[0] + " "], [*REFERENCES, REFERENCES[0]])
    assert (doubled.bleu4, doubled.rouge_l, doubled.cider_d) == pytest.approx(
        (split.bleu4, split.rouge_l, split.cider_d)
    )


def test_empty_captions_score_zero_and_missing_references_are_refused():
    scores = score_captions([""], [["The lips part."]])
    assert (scores.bleu4, scores.rouge_l, scores.cider_d) == (0, 0, 0)
    with pytest.raises(ValueError, match="give each a reference"):
        score_captions(["a"], [[]])
