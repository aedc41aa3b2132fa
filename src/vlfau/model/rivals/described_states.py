"""A control, not a method of the paper: a loss as large as that of language, without language.

VL-FAU's branches are trained to say what the descriptions say: state and degree of every AU. Here they classify just
that, from the same features through the same kind of attention: the local head, shared by all branches as the local
decoder is, from each branch's refined features; the global head from V, where the global decoder names the active AUs.
If words help only because they repeat state and degree, this control gains as much.

- Classes: absent, a trace at most, A to E, present to an unknown degree.
- Attention: a = softmax(w . tanh(W v)), the mean of v under it, one hidden layer, the classes.
- Loss: L_Fau + s (L_local + L_global), with cross entropies and s = ln(words) / ln(classes), so that untrained heads
  start at the size of the caption losses that they stand for.
- Words of a description follow from each other and classes do not, so the captions' losses soon fall below these. With
  `end_size`, e, each head's loss is scaled in every step to the size that a caption loss has at that share t of the
  training: e + (ln(words) - e) exp(-t / .17), which is the course of the captions' losses in trainings of 500 steps.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.facs import MAX_INTENSITY
from vlfau.language import Vocabulary
from vlfau.model.classifier import AUClassifier
from vlfau.model.refinement import DAIR
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import masked_mean

__all__ = ["DescribedStates", "described_classes"]

PRESENT = int(MAX_INTENSITY) + 1
"""The class of an active AU of unknown intensity; absent is 0, A to E are 1 to 5."""
TRACE = PRESENT + 1
NUM_CLASSES = TRACE + 1
FALL = 0.17
"""The share of a training after which 1/e of a caption loss's fall is still to come."""
TINY = 1e-6


class DescribedStates(Rival):
    """DAIR and the branches' classifiers, with two heads that classify what descriptions say.

    Args:
        setup: Sizes.
        hidden: Width of the heads.
        local: Whether there is the local head.
        face: Whether there is the global head.
        end_size: What a caption loss is at the end of a training, to hold the heads' losses to the captions' course;
            None to let them run their own.
    """

    def __init__(
        self,
        setup: RivalSetup,
        *,
        hidden: int = 128,
        local: bool = True,
        face: bool = True,
        end_size: float | None = None,
    ) -> None:
        super().__init__()
        aus, width = setup.num_aus, setup.feature_dim
        self.num_aus = aus
        self.start_size, self.end_size = math.log(len(Vocabulary.for_aus(setup.au_ids))), end_size
        self.scale = self.start_size / math.log(NUM_CLASSES)
        self.refinement = DAIR(num_aus=aus, feature_dim=width)
        self.classifier = AUClassifier(num_aus=aus, feature_dim=width)
        self.local = _AttentionHead(width, hidden, NUM_CLASSES) if local else None
        self.face = _AttentionHead(width, hidden, aus * NUM_CLASSES) if face else None

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs; in training with `local` and `face`, (B, N, classes)."""
        features = inputs.stem_features.flatten(1, 2)  # (B, L, d)
        refinement = self.refinement(inputs.stem_features)
        logits = self.classifier(refinement.refine_and_pool(features))
        extras: dict[str, Tensor] = {}
        if self.training:
            if self.local is not None:
                extras["local"] = self.local(refinement.refine(inputs.stem_features))
            if self.face is not None:
                extras["face"] = self.face(features).unflatten(1, (self.num_aus, NUM_CLASSES))
        return RivalOutput(logits, refinement.attention_maps, extras)

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss and those of the classes."""
        classes = described_classes(targets.occurrence, targets.intensity)
        terms = super().losses(output, targets)
        for name, logits in output.extras.items():
            each = F.cross_entropy(logits.permute(0, 2, 1), classes, reduction="none")  # (B, N)
            loss = masked_mean(each, targets.valid_mask)
            terms[name] = self._scale(loss.detach()) * loss
        return terms

    def _scale(self, loss: Tensor) -> Tensor | float:
        """Return by what a loss is multiplied: s, or what gives it the size of a caption loss at this time."""
        if self.end_size is None:
            return self.scale
        caption_loss = self.end_size + (self.start_size - self.end_size) * math.exp(-self.progress / FALL)
        return caption_loss / loss.clamp(min=TINY)


def described_classes(occurrence: Tensor, intensity: Tensor) -> Tensor:
    """Return the class of each description, (B, N), from occurrence and intensity, NaN where unknown."""
    level = intensity.nan_to_num().round().long()
    active = torch.where(intensity.isnan() | (level < 1), PRESENT, level)
    inactive = torch.where(level >= 1, TRACE, 0)
    return torch.where(occurrence > 0.5, active, inactive)


class _AttentionHead(nn.Module):
    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))
        self.classify = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Return (..., outputs) of features (..., L, d)."""
        attention = self.attend(features).softmax(-2)
        classes: Tensor = self.classify((attention * features).sum(-2))
        return classes
