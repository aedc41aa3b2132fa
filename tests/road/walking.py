"""What the walk needs again and again: commands, and what they leave, read without this package."""

import csv
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from vlfau.cli import main

ROOT = Path(__file__).parents[2]
CHECKPOINT = "checkpoint"
SMALL = {
    "model.backbone": "facemesh",
    "model.normalise": "true",  # without ImageNet weights
    "model.crop_size": 96,
    "model.combined_dim": 64,
    "model.feature_dim": 32,
    "model.hidden_dim": 32,
    "model.embedding_dim": 16,
    "data.aligned_size": 112,
    "data.keep_in_memory": "true",
    "optimiser.learning_rate": 3e-3,
    "run.max_epochs": 3,
    "run.batch_size": 8,
    "run.num_workers": 0,
    "run.threads": 1,
    "run.accelerator": "cpu",
    "run.local_captions_per_face": 2,
}
"""What makes the shipped configurations small enough for two cores."""


def vlfau(*words, code=0):
    """Call the command line."""
    assert main([str(word) for word in words]) == code, words


def settings(manifest, **changes):
    """The words that shrink a shipped configuration and name a manifest."""
    chosen = SMALL | {"data.manifest": manifest} | {key.replace("__", "."): value for key, value in changes.items()}
    return [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]


def config(name):
    """A shipped configuration."""
    return ROOT / "configs" / f"{name}.yaml"


def rows_of(path):
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def json_of(path):
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def answers_of(folder):
    """The arrays of answers.npz."""
    with np.load(folder / "answers.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def weights_of(checkpoint):
    """Every tensor of a checkpoint."""
    (path,) = checkpoint.glob("*.safetensors")
    return load_file(path)


def same_weights(one, other):
    """Whether two checkpoints hold the same tensors, bit for bit."""
    first, second = weights_of(one), weights_of(other)
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def independent_scores(au_ids, au_probs, occurrence, thresholds=0.5):
    """F1, accuracy and ROC-AUC of every AU by scikit-learn, over the frames in which it is annotated."""
    scores = {"f1": {}, "accuracy": {}, "roc_auc": {}}
    for place, au_id in enumerate(au_ids.tolist()):
        known = occurrence[:, place] >= 0
        truth, probs = occurrence[known, place], au_probs[known, place]
        said = probs >= np.broadcast_to(thresholds, len(au_ids))[place]
        scores["f1"][str(au_id)] = f1_score(truth, said, zero_division=0)
        scores["accuracy"][str(au_id)] = accuracy_score(truth, said)
        scores["roc_auc"][str(au_id)] = roc_auc_score(truth, probs)
    return scores
