"""How well a network recognises action units, and how true its words are (extra `train`)."""

from vlfau.evaluation.ablation import VariantScores, ablate
from vlfau.evaluation.calibration import calibrate
from vlfau.evaluation.crossval import crossval
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.scores import Scores, read_scores
from vlfau.evaluation.tested import Scope

__all__ = [
    "EvalOptions",
    "Predictions",
    "Scope",
    "Scores",
    "VariantScores",
    "ablate",
    "calibrate",
    "crossval",
    "evaluate",
    "read_scores",
]
