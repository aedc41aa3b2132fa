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
    """Arrays over words begin with T here, so that one word's part is contiguous."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        word_gates, features, keys, hidden, cell, hidden_weight, score_weight, state_weight = tensors
        sequences, words, width = *word_gates.shape[:2], hidden.shape[1]
        dim = features.shape[2]
        inputs = features.new_empty(words, sequences, dim + width)  # what is attended, and the state before
        hiddens = features.new_empty(words, sequences, width)
        gates = features.new_empty(words, sequences, 4 * width)
        cells = features.new_empty(words + 1, sequences, width)
        attention = features.new_empty(words, sequences, features.shape[1])
        cells[0] = cell
        for word in range(words):
            matches = _matches(keys, hidden, hidden_weight)
            attention[word] = (matches @ score_weight).softmax(1)
            inputs[word, :, :dim] = (attention[word, :, None] @ features).squeeze(1)
            inputs[word, :, dim:] = hidden
            raw = torch.addmm(word_gates[:, word], inputs[word], state_weight.T)
            write, forget, update, read = torch.sigmoid(raw).chunk(4, dim=1)
            update = raw[:, 2 * width : 3 * width].tanh()
            gates[word] = torch.cat([write, forget, update, read], 1)
            cell = forget * cell + write * update
            cells[word + 1] = cell
            hidden = torch.mul(read, cell.tanh(), out=hiddens[word])
        ctx.save_for_backward(
            features, keys, hidden_weight, score_weight, state_weight, inputs, gates, cells, attention
        )
        return hiddens, attention

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, hidden_slopes: Tensor, attention_slopes: Tensor) -> Sequence[Tensor]:
        features, keys, hidden_weight, score_weight, state_weight, inputs, gates, cells, attention = ctx.saved_tensors
        words, sequences, dim = len(inputs), features.shape[0], features.shape[2]
        gate_slopes = torch.empty_like(gates)
        query_slopes = features.new_empty(words, sequences, dim)
        attended_slopes = features.new_empty(words, sequences, dim)
        key_slopes, score_slopes = torch.zeros_like(keys), torch.zeros_like(score_weight)
        hidden_slope = torch.zeros_like(inputs[0, :, dim:])
        cell_slope = torch.zeros_like(cells[0])
        for word in reversed(range(words)):
            write, forget, update, read = gates[word].chunk(4, dim=1)
            bent = cells[word + 1].tanh()
            hidden_slope = hidden_slope + hidden_slopes[word]
            cell_slope = cell_slope + hidden_slope * read * (1 - bent * bent)
            torch.cat(
                [
                    cell_slope * update * write * (1 - write),
                    cell_slope * cells[word] * forget * (1 - forget),
                    cell_slope * write * (1 - update * update),
                    hidden_slope * bent * read * (1 - read),
                ],
                1,
                out=gate_slopes[word],
            )
            cell_slope = cell_slope * forget
            attended, hidden_slope = (gate_slopes[word] @ state_weight).split([dim, inputs.shape[2] - dim], 1)
            attended_slopes[word] = attended
            weights = attention[word]
            weight_slopes = (features @ attended[:, :, None]).squeeze(2) + attention_slopes[word]  # (S, L)
            slopes = weights * (weight_slopes - (weights * weight_slopes).sum(1, keepdim=True))
            matches = _matches(keys, inputs[word, :, dim:], hidden_weight)
            score_slopes += slopes.flatten() @ matches.flatten(0, 1)
            # Where a match is above 0, the ReLU lets its slope pass.
            passed = matches.sign_().mul_(slopes[:, :, None]).mul_(score_weight)
            key_slopes += passed
            torch.sum(passed, 1, out=query_slopes[word])
            hidden_slope = torch.addmm(hidden_slope, query_slopes[word], hidden_weight)
        before = inputs[:, :, dim:].flatten(0, 1)
        return (
            gate_slopes.transpose(0, 1),
            attention.permute(1, 2, 0) @ attended_slopes.transpose(0, 1),
            key_slopes,
            hidden_slope,
            cell_slope,
            query_slopes.flatten(0, 1).T @ before,
            score_slopes,
            gate_slopes.flatten(0, 1).T @ inputs.flatten(0, 1),
        )


def _matches(keys: Tensor, hidden: Tensor, hidden_weight: Tensor) -> Tensor:
    """Return ReLU(W^v V + W^h h), (S, L, d)."""
    return (keys + (hidden @ hidden_weight.T)[:, None]).relu_()
