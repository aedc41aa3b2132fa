import math

import pytest
import torch

from vlfau.model.losses import (
    WeightSum,
    au_weights,
    caption_loss,
    intensity_loss,
    landmark_loss,
    occurrence_loss,
)

# Positives and frames of BP4D's and DISFA's training folds 1 (parts 1 and 2), from the list files of
# ME-GraphAU (CVI-SZU, IJCAI 2022) and JAA-Net; the weights are those that both projects publish.
BP4D_WEIGHTS = (
    1.342985, 1.689665, 1.248091, 0.561356, 0.433044, 0.435894,
    0.457287, 0.541004, 1.408054, 0.722762, 1.493145, 1.666711,
)  # fmt: skip
DISFA_WEIGHTS = (1.422290, 2.347771, 0.399672, 0.795021, 1.878217, 0.440125, 0.195583, 0.521322)
BP4D_PARTS = (
    (16.4, 16.1, 19.9, 41.6, 59.0, 57.6, 55.8, 40.0, 15.1, 31.8, 15.8, 14.0),
    (20.4, 13.1, 19.7, 46.5, 55.1, 55.7, 52.2, 51.3, 20.0, 36.6, 17.3, 15.7),
)
BP4D_FRAMES = (50_631, 50_182)


def test_eq_9_divides_by_the_rates_and_sums_to_one_or_to_n():
    assert au_weights([0.1, 0.2, 0.4], WeightSum.ONE).tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert au_weights([0.1, 0.2, 0.4]).tolist() == pytest.approx([12 / 7, 6 / 7, 3 / 7])


def test_published_weights_follow_from_the_published_rates():
    first, second = BP4D_FRAMES
    rates = [(first * a + second * b) / (first + second) / 100 for a, b in zip(*BP4D_PARTS, strict=True)]
    # The rates are printed to a tenth of a per cent, the weights to a millionth.
    assert au_weights(rates).tolist() == pytest.approx(BP4D_WEIGHTS, rel=0.005)


@pytest.mark.parametrize("published", [BP4D_WEIGHTS, DISFA_WEIGHTS])
def test_published_weights_sum_to_n_and_are_reproduced_from_their_own_rates(published):
    rates = [0.1 / weight for weight in published]
    assert au_weights(rates).tolist() == pytest.approx(published, abs=2e-6)


@pytest.mark.parametrize("rates", [[], [0.1, 0.0], [0.1, -0.1]])
def test_rates_must_be_positive(rates):
    with pytest.raises(ValueError, match="positive occurrence rate"):
        au_weights(rates)


def test_eq_8_gives_the_cross_entropy_worked_out_by_hand():
    logits = torch.tensor([[0.0, math.log(3)]])  # probabilities 1/2 and 3/4
    loss = occurrence_loss(
        logits, torch.tensor([[1.0, 0.0]]), torch.ones(1, 2, dtype=torch.bool), torch.tensor([2.0, 1.0])
    )
    assert loss.item() == pytest.approx((2 * math.log(2) + math.log(4)) / 2)


def test_unknown_labels_neither_count_nor_pull():
    logits = torch.tensor([[0.0, 5.0]], requires_grad=True)
    mask = torch.tensor([[True, False]])
    loss = occurrence_loss(logits, torch.tensor([[1.0, 0.0]]), mask, torch.ones(2))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert logits.grad[0, 1].item() == 0


def test_a_batch_that_nobody_annotated_has_no_loss():
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    assert occurrence_loss(torch.randn(2, 3), torch.zeros(2, 3), nothing, torch.ones(3)).item() == 0
    assert caption_loss(torch.randn(2, 4, 5), torch.zeros(2, 4, dtype=torch.long), pad_id=0).item() == 0


def test_eq_10_averages_a_caption_over_its_words_and_then_over_the_captions():
    # Uniform over 4 words costs log 4 a word; a sure right word costs almost nothing.
    logits = torch.zeros(3, 2, 4)
    logits[1, :, 2] = 100
    words = torch.tensor([[1, 0], [2, 2], [0, 0]])  # one word, two words, nobody annotated
    assert caption_loss(logits, words, pad_id=0).item() == pytest.approx((math.log(4) + 0) / 2)


def test_the_losses_have_the_gradients_that_differences_show():
    logits = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    target, mask = (
        torch.tensor([[1.0, 0, 1], [0, 0, 1]]).double(),
        torch.tensor([[True, True, False], [True, True, True]]),
    )
    weights = torch.tensor([0.5, 1.0, 1.5]).double()
    assert torch.autograd.gradcheck(lambda x: occurrence_loss(x, target, mask, weights), logits)
    words = torch.tensor([[1, 2, 0], [3, 0, 0]])
    scores = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: caption_loss(x, words, pad_id=0), scores)


def test_the_intensity_loss_is_the_mean_over_known_entries_of_a_square_that_turns_straight():
    predicted = torch.tensor([[1.0, 4.0, 2.0]])
    annotated = torch.tensor([[1.5, 1.0, math.nan]])
    # 0.5 * 0.5^2 = 0.125 and 3 - 0.5 = 2.5; the unknown third does not count.
    assert intensity_loss(predicted, annotated).item() == pytest.approx((0.125 + 2.5) / 2)
    assert intensity_loss(predicted, torch.full((1, 3), math.nan)).item() == 0


def test_landmarks_are_off_by_their_mean_distance_in_twentieths_and_unknown_ones_do_not_count():
    found = torch.tensor([[[0.5, 0.5], [0.2, 0.9]]])
    places = torch.tensor([[[0.55, 0.4], [math.nan, math.nan]]])
    assert landmark_loss(found, places).item() == pytest.approx(20 * (0.05 + 0.1) / 2)
    assert landmark_loss(found, torch.full_like(found, math.nan)).item() == 0
