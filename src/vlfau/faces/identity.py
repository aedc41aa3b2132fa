"""An embedding of a face's looks, by which people are told apart within one video.

The network is dlib's face recognition ResNet (Davis King, public domain; see the NOTICE beside the weights): embeddings
of one person are less than about 0.6 apart, those of two people further.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.finder import Face
from vlfau.faces.mesh import WEIGHTS
from vlfau.faces.session import open_session
from vlfau.faces.warp import fit_similarity, warp

__all__ = ["SAME_PERSON", "IdentityNetwork", "portrait"]

_SIDE: Final = 150
_LANDMARKS: Final = (33, 133, 362, 263, 2)
"""Outer and inner corner of the subject's right eye, inner and outer corner of the left one, base of the nose."""
_PADDING: Final = 0.25
_TEMPLATE: Final = np.array(
    [[0.1206, 0.2137], [0.3341, 0.2291], [0.6461, 0.2290], [0.8596, 0.2135], [0.4901, 0.6278]], np.float64
)
"""Where dlib puts these points in a square without padding."""


SAME_PERSON: Final = 0.5
"""Embeddings that are nearer than this are taken for one person's."""


def portrait(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """Cut out a face as the network sees it, (150, 150, 3) uint8.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: A face of it.
    """
    template = (_TEMPLATE + _PADDING) / (1 + 2 * _PADDING) * _SIDE - 0.5
    return warp(image, fit_similarity(face.landmarks_xy[list(_LANDMARKS)].astype(np.float64), template), _SIDE)


class IdentityNetwork:
    """Embeds portraits.

    Args:
        threads: Number of threads.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._session = open_session(WEIGHTS / "identity.onnx", threads=threads)

    def __call__(self, portraits: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the embeddings, (B, 128), of B faces, as `portrait` cuts them out."""
        batch = np.stack(portraits).transpose(0, 3, 1, 2).astype(np.float32)
        (embeddings,) = self._session.run(["embeddings"], {"faces": batch})
        return np.asarray(embeddings, np.float32)
