"""Where every AU moves the skin, laid on faces by their landmarks: what teaches the branches where to look.

Mean masks of drawn faces (`scripts/mean_regions.py`) are laid on a face by the affine map of its landmarks. JAA-Net
(Shao et al., ECCV 2018) and others teach attention likewise, with circles around the centres of AUs.
"""

from collections.abc import Sequence
from importlib import resources

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.errors import ConfigError

__all__ = ["AURegions"]

FILE = "model/au_regions.npz"
RIDGE = 1e-3
"""Pulls the map towards leaving the face where it is, for landmarks on one line do not fix it."""
MIN_LANDMARKS = 6
"""Fewer known landmarks do not fix an affine map safely."""


class AURegions(nn.Module):
    """Lays the mean regions of AUs on faces.

    Args:
        au_ids: (N,), the AUs.
        landmark_ids: (K,), FaceMesh's numbers of the landmarks that faces come with.

    Raises:
        ConfigError: An AU has no region, or too few of the landmarks are known.
    """

    def __init__(self, au_ids: Sequence[int], landmark_ids: Sequence[int]) -> None:
        super().__init__()
        with resources.files("vlfau").joinpath(FILE).open("rb") as file, np.load(file) as stored:
            rows = {int(number): row for row, number in enumerate(stored["au_ids"])}
            points = {
                int(number): point for number, point in zip(stored["landmark_ids"], stored["landmarks"], strict=True)
            }
            masks = stored["masks"]
        if missing := [au_id for au_id in au_ids if au_id not in rows]:
            raise ConfigError(f"AU {missing[0]} has no region to look at; leave it out, or run.attention_loss at 0")
        shared = [place for place, number in enumerate(landmark_ids) if number in points]
        if len(shared) < MIN_LANDMARKS:
            raise ConfigError(
                f"run.attention_loss needs {MIN_LANDMARKS} or more of the landmarks {sorted(points)}, and the manifest "
                f"has {len(shared)} of them; add their columns, or set it to 0"
            )
        self.shared = shared
        mean = np.stack([points[landmark_ids[place]] for place in shared])
        self.register_buffer("mean", torch.from_numpy(mean), persistent=False)  # (K', 2), shares of the crop's side
        chosen = np.stack([masks[rows[au_id]] for au_id in au_ids]).astype(np.float32) / 255
        self.register_buffer("masks", torch.from_numpy(chosen), persistent=False)  # (N, G, G), covers the crop

    mean: Tensor
    masks: Tensor

    def forward(self, landmarks: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Return the regions of faces.

        Args:
            landmarks: (B, K, 2), as shares of the crop's side; NaN where unknown.
            height: H, the rows of the grid that covers the crop.
            width: W, its columns.

        Returns:
            (B, N, H, W) from 0 to 1, the share of drawn faces whose region the cell belongs to; and (B,), whether
            enough landmarks of the face are known.
        """
        places = landmarks[:, self.shared]
        known = places.isfinite().all(2)  # (B, K')
        weights = known[..., None].to(places)
        ones = torch.ones_like(places[..., :1])
        own = torch.cat([places.nan_to_num(), ones], dim=2) * weights  # (B, K', 3)
        # The affine map from the face to the mean face, with the least squared distance.
        ridge = RIDGE * torch.eye(3, device=own.device)
        moments = own.transpose(1, 2) @ (self.mean * weights) + ridge[:, :2]
        to_mean = torch.linalg.solve(own.transpose(1, 2) @ own + ridge, moments)  # (B, 3, 2)
        rows, columns = ((torch.arange(size, device=own.device) + 0.5) / size for size in (height, width))
        cells = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=2).flatten(0, 1)  # (H * W, 2)
        targets = torch.cat([cells, torch.ones_like(cells[:, :1])], dim=1) @ to_mean  # (B, H * W, 2)
        grid = 2 * targets.unflatten(1, (height, width)) - 1
        masks = self.masks.expand(len(landmarks), -1, -1, -1)
        return F.grid_sample(masks, grid, align_corners=False), known.sum(1) >= MIN_LANDMARKS
