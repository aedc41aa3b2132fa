"""Rates and work of round numbers."""

from vlfau.evaluation.rehearsal.costs import Rates, Sizes
from vlfau.evaluation.rehearsal.ladder import Timed, Try
from vlfau.evaluation.rehearsal.machine import Peak
from vlfau.evaluation.rehearsal.work import RunWork

NETWORK = "multi_scale dair local_language global_language"


def timed(size, seconds):
    return Timed(size, (Try(size, seconds),))


def rates(**changes):
    known = {
        "step": timed(10, 2.0),
        "validate": timed(10, 1.0),
        "see": timed(4, 0.2),
        "speak": timed(4, 1.6),
        "load": 0.01,
        "score": 0.01,
        "save": 3.0,
        "start": 7.0,
        "sizes": Sizes(1000, 3000, 10.0, 20.0),
        "peak": Peak(10**9, None),
        "peak_is_measured": True,
    }
    return Rates(**known | changes)


def work(**changes):
    known = {
        "name": "fold1",
        "network": NETWORK,
        "train_frames": 200,
        "epochs": 5,
        "steps": 100,
        "validated": 500,
        "tested": 50,
        "described": 20,
        "captions": 500,
    }
    return RunWork(**known | changes)
