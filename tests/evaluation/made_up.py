"""Predictions made by hand."""

import numpy as np

from vlfau.evaluation.predictions import Predictions


def made_up(au_ids, au_probs, *, occurrence=None, images=None, maps=None, local=None, whole=None, consistent=None):
    """Predictions of which only what a test looks at is given."""
    au_probs = np.array(au_probs, np.float32)
    frames, aus = au_probs.shape
    return Predictions(
        au_ids=tuple(au_ids),
        images=tuple(images or (f"frames/S1/{frame}.jpg" for frame in range(frames))),
        subject_ids=("S1",) * frames,
        genders=("",) * frames,
        folds=(1,) * frames,
        au_probs=au_probs,
        occurrence=np.full((frames, aus), -1, np.int8) if occurrence is None else np.array(occurrence, np.int8),
        au_features=np.zeros((frames, aus, 2), np.float16),
        attention_maps=np.ones((frames, aus, 4, 4), np.float16) if maps is None else np.array(maps, np.float16),
        local_captions=None if local is None else tuple(map(tuple, local)),
        global_captions=None if whole is None else tuple(whole),
        consistent_captions=None if consistent is None else tuple(map(tuple, consistent)),
    )
