"""KS: knowledge of a few labelled frames spreads over their clips.

Li, Zhang, Wang and Yin, "Knowledge-Spreader: Learning Semi-Supervised Facial Action Dynamics by Consistifying Knowledge
Granularity", ICCV 2023.

- Sparse labels: of each clip only one key frame counts as labelled.
- Teacher: a spatial network; AU features under learned attention go through a transformer over AUs, whose knowledge of
  AU dependencies comes from the key frames alone.
- Student: the same AU features through a transformer over the clip's frames, one sequence per AU.
- Spreading: for the other frames the teacher's probabilities are targets of the student (distillation), those near 0
  and 1 as labels (pseudo-labelling), each weighed by the nearness to the key frame, exp(-|t - key| / T).
- Consistent granularity: the student's matrix of similarities between AUs is held to the teacher's, frame by frame, so
  that structure passes from space to time, and not scores alone.
- Prediction is the student's; teacher and student learn at once.

Checked against the abstract of its preprint (arXiv:2203.16678); no public code was found. It says that clips have one
label, that spatial knowledge spreads from labelled frames to the others and the temporal one is completed, and that
several students learn by consistency and pseudo-labels in turn. It does not say how they take turns; teacher,
distillation and granularity are the published version's, from general knowledge; the transformers, the nearness and the
loss on structure are ours.

Differences: one student learns beside the teacher, for the turns of several were not to be had; the key frame is
the middle one; labels near 0 or 1 are those below .1 and above .9; all terms but the last weigh 1, and that one .1;
prediction sees single pictures, a clip of one frame. The table says that this method learns from one label in T.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import FineFeatures, TransformerBlock, attend, conv_block, linear_scores, masked_mean

__all__ = ["KS"]

SURE = 0.9
STRUCTURE_WEIGHT = 0.1


class KS(Rival):
    """A teacher in space and a student in time, with one label per clip.

    Args:
        setup: Sizes.
        width: Channels of an AU's features.
        heads: Attention heads.
        clip_length: T.
    """

    published = ("KS",)
    clip_length = 8

    def __init__(self, setup: RivalSetup, *, width: int = 64, heads: int = 4, clip_length: int = 8) -> None:
        super().__init__()
        self.clip_length = clip_length
        self.features = FineFeatures(setup, width)
        self.attention = nn.Sequential(conv_block(width, width), nn.Conv2d(width, setup.num_aus, 1))
        self.au_embedding = nn.Parameter(0.02 * torch.randn(setup.num_aus, width))
        self.time_embedding = nn.Parameter(0.02 * torch.randn(clip_length, width))
        self.teacher, self.student = TransformerBlock(width, heads), TransformerBlock(width, heads)
        self.teacher_scores = linear_scores(num_aus=setup.num_aus, in_dim=width)
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs as the student does, with the teacher's `teacher_logits` and both's `structure` (B, N, N)."""
        features = self.features(inputs)
        maps = self.attention(features).sigmoid()
        nodes = attend(maps, features) + self.au_embedding  # (B, N, C)
        taught = self.teacher(nodes)
        length = inputs.clip_length
        middle = (self.clip_length - length) // 2
        times = self.time_embedding[middle : middle + length]
        clips = torch.unflatten(nodes, 0, (-1, length)) + times[:, None]  # (clips, T, N, C)
        sequences = self.student(clips.transpose(1, 2).flatten(0, 1))  # (clips * N, T, C)
        learned = sequences.unflatten(0, (-1, nodes.shape[1])).transpose(1, 2).flatten(0, 1)  # (B, N, C)
        extras = {
            "teacher_logits": self.teacher_scores(taught),
            "teacher_structure": _structure(taught),
            "student_structure": _structure(learned),
        }
        return RivalOutput(self.scores(learned), maps, extras)

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the losses of teacher and student on key frames, and those that spread to the others."""
        length = self.clip_length if self.training else 1
        faces = torch.arange(output.au_logits.shape[0], device=output.au_logits.device)
        distance = (faces % length - length // 2).abs()[:, None]  # (B, 1)
        is_key, nearness = distance == 0, torch.exp(-distance / length)
        labelled = targets.valid_mask & is_key

        def on_keys(logits: Tensor) -> Tensor:
            each = F.binary_cross_entropy_with_logits(logits, targets.occurrence, targets.weights, reduction="none")
            return masked_mean(each, labelled)

        terms = {"fau": on_keys(output.au_logits), "teacher": on_keys(output.extras["teacher_logits"])}
        if length == 1:
            return terms
        others = (~is_key).expand_as(labelled)
        probs = output.extras["teacher_logits"].detach().sigmoid()
        soft = F.binary_cross_entropy_with_logits(output.au_logits, probs, reduction="none")
        hard = F.binary_cross_entropy_with_logits(output.au_logits, (probs > 0.5).float(), reduction="none")
        is_sure = others & ((probs > SURE) | (probs < 1 - SURE))
        gap = output.extras["student_structure"] - output.extras["teacher_structure"].detach()
        return terms | {
            "distil": masked_mean(nearness * soft, others),
            "pseudo": masked_mean(nearness * hard, is_sure),
            "structure": STRUCTURE_WEIGHT * gap.square().mean(),
        }


def _structure(nodes: Tensor) -> Tensor:
    """Return the similarities (B, N, N) of AUs (B, N, C)."""
    unit = F.normalize(nodes, dim=2)
    return unit @ unit.transpose(1, 2)
