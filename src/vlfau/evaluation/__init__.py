"""How well a network recognises action units, and how true its words are (extra `train`)."""

from vlfau.evaluation.ablation import ablate
from vlfau.evaluation.answering import Look
from vlfau.evaluation.answers import Answers
from vlfau.evaluation.calibration import calibrate
from vlfau.evaluation.crossval import crossval
from vlfau.evaluation.evaluate import Scope, evaluate

__all__ = ["Answers", "Look", "Scope", "ablate", "calibrate", "crossval", "evaluate"]
