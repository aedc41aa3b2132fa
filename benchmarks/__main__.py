"""Measure speed and memory, print the figures as Markdown tables, and keep them as Markdown and JSON.

`python -m benchmarks` runs every suite, `python -m benchmarks drawing` some. A ratio that is a fifth worse than in
benchmarks/baseline.json fails the run; `--keep-baseline` makes this run the baseline instead. Quality is studied by
`python -m studies`.
"""

import sys

from benchmarks.suites import run_suites

SUITES = ("start", "picture", "video", "network", "runtimes", "training", "gpu", "drawing", "archive", "peers")

if __name__ == "__main__":
    run_suites("benchmarks", SUITES, sys.argv[1:])
