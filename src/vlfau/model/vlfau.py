"""VL-FAU: the stem, the AU branches and the two language models, wired together (Figure 2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vlfau.errors import ConfigError
from vlfau.model.caption_decoder import CaptionDecoder
from vlfau.model.classifier import AUClassifier, AUIntensity, AUOutput, rescale
from vlfau.model.facemesh_v2 import FaceMeshV2
from vlfau.model.landmarks import LandmarkBranch, LandmarkOutput
from vlfau.model.movements import MovementBranch, MovementOutput
from vlfau.model.refinement import DAIR, Refinement, pool_cells
from vlfau.model.score_conditioning import FeatureShift, ScoreConditioning
from vlfau.model.stem import Stem

__all__ = ["VISION_PARTS", "VLFAU", "JointOutput", "VisionOutput"]

VISION_PARTS = ("stem", "refinement", "classifier", "intensity_head", "landmark_branch", "movement_branch")
"""The modules of the vision half; the others are the language half."""


@dataclass(frozen=True)
class VisionOutput:
    """Output of the vision half for a batch of faces.

    Attributes:
        features: (B, H, W, d), V on its grid.
        refinement: How every branch weighs V.
        branch_scores: The branches' scores.
        by_landmarks: The landmarks and their scores; None without that branch.
        told: Shift of the captions' features by the scores; None without it.
        by_movements: Scores of networks that learned from photographs; None without that branch.
        caption_pooling: Cells along a side of the grid that captions see as one.
        on_crop: Interpolates maps of V's grid (..., H, W) on a grid that covers the crop; None if V's does.
        weights: (P, 1, N), how much each part counts for each AU: the branches, the landmarks, both heads of the
            movements, and the map, of those that there are; None counts all alike.
    """

    features: Tensor
    refinement: Refinement
    branch_scores: AUOutput
    by_landmarks: LandmarkOutput | None = None
    told: FeatureShift | None = None
    by_movements: MovementOutput | None = None
    weights: Tensor | None = None
    caption_pooling: int = 1
    on_crop: Callable[[Tensor], Tensor] | None = None

    @property
    def scores(self) -> AUOutput:
        """The scores of all parts together."""
        parts = [self.branch_scores]
        if self.by_landmarks is not None:
            parts.append(self.by_landmarks.scores)
        if self.by_movements is not None:
            parts += self.by_movements.parts
        return AUOutput.mean(*parts, weights=self.weights)

    @property
    def au_logits(self) -> Tensor:
        """Logits of occurrence, (B, N)."""
        return self.scores.logits

    @property
    def au_intensities(self) -> Tensor | None:
        """Intensities from 0 to 5, (B, N); None without the head."""
        return self.scores.intensities

    @property
    def au_sides(self) -> Tensor | None:
        """Probability and intensity of the subject's own left, then right, (B, N, 2, 2); None without that head.

        The stronger side's are those of the AU.
        """
        shares = self.by_movements.sides if self.by_movements is not None else None
        if shares is None:
            return None
        scores = self.scores
        probs = shares.occurrence * scores.logits.sigmoid()[..., None]
        intensities = shares.intensity * (0 if scores.intensities is None else scores.intensities[..., None])
        return torch.stack([probs, intensities], dim=3)

    @property
    def stem_features(self) -> Tensor:
        """V, (B, L, d)."""
        return self.features.flatten(1, 2)

    def __getitem__(self, faces: slice) -> "VisionOutput":
        """Return the output of some of the faces; the shift for captions is added later."""
        return replace(
            self,
            features=self.features[faces],
            refinement=self.refinement[faces],
            branch_scores=self.branch_scores[faces],
            by_landmarks=self.by_landmarks[faces] if self.by_landmarks is not None else None,
            by_movements=self.by_movements[faces] if self.by_movements is not None else None,
            told=None,
        )

    def au_features(self, branches: Tensor | None = None) -> Tensor:
        """Return the input of local captions: V refined by every branch, pooled, and shifted by the scores.

        Args:
            branches: (B, N'), the branches wanted for every face; None for all N.

        Returns:
            (B, N', L', d), L' = L / `caption_pooling`^2.
        """
        refined = self.refinement.refine(self.features, branches, pooling=self.caption_pooling)
        shifts = self.told.local if self.told is not None else None
        if shifts is None:
            return refined
        if branches is not None:
            shifts = shifts.gather(1, branches[..., None].expand(-1, -1, shifts.shape[2]))
        return refined + shifts[:, :, None]

    @property
    def pooled_features(self) -> Tensor:
        """V as captions see it, (B, L', d)."""
        return pool_cells(self.features, self.caption_pooling).flatten(1, 2)

    @property
    def face_features(self) -> Tensor:
        """The input of global captions: V, (B, L', d), pooled, and shifted by the scores."""
        shift = self.told.face if self.told is not None else None
        return self.pooled_features if shift is None else self.pooled_features + shift[:, None]

    @property
    def attention_maps(self) -> Tensor:
        """The branches' spatial attention on a grid that covers the crop, (B, N, H, W); all ones without DAIR."""
        maps = self.refinement.attention_maps
        return maps if self.on_crop is None else self.on_crop(maps)


@dataclass(frozen=True)
class JointOutput:
    """Everything that the joint loss needs; None for the parts that are switched off.

    Attributes:
        vision: The vision half.
        local_logits: (B, N', T, W), scores of the local captions' next words.
        global_logits: (B, T, W), scores of the global captions' next words.
        global_au_logits: (B, N), the AU states as the global language model's attention shows them.
    """

    vision: VisionOutput
    local_logits: Tensor | None
    global_logits: Tensor | None
    global_au_logits: Tensor | None


class VLFAU(nn.Module):
    """The end-to-end network for AU recognition with explanations.

    Args:
        stem: Maps crops to V.
        classifier: One logit per AU.
        refinement: DAIR; None leaves every branch with V itself.
        local_decoder: Captions of single AUs, its weights shared by all branches; None switches them off.
        global_decoder: Captions of the whole face; None switches them off.
        global_classifier: AU states from the global decoder's attended feature; goes with `global_decoder`.
        intensity_head: One intensity per AU; None leaves them out.
        landmark_branch: Landmarks, and scores from them and their surroundings; None leaves them out.
        movement_branch: Scores from networks that learned from photographs; None leaves it out. With it, the
            parts' scores are weighted by AU.
        told_scores: Conditions the caption decoders on the scores; None leaves it out.
        mirrored: Whether scores are the mean of a face's and its mirror image's while the network does not train.
        caption_pooling: Cells along a side of V's grid that captions see as one.
        num_aus: N.
    """

    def __init__(
        self,
        *,
        stem: Stem,
        classifier: AUClassifier,
        refinement: DAIR | None,
        local_decoder: CaptionDecoder | None,
        global_decoder: CaptionDecoder | None,
        global_classifier: nn.Linear | None,
        num_aus: int,
        intensity_head: AUIntensity | None = None,
        landmark_branch: LandmarkBranch | None = None,
        movement_branch: MovementBranch | None = None,
        told_scores: ScoreConditioning | None = None,
        mirrored: bool = False,
        caption_pooling: int = 1,
    ) -> None:
        super().__init__()
        if local_decoder is not None and refinement is None:
            raise ConfigError(
                "local captions need DAIR: without it all branches are alike, and one shared decoder can't tell "
                "their AUs apart; switch dair on or local_language off"
            )
        self.stem, self.classifier, self.refinement = stem, classifier, refinement
        self.local_decoder, self.global_decoder = local_decoder, global_decoder
        self.global_classifier, self.intensity_head = global_classifier, intensity_head
        self.landmark_branch, self.told_scores = landmark_branch, told_scores
        self.movement_branch = movement_branch
        self.num_aus, self.mirrored, self.caption_pooling = num_aus, mirrored, caption_pooling
        weights = None
        if movement_branch is not None:
            parts = 4 if landmark_branch is None else 5
            weights = torch.full((parts, 1, num_aus), 1 / parts)
        self.register_buffer("part_weights", weights)
        self.vision_frozen = False

    part_weights: Tensor | None

    def rescale_logits(self, column: int, slope: float, shift: float) -> None:
        """Rescale the weights so that each AU's new logit is `slope` times the old one plus `shift`."""
        self.rescale_own_logits(column, slope, shift)
        if self.movement_branch is not None:
            self.movement_branch.rescale_logits(column, slope, shift)

    def rescale_own_logits(self, column: int, slope: float, shift: float) -> None:
        """Rescale every part, and so their mean."""
        rescale(self.classifier.linear, column, slope, shift)
        if self.landmark_branch is not None:
            rescale(self.landmark_branch.scores_layer, column, slope, shift)

    def freeze_vision(self) -> None:
        """Leave the vision half as it is, its running statistics too, while the rest trains."""
        self.vision_frozen = True
        for part in self._vision_parts():
            part.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "VLFAU":
        """Switch between training and evaluation; a frozen vision half stays in evaluation."""
        super().train(mode)
        if self.vision_frozen:
            for part in self._vision_parts():
                part.eval()
        return self

    def _vision_parts(self) -> list[nn.Module]:
        return [part for name, part in self.named_children() if name in VISION_PARTS]

    def encode(self, crops: Tensor) -> VisionOutput:
        """Run the vision half on aligned faces.

        Args:
            crops: (B, 3, S, S), RGB in [0, 255], any dtype.
        """
        vision = self._encode_both(crops) if self.mirrored and not self.training else self._encode(crops)
        return vision if self.told_scores is None else replace(vision, told=self.told_scores(vision.scores))

    def _encode_both(self, crops: Tensor) -> VisionOutput:
        """Encode faces and their mirror images; maps and features, which captions describe, are those of the faces."""
        count = crops.shape[0]
        both = self._encode(torch.cat([crops, crops.flip(3)]))
        own, mirrored = both[:count], both[count:]
        by_landmarks = own.by_landmarks
        if by_landmarks is not None and mirrored.by_landmarks is not None:
            scores = AUOutput.mean(by_landmarks.scores, mirrored.by_landmarks.scores)
            by_landmarks = replace(by_landmarks, scores=scores)
        by_movements = own.by_movements
        if by_movements is not None and mirrored.by_movements is not None:
            by_movements = by_movements.mean(mirrored.by_movements)
        branch_scores = AUOutput.mean(own.branch_scores, mirrored.branch_scores)
        return replace(own, branch_scores=branch_scores, by_landmarks=by_landmarks, by_movements=by_movements)

    def _encode(self, crops: Tensor) -> VisionOutput:
        branch, backbone = self.movement_branch, self.stem.backbone
        seen = branch.mesh(crops) if branch is not None else None
        if seen is not None and isinstance(backbone, FaceMeshV2):
            levels = backbone.standardise(seen, pooled=self.landmark_branch is None)
        else:
            levels = self.stem.extract(crops)
        features = self.stem.merge(levels)  # (B, H, W, d)
        refinement = self.refinement(features) if self.refinement is not None else self._no_refinement(features)
        pooled = refinement.refine_and_pool(features.flatten(1, 2))  # (B, N, d)
        intensities = self.intensity_head(pooled) if self.intensity_head is not None else None
        return VisionOutput(
            features,
            refinement,
            AUOutput(self.classifier(pooled), intensities),
            self.landmark_branch(levels) if self.landmark_branch is not None else None,
            by_movements=branch(seen) if branch is not None and seen is not None else None,
            weights=self.part_weights if branch is not None else None,
            caption_pooling=self.caption_pooling,
            on_crop=backbone.on_crop if isinstance(backbone, FaceMeshV2) else None,
        )

    def forward(
        self,
        crops: Tensor,
        local_tokens: Tensor | None = None,
        global_tokens: Tensor | None = None,
        local_branches: Tensor | None = None,
    ) -> JointOutput:
        """Encode faces and score their captions (teacher forcing).

        Args:
            crops: (B, 3, S, S), RGB in [0, 255].
            local_tokens: (B, N', T), the local captions from the start token on, without their last word.
            global_tokens: (B, T), the global captions likewise.
            local_branches: (B, N'), the branches whose captions `local_tokens` holds; None for all N.
        """
        vision = self.encode(crops)
        local_logits = global_logits = global_au_logits = None
        if self.local_decoder is not None and local_tokens is not None:
            features = vision.au_features(local_branches)  # (B, N', L, d)
            taught = self.local_decoder(features.flatten(0, 1), local_tokens.flatten(0, 1))
            local_logits = taught.logits.unflatten(0, local_tokens.shape[:2])
        if self.global_decoder is not None and global_tokens is not None:
            taught = self.global_decoder(vision.face_features, global_tokens)
            global_logits = taught.logits
            if self.global_classifier is not None:
                words = (global_tokens != 0)[..., None]  # (B, T, 1); the padding's id is 0
                attention = (taught.attention_weights * words).sum(1) / words.sum(1)  # (B, L)
                attended = attention[:, None] @ vision.pooled_features  # (B, 1, d)
                global_au_logits = self.global_classifier(attended.squeeze(1))
        return JointOutput(vision, local_logits, global_logits, global_au_logits)

    def _no_refinement(self, features: Tensor) -> Refinement:
        batch, height, width, channels = features.shape
        return Refinement(
            channel_attention=features.new_ones(batch, self.num_aus, channels),
            attention_maps=features.new_ones(batch, self.num_aus, height, width),
        )
