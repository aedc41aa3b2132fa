"""Run measurements, print them as Markdown tables, and keep them as Markdown and JSON.

`python -m benchmarks` runs all of them, `python -m benchmarks drawing` some. A ratio that is a fifth worse than in
benchmarks/baseline.json fails the run; `--keep-baseline` makes this run the baseline instead.
"""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rows import MAX_LOSS, Row, keep_baseline, losses
from benchmarks.timing import describe_machine

RESULTS = Path("benchmarks/results")
SUITES = (
    "start",
    "picture",
    "video",
    "network",
    "runtimes",
    "training",
    "gpu",
    "drawing",
    "faces",
    "archive",
    "events",
    "neutral",
    "photographs",
    "peers",
)
KEEP = "--keep-baseline"


def main() -> None:
    """Measure, print, keep, compare."""
    chosen = [name for name in sys.argv[1:] if name != KEEP] or SUITES
    unknown = [name for name in chosen if name not in SUITES]
    if unknown:
        sys.exit(f"there is no suite '{unknown[0]}'; choose among {', '.join(SUITES)}")
    machine = describe_machine()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()))
    RESULTS.mkdir(parents=True, exist_ok=True)
    lost: list[str] = []
    for name in chosen:
        rows = _run(name, machine)
        if KEEP in sys.argv:
            keep_baseline(name, rows)
        lost += losses(name, rows)
    if lost:
        sys.exit(f"\nMore than {MAX_LOSS:.0%} is lost:\n" + "\n".join(lost))


def _run(name: str, machine: Mapping[str, str]) -> Sequence[Row]:
    lines, rows = ["| what | figure |", "|---|---|"], []
    print(f"\n## {name}\n\n" + "\n".join(lines))
    for row in importlib.import_module(f"benchmarks.{name}").measure():
        rows.append(row)
        lines.append(f"| {row.what} | {row.figure} |")
        print(lines[-1], flush=True)
    document = {"machine": machine, "rows": [row._asdict() for row in rows]}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    notes = "\n".join(f"- {key}: {value}" for key, value in machine.items())
    (RESULTS / f"{name}.md").write_text(f"# {name}\n\n{notes}\n\n" + "\n".join(lines) + "\n", "utf-8")
    return rows


if __name__ == "__main__":
    main()
