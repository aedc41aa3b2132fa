"""How well a network recognises action units, and how true its words are (extra `train`)."""

from vlfau.evaluation.ablation import ablate
from vlfau.evaluation.calibration import calibrate
from vlfau.evaluation.crossval import crossval
from vlfau.evaluation.evaluate import Scope, evaluate
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.predictions import Predictions

__all__ = ["EvalOptions", "Predictions", "Scope", "ablate", "calibrate", "crossval", "evaluate"]
