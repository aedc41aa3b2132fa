"""What training reads of a manifest, as a short text that changes with it."""

import hashlib
import os

import numpy as np

from vlfau.data.manifest import Manifest

__all__ = ["manifest_digest"]


def manifest_digest(manifest: Manifest) -> str:
    """Return a digest of a manifest's AUs and frames: pictures' names, people, folds, labels, landmarks, in order.

    Two files that training reads alike have the same digest, wherever they lie and whatever other columns they have.
    The content of the pictures is not read.
    """
    folder = f"{manifest.path.parent}{os.sep}"
    digest = hashlib.sha256(repr((manifest.au_ids, manifest.landmark_ids)).encode())
    for frame in manifest.frames:
        image = str(frame.image).removeprefix(folder).replace(os.sep, "/")
        states = [
            state and (state.active, state.intensity, state.side and str(state.side), state.trace)
            for state in frame.states
        ]
        read = (image, frame.subject_id, frame.fold, frame.gender and str(frame.gender), states, frame.intensities)
        digest.update(repr(read).encode("utf-8", "surrogateescape"))
        digest.update(np.array(frame.landmarks_xy, np.float64).tobytes())
    return digest.hexdigest()[:16]
