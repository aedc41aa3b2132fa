import numpy as np
import pytest

from tests.training.conftest import toy_config, toy_file  # noqa: F401
from vlfau.evaluation import Answers


@pytest.fixture
def make_answers():
    """Return a function that makes answers of given probabilities and occurrence, (F, N), without words."""

    def make(au_probs, occurrence, *, au_ids=(1, 12), subject_ids=None, **changes):
        au_probs = np.array(au_probs, np.float32)
        frames, aus = au_probs.shape
        rng = np.random.default_rng(0)
        known = {
            "au_ids": au_ids,
            "images": tuple(f"{index}.png" for index in range(frames)),
            "subject_ids": tuple(subject_ids or ["S1"] * frames),
            "genders": ("F",) * frames,
            "folds": (1,) * frames,
            "au_probs": au_probs,
            "occurrence": np.array(occurrence, np.int8),
            "au_features": rng.random((frames, aus, 3)).astype(np.float16),
            "attention_maps": rng.random((frames, aus, 2, 2)).astype(np.float16),
            "local_captions": None,
            "global_captions": None,
            "consistent_captions": None,
        }
        return Answers(**known | changes)

    return make
