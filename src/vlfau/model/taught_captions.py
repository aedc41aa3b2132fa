"""The caption decoder over whole given captions, with its gradients written out.

Automatic differentiation would add to the gradient of every weight at every word, and keep what the attention compares
at every word in memory. Here the weights' gradients are one product over all words at the end, and the comparisons are
computed again.

Dimensions: S sequences, T words, L locations, d features, h the state's width.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["taught_states"]


def taught_states(
    word_gates: Tensor,
    features: Tensor,
    keys: Tensor,
    state: tuple[Tensor, Tensor],
    *,
    hidden_weight: Tensor,
    score_weight: Tensor,
    state_weight: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the hidden state (S, T, h) and the attention (S, T, L) after every word; Eq. 4 and 5.

    Under autocast, products have its type, as those of layers do.

    Args:
        word_gates: (S, T, 4h), each word's part of the gates, with their bias.
        features: (S, L, d).
        keys: (S, L, d), W^v V of Eq. 4.
        state: The first hidden state and cell, each (S, h).
        hidden_weight: (d, h), W^h.
        score_weight: (d,), W^a.
        state_weight: (4h, d + h), the gates' weights of the attended feature and the last hidden state.
    """
    tensors = (word_gates, features, keys, *state, hidden_weight, score_weight, state_weight)
    kind = features.device.type
    if torch.is_autocast_enabled(kind):
        tensors = tuple(each.to(torch.get_autocast_dtype(kind)) for each in tensors)  # type: ignore[assignment]
    with torch.autocast(kind, enabled=False):
        hidden, attention = _TaughtStates.apply(*tensors)
    return hidden.transpose(0, 1), attention.transpose(0, 1)


class _TaughtStates(torch.autograd.Function):
    """Arrays over words begin with T here, so that one word's part is contiguous.

    A word's part is so small that the number of operations decides its time: what does not depend on the word before is
    computed for all words at once.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        word_gates, features, keys, hidden, cell, hidden_weight, score_weight, state_weight = tensors
        sequences, words, width = *word_gates.shape[:2], hidden.shape[1]
        dim = features.shape[2]
        inputs = features.new_empty(words + 1, sequences, dim + width)  # what is attended, and the state before
        inputs[0, :, dim:] = hidden
        gates = word_gates.transpose(0, 1).clone(memory_format=torch.contiguous_format)
        cells = features.new_empty(words + 1, sequences, width)
        cells[0] = cell
        bent = features.new_empty(words, sequences, width)  # tanh of the cell after every word
        queries = features.new_empty(words, sequences, dim)
        attention = features.new_empty(words, sequences, features.shape[1])
        for word in range(words):
            state, gate, weights = inputs[word], gates[word], attention[word]
            torch.mm(state[:, dim:], hidden_weight.T, out=queries[word])
            torch.softmax((keys + queries[word, :, None]).relu_() @ score_weight, 1, out=weights)
            state[:, :dim] = (weights[:, None] @ features)[:, 0]
            gate.addmm_(state, state_weight.T)
            gate[:, : 2 * width].sigmoid_()
            gate[:, 2 * width : 3 * width].tanh_()
            gate[:, 3 * width :].sigmoid_()
            write, forget, update, read = gate.chunk(4, dim=1)
            torch.mul(forget, cells[word], out=cells[word + 1]).addcmul_(write, update)
            torch.tanh(cells[word + 1], out=bent[word])
            torch.mul(read, bent[word], out=inputs[word + 1, :, dim:])
        ctx.save_for_backward(
            features, keys, hidden_weight, score_weight, state_weight, inputs, gates, cells, bent, queries, attention
        )
        return inputs[1:, :, dim:], attention

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, hidden_slopes: Tensor, attention_slopes: Tensor) -> Sequence[Tensor]:
        features, keys, hidden_weight, score_weight, state_weight, *saved = ctx.saved_tensors
        inputs, gates, cells, bent, queries, attention = saved
        width, dim = bent.shape[2], features.shape[2]
        write, forget, update, read = gates.chunk(4, dim=2)
        # By how much each gate's sum changes the cell (three) and the hidden state; then by how much the cell does.
        of_cell = torch.stack(
            [update * write * (1 - write), cells[:-1] * forget * (1 - forget), write * (1 - update * update)], 2
        )
        of_hidden = bent * read * (1 - read)
        cell_to_hidden = read * (1 - bent * bent)
        gate_slopes = torch.empty_like(gates)
        input_slopes = torch.empty_like(inputs[:-1])
        query_slopes = torch.empty_like(queries)
        key_slopes = torch.zeros_like(keys)
        hidden_slope, cell_slope = torch.zeros_like(bent[0]), torch.zeros_like(bent[0])
        # The score's weight is left out of the slopes of keys and queries until the end.
        scored_weight = score_weight[:, None] * hidden_weight
        for word in reversed(range(len(bent))):
            slopes, input_slope, weights = gate_slopes[word], input_slopes[word], attention[word]
            hidden_slope = hidden_slope + hidden_slopes[word]
            cell_slope = torch.addcmul(cell_slope, hidden_slope, cell_to_hidden[word])
            torch.mul(of_cell[word], cell_slope[:, None], out=slopes[:, : 3 * width].view(-1, 3, width))
            torch.mul(of_hidden[word], hidden_slope, out=slopes[:, 3 * width :])
            cell_slope = cell_slope * forget[word]
            torch.mm(slopes, state_weight, out=input_slope)
            attended = input_slope[:, :dim, None]
            weight_slopes = torch.baddbmm(attention_slopes[word, :, :, None], features, attended).squeeze(2)  # (S, L)
            score_slopes = torch._softmax_backward_data(weight_slopes, weights, 1, weights.dtype)
            # Where a match is above 0, the ReLU lets its slope pass.
            matches = keys + queries[word, :, None]
            passed = torch.ops.aten.threshold_backward(score_slopes[:, :, None], matches, 0)
            key_slopes += passed
            torch.sum(passed, 1, out=query_slopes[word])
            hidden_slope = torch.addmm(input_slope[:, dim:], query_slopes[word], scored_weight)
        before = inputs[:-1, :, dim:].flatten(0, 1)
        return (
            gate_slopes.transpose(0, 1),
            attention.permute(1, 2, 0) @ input_slopes[..., :dim].transpose(0, 1),
            key_slopes * score_weight,
            hidden_slope,
            cell_slope,
            (query_slopes * score_weight).flatten(0, 1).T @ before,
            # A match that passes is its key plus its query.
            (keys * key_slopes).sum((0, 1)) + (queries * query_slopes).sum((0, 1)),
            gate_slopes.flatten(0, 1).T @ inputs[:-1].flatten(0, 1),
        )
