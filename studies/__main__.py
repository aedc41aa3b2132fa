"""Measure quality, print the results as Markdown tables, and save them as Markdown and JSON.

`python -m studies` runs every study, `python -m studies events` only that one. The run fails if a result is a fifth
worse than in studies/baseline.json; `--keep-baseline` makes this run the new baseline. For speed, see
`python -m benchmarks`.
"""

import sys

from benchmarks.suites import run_suites

SUITES = (
    "attention",
    "counterfactuals",
    "events",
    "explainers",
    "faces",
    "flicker",
    "gaze",
    "identities",
    "neutral",
    "photographs",
    "story",
)

if __name__ == "__main__":
    run_suites("studies", SUITES, sys.argv[1:])
