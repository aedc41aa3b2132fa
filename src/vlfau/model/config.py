"""The network's configuration and the one place that turns it into modules."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from vlfau.errors import ConfigError
from vlfau.faces.pose import NUM_LANDMARKS
from vlfau.model.caption_decoder import CaptionDecoder
from vlfau.model.classifier import AUClassifier, AUIntensity
from vlfau.model.facemesh_v2 import FaceMeshV2, MeshReader
from vlfau.model.landmarks import LandmarkBranch
from vlfau.model.movements import MovementBranch
from vlfau.model.refinement import DAIR
from vlfau.model.score_conditioning import ScoreConditioning
from vlfau.model.stem import Stem, create_backbone
from vlfau.model.vlfau import VLFAU

__all__ = ["ModelConfig", "build_vlfau"]


@dataclass(frozen=True)
class ModelConfig:
    """Configuration of the network; the defaults are the paper's.

    Attributes:
        method: "vl-fau", or a rival of `vlfau.model.rivals.registry`, whose head then replaces all but the stem.
        method_options: Further arguments of that head.
        backbone: A timm model with four feature levels, or "facemesh" or "facemesh-v2", which the package ships.
        backbone_options: Further arguments of that model.
        crop_size: Side of the face crop that the network sees, in pixels.
        combined_dim: D, the width of the concatenated scales (Eq. 1).
        feature_dim: d, the width of V.
        hidden_dim: h, the width of the caption decoders' states.
        embedding_dim: Width of the word embeddings.
        multi_scale: MSC; off takes the deepest level alone.
        normalise: Batch normalisation of V; not in the paper, needed to train without pre-trained weights.
        dair: The refinement of every branch; off leaves one linear head per branch.
        local_language: LLGA, the captions of single AUs.
        global_language: GLGA, the caption of the face, and with it the global AU classifier.
        intensity: An intensity beside every AU's probability; not in the paper.
        landmarks: Number of landmarks that the network finds, to score AUs also by their positions and surroundings; 0
            leaves that branch out. Not in the paper.
        movements: Whether AUs are also scored from MediaPipe's mesh and blendshape networks, which learned from
            photographs and stay frozen. Not in the paper.
        sides: Whether `movements` also say how the left and the right side share every AU. Not in the paper.
        caption_pooling: Cells along a side of V's grid that captions see as one, their mean; a divisor of the grid's
            sides. Not in the paper, whose grid is small.
        mirrored: Whether prediction averages the scores of a face and of its mirror image, at twice the time.
            Not in the paper.
        told_scores: Whether the caption decoders are conditioned on the AUs' scores, so that words and numbers agree.
            Not in the paper.
    """

    backbone: str = "swin_base_patch4_window7_224"
    backbone_options: dict[str, Any] = field(default_factory=dict)
    crop_size: int = 224
    combined_dim: int = 1024
    feature_dim: int = 512
    hidden_dim: int = 512
    embedding_dim: int = 512
    multi_scale: bool = True
    normalise: bool = False
    dair: bool = True
    local_language: bool = True
    global_language: bool = True
    intensity: bool = False
    landmarks: int = 0
    movements: bool = False
    sides: bool = False
    caption_pooling: int = 1
    mirrored: bool = False
    told_scores: bool = False
    method: str = "vl-fau"
    method_options: dict[str, Any] = field(default_factory=dict)


def build_vlfau(config: ModelConfig, *, num_aus: int, vocabulary_size: int, stem_weights: Path | None = None) -> VLFAU:
    """Build the network.

    Args:
        config: Its configuration.
        num_aus: N.
        vocabulary_size: W.
        stem_weights: A local file of the backbone's pre-trained weights; None starts from scratch.

    Raises:
        ConfigError: The parts do not fit together.
    """
    if not 0 <= config.landmarks <= NUM_LANDMARKS:
        raise ConfigError(
            f"model.landmarks is {config.landmarks}; a face has 0 to {NUM_LANDMARKS}, give as many as the manifest"
        )
    if config.sides and not config.movements:
        raise ConfigError("model.sides needs model.movements, which knows the sides; switch it on, or sides off")
    if config.caption_pooling < 1:
        raise ConfigError(f"model.caption_pooling is {config.caption_pooling}; give 1 (every cell) or more")
    if config.told_scores and not (config.local_language or config.global_language):
        raise ConfigError(
            "model.told_scores needs a caption decoder; switch local_language or global_language on, or told_scores off"
        )

    def decoder(wanted: bool) -> CaptionDecoder | None:
        if not wanted:
            return None
        return CaptionDecoder(
            vocabulary_size=vocabulary_size,
            feature_dim=config.feature_dim,
            hidden_dim=config.hidden_dim,
            embedding_dim=config.embedding_dim,
        )

    backbone = create_backbone(
        config.backbone, crop_size=config.crop_size, weights=stem_weights, options=config.backbone_options
    )
    mesh = backbone.network.reader if isinstance(backbone.network, FaceMeshV2) else None
    return VLFAU(
        stem=Stem(
            backbone=backbone,
            combined_dim=config.combined_dim,
            feature_dim=config.feature_dim,
            multi_scale=config.multi_scale,
            normalise=config.normalise,
        ),
        classifier=AUClassifier(num_aus=num_aus, feature_dim=config.feature_dim),
        refinement=DAIR(num_aus=num_aus, feature_dim=config.feature_dim) if config.dair else None,
        local_decoder=decoder(config.local_language),
        global_decoder=decoder(config.global_language),
        global_classifier=nn.Linear(config.feature_dim, num_aus) if config.global_language else None,
        landmark_branch=LandmarkBranch(
            channels=backbone.channels,
            num_landmarks=config.landmarks,
            num_aus=num_aus,
            intensity=config.intensity,
        )
        if config.landmarks
        else None,
        movement_branch=MovementBranch(
            mesh=mesh or MeshReader(), num_aus=num_aus, intensity=config.intensity, sides=config.sides
        )
        if config.movements
        else None,
        told_scores=ScoreConditioning(
            num_aus=num_aus,
            feature_dim=config.feature_dim,
            intensity=config.intensity,
            local=config.local_language,
            face=config.global_language,
        )
        if config.told_scores
        else None,
        mirrored=config.mirrored,
        caption_pooling=config.caption_pooling,
        intensity_head=AUIntensity(num_aus=num_aus, feature_dim=config.feature_dim) if config.intensity else None,
        num_aus=num_aus,
    )
