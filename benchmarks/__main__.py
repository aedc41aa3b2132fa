"""Measure speed and memory, print the results as Markdown tables, and save them as Markdown and JSON.

`python -m benchmarks` runs every suite, `python -m benchmarks drawing` only that one. The run fails if a ratio is a
fifth worse than in benchmarks/baseline.json; `--keep-baseline` makes this run the new baseline. For quality, see
`python -m studies`.
"""

import sys

from benchmarks.suites import run_suites

SUITES = (
    "start",
    "picture",
    "video",
    "people",
    "live",
    "network",
    "runtimes",
    "training",
    "gpu",
    "drawing",
    "archive",
    "peers",
)

if __name__ == "__main__":
    run_suites("benchmarks", SUITES, sys.argv[1:])
