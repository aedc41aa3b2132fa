"""Rehearsal of a long run: every step on a small part of the data, and an estimate of the cost of the whole."""

from vlfau.evaluation.rehearsal.checks import Check, Status
from vlfau.evaluation.rehearsal.costs import Rates, RunCost, estimate_cost, rate_settings, read_rates
from vlfau.evaluation.rehearsal.profiling import measure_captioning
from vlfau.evaluation.rehearsal.rehearse import Rehearsal, Task, rehearse
from vlfau.evaluation.rehearsal.workload import DataCount, FoldCount, Workload, network_key, workloads

__all__ = [
    "Check",
    "DataCount",
    "FoldCount",
    "Rates",
    "Rehearsal",
    "RunCost",
    "Status",
    "Task",
    "Workload",
    "estimate_cost",
    "measure_captioning",
    "network_key",
    "rate_settings",
    "read_rates",
    "rehearse",
    "workloads",
]
