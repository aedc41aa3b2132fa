"""The equations written as plainly as the paper prints them, one AU and one word at a time."""

import torch
from torch import Tensor

from vlfau.model.caption_decoder import CaptionDecoder
from vlfau.model.classifier import AUClassifier
from vlfau.model.refinement import DAIR


def refine_one_by_one(module: DAIR, stem_features: Tensor) -> tuple[Tensor, Tensor]:
    """Eq. 2 and 3 in a loop over the branches, of V (B, H, W, d): features (B, N, L, d), maps (B, N, H, W)."""
    refined, maps = [], []
    assert module.spatial.bias is not None
    stem_features = stem_features.permute(0, 3, 1, 2)  # (B, d, H, W)
    for branch in range(len(module.squeeze.weight)):

        def mlp(pooled: Tensor, branch: int = branch) -> Tensor:
            hidden = torch.relu(pooled @ module.squeeze.weight[branch] + module.squeeze.bias[branch])
            return hidden @ module.excite.weight[branch] + module.excite.bias[branch]

        channel = torch.sigmoid(mlp(stem_features.amax((2, 3))) + mlp(stem_features.mean((2, 3))))
        by_channel = channel[:, :, None, None] * stem_features
        statistics = torch.stack([by_channel.amax(1), by_channel.mean(1)], dim=1)
        kernel, bias = module.spatial.weight[branch : branch + 1], module.spatial.bias[branch : branch + 1]
        spatial = torch.sigmoid(torch.conv2d(statistics, kernel, bias, padding=1))
        refined.append((spatial * by_channel).flatten(2).transpose(1, 2))
        maps.append(spatial[:, 0])
    return torch.stack(refined, 1), torch.stack(maps, 1)


def classify_one_by_one(module: AUClassifier, au_features: Tensor) -> Tensor:
    """One fully connected layer a branch, in a loop."""
    logits = [
        au_features[:, branch].mean(1) @ module.linear.weight[branch] + module.linear.bias[branch]
        for branch in range(au_features.shape[1])
    ]
    return torch.cat(logits, 1)


def read_word_by_word(module: CaptionDecoder, features: Tensor, token_ids: Tensor) -> Tensor:
    """Eq. 4 to 6 for one sequence: features (L, d), token_ids (T,); returns logits (T, W)."""
    mean = features.mean(0)
    hidden, cell = torch.tanh(module.first_hidden(mean)), torch.tanh(module.first_cell(mean))
    logits = []
    for token_id in token_ids:
        scores = [
            module.attend_score(torch.relu(module.attend_features(place) + module.attend_hidden(hidden)))
            for place in features
        ]
        weights = torch.cat(scores).softmax(0)
        attended = sum(weight * place for weight, place in zip(weights, features, strict=True))
        gates = module.gates(torch.cat([attended, module.embedding(token_id), hidden]))
        write, forget, update, read = gates.chunk(4)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(update)
        hidden = torch.sigmoid(read) * torch.tanh(cell)
        logits.append(module.vocabulary_scores(hidden))
    return torch.stack(logits)
