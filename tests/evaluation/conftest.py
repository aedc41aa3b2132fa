import numpy as np
import pytest
import torch

from tests.training.conftest import AUS, toy_config, toy_file  # noqa: F401
from vlfau.evaluation.predictions import Predictions
from vlfau.language import Vocabulary
from vlfau.model import build_vlfau
from vlfau.training import Checkpoint, save_checkpoint


@pytest.fixture
def untrained(toy_config, tmp_path):  # noqa: F811
    """Return a function that writes a checkpoint for the toy frames as training would, with random weights."""

    def write(name="untrained", *, fold=2, thresholds=None, **training):
        torch.manual_seed(1)
        config = toy_config()
        vocabulary = Vocabulary.for_aus(AUS)
        network = build_vlfau(config.model, num_aus=len(AUS), vocabulary_size=len(vocabulary)).eval()
        checkpoint = Checkpoint(
            model=config.model,
            au_ids=AUS,
            vocabulary=tuple(vocabulary.to_list()),
            fold=fold,
            aligned_size=config.data.aligned_size,
            training={"data": "drawn faces", "synthetic": True, "from_scratch": True, **training},
            scores={},
            thresholds=thresholds,
        )
        save_checkpoint(tmp_path / name, network, checkpoint)
        return tmp_path / name

    return write


@pytest.fixture
def make_predictions():
    """Return a function that makes predictions of given probabilities and occurrence, (F, N), without words."""

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
        return Predictions(**known | changes)

    return make
