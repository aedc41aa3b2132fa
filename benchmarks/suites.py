"""Runs suites of measurements, prints each as a Markdown table, and saves it as Markdown and JSON."""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rows import MAX_LOSS, Row, keep_baseline, losses
from benchmarks.timing import describe_machine

__all__ = ["run_suites"]

KEEP = "--keep-baseline"


def run_suites(package: str, suites: Sequence[str], arguments: Sequence[str]) -> None:
    """Run suites of a package one by one; exit with an error if a ratio is worse than the baseline.

    Tables are written to `PACKAGE/results/`; the baseline is `PACKAGE/baseline.json`.

    Args:
        package: The package of the suites; each module has `measure()`, which yields rows.
        suites: The names of all suites.
        arguments: Names of the suites to run, empty for all; `--keep-baseline` makes this run the new baseline.
    """
    names = _chosen([name for name in arguments if name != KEEP], suites)
    results, baseline = Path(package, "results"), Path(package, "baseline.json")
    machine = describe_machine()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()))
    results.mkdir(parents=True, exist_ok=True)
    lost: list[str] = []
    for name in names:
        rows = _run(package, name, machine, results)
        if KEEP in arguments:
            keep_baseline(name, rows, baseline)
        lost += losses(name, rows, baseline)
    if lost:
        sys.exit(f"\nMore than {MAX_LOSS:.0%} worse than the baseline:\n" + "\n".join(lost))


def _chosen(names: Sequence[str], suites: Sequence[str]) -> Sequence[str]:
    if unknown := [name for name in names if name not in suites]:
        sys.exit(f"there is no suite '{unknown[0]}'; choose among {', '.join(suites)}")
    return names or suites


def _run(package: str, name: str, machine: Mapping[str, str], results: Path) -> list[Row]:
    lines, rows = ["| what | figure |", "|---|---|"], []
    print(f"\n## {name}\n\n" + "\n".join(lines))
    for row in importlib.import_module(f"{package}.{name}").measure():
        rows.append(row)
        lines.append(f"| {row.what} | {row.figure} |")
        print(lines[-1], flush=True)
    document = {"machine": machine, "rows": [row._asdict() for row in rows]}
    (results / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    notes = "\n".join(f"- {key}: {value}" for key, value in machine.items())
    (results / f"{name}.md").write_text(f"# {name}\n\n{notes}\n\n" + "\n".join(lines) + "\n", "utf-8")
    return rows
