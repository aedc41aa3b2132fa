"""Study quality, print the figures as Markdown tables, and keep them as Markdown and JSON.

`python -m studies` runs every study, `python -m studies events` some. A figure that is a fifth worse than in
studies/baseline.json fails the run; `--keep-baseline` makes this run the baseline instead. Speed is measured by
`python -m benchmarks`.
"""

import sys

from benchmarks.suites import run_suites

SUITES = ("events", "faces", "neutral", "photographs")

if __name__ == "__main__":
    run_suites("studies", SUITES, sys.argv[1:])
