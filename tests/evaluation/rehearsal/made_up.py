"""Rates and work of round numbers."""

from vlfau.evaluation.rehearsal.costs import DiskSizes, Rates
from vlfau.evaluation.rehearsal.resources import PeakMemory
from vlfau.evaluation.rehearsal.timing import Measurement, Timings
from vlfau.evaluation.rehearsal.workload import Workload

NETWORK = "multi_scale dair local_language global_language"


def timed(size, seconds):
    return Timings(size, (Measurement(size, seconds),))


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
        "sizes": DiskSizes(1000, 3000, 10.0, 20.0),
        "peak": PeakMemory(10**9, None),
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
    return Workload(**known | changes)
