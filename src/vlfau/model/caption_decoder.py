"""The caption decoder: an LSTM with soft attention over the face (section 3.2.1, Eq. 4 to 6)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.taught_captions import taught_states

__all__ = ["CaptionDecoder", "CaptionStart", "CaptionStep", "StepTables", "TaughtCaptions"]


@dataclass(frozen=True)
class CaptionStart:
    """Values computed once per sequence.

    Attributes:
        keys: (S, L, a), the features mapped for the attention (W^v V in Eq. 4).
        hidden: (S, h), the first hidden state.
        cell: (S, h), the first cell state.
    """

    keys: Tensor
    hidden: Tensor
    cell: Tensor


@dataclass(frozen=True)
class StepTables:
    """Values shared by all steps: each word's part of the gates (W, 4h), and the weights of the other parts."""

    word_gates: Tensor
    state_weight: Tensor


@dataclass(frozen=True)
class CaptionStep:
    """The decoder after one word: `logits` (S, K, W), states (S, K, h), `attention_weights` (S, K, L)."""

    logits: Tensor
    hidden: Tensor
    cell: Tensor
    attention_weights: Tensor


@dataclass(frozen=True)
class TaughtCaptions:
    """The decoder over whole given captions: `logits` (S, T, W) and `attention_weights` (S, T, L)."""

    logits: Tensor
    attention_weights: Tensor


class CaptionDecoder(nn.Module):
    """Describe features in words, one word after the other.

    The attention is Eq. 4. Eq. 5 prints the cell's input as the attended feature and the last hidden state;
    Eq. 10 and 11 condition on the earlier words too, so the previous word's embedding joins it, as in "Show,
    Attend and Tell" (Xu et al., ICML 2015), whose first states this decoder also has: linear maps of the mean
    feature. Dimensions: S sequences, K hypotheses each, T words, L locations, W vocabulary.
    """

    def __init__(self, *, vocabulary_size: int, feature_dim: int, hidden_dim: int, embedding_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.attend_features = nn.Linear(feature_dim, feature_dim)  # W^v
        self.attend_hidden = nn.Linear(hidden_dim, feature_dim, bias=False)  # W^h
        self.attend_score = nn.Linear(feature_dim, 1, bias=False)  # W^a
        self.first_hidden = nn.Linear(feature_dim, hidden_dim)
        self.first_cell = nn.Linear(feature_dim, hidden_dim)
        self.gates = nn.Linear(feature_dim + embedding_dim + hidden_dim, 4 * hidden_dim)
        self.vocabulary_scores = nn.Linear(hidden_dim, vocabulary_size)  # W^s

    def start(self, features: Tensor) -> CaptionStart:
        """Prepare the captions of `features` (S, L, d)."""
        mean = features.mean(1)
        return CaptionStart(
            keys=self.attend_features(features),
            hidden=torch.tanh(self.first_hidden(mean)),
            cell=torch.tanh(self.first_cell(mean)),
        )

    def tables(self) -> StepTables:
        """Prepare `step`; the weights must not change until it is done."""
        return StepTables(self._word_gates(self.embedding.weight), self._state_weight())

    def step(
        self,
        token_ids: Tensor,
        hidden: Tensor,
        cell: Tensor,
        features: Tensor,
        keys: Tensor,
        *,
        tables: StepTables | None = None,
    ) -> CaptionStep:
        """Advance every hypothesis by one word.

        Args:
            token_ids: (S, K), the previous words.
            hidden: (S, K, h).
            cell: (S, K, h).
            features: (S, L, d).
            keys: (S, L, d), from `start`.
            tables: From `tables`; None computes them (in an exported graph, once).
        """
        tables = tables or self.tables()
        word_gates = F.embedding(token_ids, tables.word_gates)
        hidden, cell, weights = self._advance(word_gates, tables.state_weight, (hidden, cell), features, keys)
        return CaptionStep(self.vocabulary_scores(hidden), hidden, cell, weights)

    def forward(self, features: Tensor, token_ids: Tensor) -> TaughtCaptions:
        """Score every next word of given captions (teacher forcing).

        Args:
            features: (S, L, d).
            token_ids: (S, T), the captions from the start token on, without their last word.
        """
        start = self.start(features)
        states, attention = taught_states(
            self._word_gates(self.embedding(token_ids)),
            features,
            start.keys,
            (start.hidden, start.cell),
            hidden_weight=self.attend_hidden.weight,
            score_weight=self.attend_score.weight[0],
            state_weight=self._state_weight(),
        )
        return TaughtCaptions(self.vocabulary_scores(states), attention)

    def _word_gates(self, embedded: Tensor) -> Tensor:
        """Return the contribution of words (..., e) to the gates (..., 4h), with the bias."""
        first = self.attend_hidden.out_features
        return F.linear(embedded, self.gates.weight[:, first : first + self.embedding.embedding_dim], self.gates.bias)

    def _state_weight(self) -> Tensor:
        """Return the gates' weights of the attended feature and the last hidden state, (4h, d + h)."""
        feature_dim, hidden_dim = self.attend_hidden.out_features, self.attend_hidden.in_features
        return torch.cat([self.gates.weight[:, :feature_dim], self.gates.weight[:, -hidden_dim:]], dim=1)

    def _advance(
        self, word_gates: Tensor, state_weight: Tensor, state: tuple[Tensor, Tensor], features: Tensor, keys: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        hidden, cell = state
        queries = self.attend_hidden(hidden)  # (S, K, d)
        # In place: this is the largest array of a step.
        matches = F.relu(keys[:, None] + queries[:, :, None], inplace=True)  # (S, K, L, d)
        scores = self.attend_score(matches)  # (S, K, L, 1)
        weights = scores.squeeze(3).softmax(2)
        attended = weights @ features  # (S, K, d)
        gates = F.linear(torch.cat([attended, hidden], dim=2), state_weight) + word_gates
        write, forget, update, read = gates.chunk(4, dim=2)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(update)
        hidden = torch.sigmoid(read) * torch.tanh(cell)
        return hidden, cell, weights
