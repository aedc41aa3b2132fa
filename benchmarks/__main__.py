"""Run measurements, print them as Markdown tables, and keep them as JSON.

`python -m benchmarks` runs all of them, `python -m benchmarks drawing` some.
"""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.timing import describe_machine

RESULTS = Path("benchmarks/results")
SUITES = ("network", "training", "drawing", "faces", "archive", "events")


def main() -> None:
    """Measure, print, keep."""
    chosen = sys.argv[1:] or SUITES
    unknown = [name for name in chosen if name not in SUITES]
    if unknown:
        sys.exit(f"there is no suite '{unknown[0]}'; choose among {', '.join(SUITES)}")
    machine = describe_machine()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()))
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        print(f"\n## {name}\n\n| what | figure |\n|---|---|")
        rows = []
        for what, figure in importlib.import_module(f"benchmarks.{name}").measure():
            rows.append({"what": what, "figure": figure})
            print(f"| {what} | {figure} |", flush=True)
        (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
