"""Centres of AUs from landmarks, and the attention that JAA-Net and its successors predefine around them."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import torch
from torch import Tensor, nn

from vlfau.errors import ConfigError
from vlfau.faces.pose import SPARSE_LANDMARKS
from vlfau.facs import action_unit

__all__ = ["LANDMARKS", "AUCentres", "centre_attention", "without_centre"]

CENTRES_FILE: Final = "centres.toml"
INNER_EYE_CORNERS: Final = (133, 362)
REGION_SHARE: Final = 0.14
"""JAA-Net's zeta: the side of an AU's square region as a share of the map's side."""
FALL: Final = 0.56
"""JAA-Net's xi: by how much the attention falls over the length of a region's side."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("vlfau.model.rivals").joinpath(CENTRES_FILE).read_text(encoding="utf-8"))


LANDMARKS: Final = SPARSE_LANDMARKS
"""(K,), the landmarks that methods use, in order; numbers are FaceMesh's."""


@cache
def _rules() -> dict[int, dict[str, Any]]:
    return {rule["number"]: rule for rule in _table()["centre"]}


def without_centre(au_ids: Sequence[int]) -> list[int]:
    """Return the AUs that have no centre."""
    return [au_id for au_id in au_ids if au_id not in _rules()]


class AUCentres(nn.Module):
    """Two centres per AU, on the subject's right and left, from landmarks.

    Args:
        au_ids: (N,).

    Raises:
        ConfigError: An AU has no centre.
    """

    shares: Tensor
    down: Tensor

    def __init__(self, au_ids: Sequence[int]) -> None:
        super().__init__()
        if missing := without_centre(au_ids):
            raise ConfigError(
                f"{action_unit(missing[0]).label} has no centre on the face, which this method needs; leave it out of "
                f"data.aus, or add it to model/rivals/{CENTRES_FILE}"
            )
        place = {number: column for column, number in enumerate(LANDMARKS)}
        shares = torch.zeros(len(au_ids), 2, len(LANDMARKS))
        for row, au_id in enumerate(au_ids):
            for side, name in enumerate(("right", "left")):
                for number in _rules()[au_id][name]:
                    shares[row, side, place[number]] += 1 / len(_rules()[au_id][name])
        self.register_buffer("shares", shares, persistent=False)
        self.register_buffer("down", torch.tensor([float(_rules()[au_id]["down"]) for au_id in au_ids]), False)
        self.corners = [place[number] for number in INNER_EYE_CORNERS]

    def forward(self, landmarks: Tensor) -> Tensor:
        """Return the centres (B, N, 2, 2), right and left, x and y, of landmarks (B, K, 2) in the same unit.

        A centre whose landmarks are not all known (NaN) is NaN.
        """
        right, left = landmarks[:, self.corners[0]], landmarks[:, self.corners[1]]
        scale = (right - left).square().sum(1).clamp(min=1e-8).sqrt()  # (B,)
        means = torch.einsum("nsk,bkx->bnsx", self.shares, landmarks.nan_to_num())
        unknown = torch.einsum("nsk,bk->bns", self.shares, landmarks.isnan().any(2).to(landmarks.dtype)) > 0
        offsets = torch.where(self.down == 0, 0.0, self.down * scale[:, None])[..., None]  # (B, N, 1)
        centres = torch.stack([means[..., 0], means[..., 1] + offsets], dim=-1)
        return centres.masked_fill(unknown[..., None], float("nan"))


def centre_attention(centres: Tensor, height: int, width: int) -> Tensor:
    """Return the predefined attention of AUs as in JAA-Net: 1 at a centre, falling off within a square region.

    v = max(1 - d xi / (l zeta), 0) with d the sum of the distances along x and y, l the map's side; 0 outside of the
    two squares of side l zeta; where these overlap, the larger counts.

    Args:
        centres: (B, N, 2, 2), x and y as shares of the crop's side; NaN where unknown.
        height: H of the map.
        width: W of the map.

    Returns:
        (B, N, H, W), NaN where a centre is unknown.
    """
    x = (torch.arange(width, dtype=centres.dtype, device=centres.device) + 0.5) / width
    y = (torch.arange(height, dtype=centres.dtype, device=centres.device) + 0.5) / height
    across = (x - centres[..., 0, None]).abs()[..., None, :]  # (B, N, 2, 1, W)
    down = (y - centres[..., 1, None]).abs()[..., None]  # (B, N, 2, H, 1)
    half = REGION_SHARE / 2 + 0.5 / max(height, width)  # at least the cell that holds the centre
    strength = (1 - (across + down) * FALL / REGION_SHARE).clamp(min=0)
    inside = ((across > half) | (down > half)).logical_not()  # True for NaN, so that NaN stays
    return (strength * inside).amax(2)
