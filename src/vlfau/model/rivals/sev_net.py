"""SEV-Net: what AUs' descriptions say guides where the network looks.

Yang, Yin, Zhou and Gu, "Exploiting Semantic Embedding and Visual Feature for Facial Action Unit Detection", CVPR 2021.

- Intra-AU attention: the words of each AU's description attend to each other; their weighted mean is the sentence.
- Inter-AU attention: the sentences attend to each other; the results are the AUs' semantic embeddings.
- Cross-modal attention: each embedding asks the face's features at every location, and the answer is the AU's attention
  map, a softmax over the locations.
- The mean of the features under the map is classified by AU; weighted cross entropy.

Checked against the abstract alone: neither public code nor the full text was found. It names the three kinds of
attention, and says that the maps of the last one weigh the features; the equations are this package's.

Differences: the paper's descriptions and word embeddings were not to be had, so the descriptions are this package's
canonical ones of the active AUs, and word embeddings are learned from scratch, so that the words' meaning has to come
from the data; attention has one head; the features are V and the backbone's second level.
"""

import torch
from torch import Tensor, nn

from vlfau.facs import AUState
from vlfau.language import Vocabulary, local_description
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup
from vlfau.model.rivals.parts import FineFeatures, linear_scores, scaled_dot_attention

__all__ = ["SEVNet"]


class SEVNet(Rival):
    """Descriptions, embedded by two attentions, ask the face's features.

    Args:
        setup: Sizes.
        width: Channels of words, sentences and features.
    """

    published = ("SEV-Net",)
    words: Tensor

    def __init__(self, setup: RivalSetup, *, width: int = 64) -> None:
        super().__init__()
        vocabulary = Vocabulary.for_aus(setup.au_ids)
        sentences = [vocabulary.encode(local_description(AUState(au_id, active=True))) for au_id in setup.au_ids]
        words = torch.full((setup.num_aus, max(map(len, sentences))), vocabulary.pad_id)
        for row, sentence in zip(words, sentences, strict=True):
            row[: len(sentence)] = torch.tensor(sentence)
        self.register_buffer("words", words, persistent=False)  # (N, T)
        self.register_buffer("is_word", words != vocabulary.pad_id, persistent=False)
        self.embed = nn.Embedding(len(vocabulary), width)
        self.place = nn.Parameter(0.02 * torch.randn(words.shape[1], width))
        self.intra, self.inter = _SelfAttention(width), _SelfAttention(width)
        self.weigh = nn.Linear(width, 1, bias=False)
        self.features = FineFeatures(setup, width)
        self.ask, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=width)

    is_word: Tensor

    def semantic_embeddings(self) -> Tensor:
        """Return what the descriptions of the AUs mean, (N, C)."""
        spoken = self.intra(self.embed(self.words) + self.place, self.is_word)  # (N, T, C)
        weights = self.weigh(spoken).masked_fill(~self.is_word[..., None], float("-inf")).softmax(1)
        sentences: Tensor = (weights * spoken).sum(1)
        embeddings: Tensor = self.inter(sentences)
        return embeddings

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs."""
        features = self.features(inputs)  # (B, C, H, W)
        located = features.flatten(2).transpose(1, 2)  # (B, L, C)
        attention = scaled_dot_attention(self.ask(self.semantic_embeddings())[None], self.key(located))  # (B, N, L)
        logits = self.scores(attention @ located)
        maps = attention / attention.amax(2, keepdim=True)
        return RivalOutput(logits, torch.unflatten(maps, 2, features.shape[-2:]))


class _SelfAttention(nn.Module):
    """Attention of each element to all, added to it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.value = nn.Linear(width, width), nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.normalise = nn.LayerNorm(width)

    def forward(self, elements: Tensor, known: Tensor | None = None) -> Tensor:
        """Return (..., T, C) of the same; elements that are not known, (..., T), are attended to by none."""
        scores = self.query(elements) @ self.key(elements).transpose(-1, -2) / elements.shape[-1] ** 0.5
        if known is not None:
            scores = scores.masked_fill(~known[..., None, :], float("-inf"))
        attended: Tensor = self.normalise(elements + scores.softmax(-1) @ self.value(elements))
        return attended
