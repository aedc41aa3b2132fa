"""Run the measurements, print them as a Markdown table, and keep them as JSON."""

import json
from pathlib import Path

from benchmarks import network
from benchmarks.timing import describe_machine

RESULTS = Path("benchmarks/results")


def main() -> None:
    """Measure, print, keep."""
    machine = describe_machine()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()))
    print("\n| what | figure |\n|---|---|")
    rows = []
    for what, figure in network.measure():
        rows.append({"what": what, "figure": figure})
        print(f"| {what} | {figure} |", flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "network.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
