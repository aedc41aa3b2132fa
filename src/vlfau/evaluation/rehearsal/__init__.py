"""A rehearsal: the whole way of a long run on a small part of its data, and what all of it will cost."""

from vlfau.evaluation.rehearsal.checks import Check, Status
from vlfau.evaluation.rehearsal.costs import Rates, RunCost, cost_of, rate_settings, read_kept
from vlfau.evaluation.rehearsal.measuring import describing_rates
from vlfau.evaluation.rehearsal.rehearse import Rehearsal, Task, rehearse
from vlfau.evaluation.rehearsal.work import DataCount, FoldCount, RunWork, network_key, work_of

__all__ = [
    "Check",
    "DataCount",
    "FoldCount",
    "Rates",
    "Rehearsal",
    "RunCost",
    "RunWork",
    "Status",
    "Task",
    "cost_of",
    "describing_rates",
    "network_key",
    "rate_settings",
    "read_kept",
    "rehearse",
    "work_of",
]
