"""VL-FAU, the plain baseline and the eleven systems that the paper compares with, on one stem, data and recipe.

    vlfau synth data/bp4d-like-short --preset bp4d-like --clips 8 --frames 8 --size 128 --seed 1
    vlfau synth data/disfa-like-short --preset disfa-like --clips 12 --frames 8 --size 128 --seed 1
    python -m studies.methods

trains every method on every fold of both data sets (`studies.short_runs`), fold by fold, and adds a line
per run to `studies/records/methods.jsonl`. Called again, it makes the runs that this file lacks; with `--long`, runs of
four times as many steps. `--report OUT` writes the tables of what is finished into a folder, and `--docs FILE` writes
them into a document, between the comments `<!-- methods -->` and `<!-- end of methods -->`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import torch

from studies.language_gain import BASELINE, FULL, variant_config
from studies.short_runs import LONG, Budget, Job, Record, draw_figure_3, finish, of_length, read_records
from vlfau.errors import InputError, VlfauError
from vlfau.evaluation.au_metrics import f1_draws_of, finite_mean, mean_of_known
from vlfau.evaluation.method_costs import MethodCosts
from vlfau.facs import AU_SETS
from vlfau.files.atomic import replacing
from vlfau.paper.data_coverage import DataKey
from vlfau.paper.methods import ReRun, gain_of, order_agreement, published_means, published_names, write_tables
from vlfau.paper.table_formats import Table, to_markdown
from vlfau.training import TrainConfig, read_config

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / "runs" / "views"
RECORDS: Final = ROOT / "studies" / "records" / "methods.jsonl"
DATA: Final = {"bp4d": "bp4d-like-short", "disfa": "disfa-like-short"}
"""Folder of the drawn faces with each set of AUs."""
FOLDS: Final = (1, 2, 3)
SEED: Final = 1
RIVALS: Final = (
    "sev-net",
    "ugn-b",
    "hmp-ps",
    "kdsrl",
    "fau-trans",
    "aar",
    "ks",
    "lgrnet",
    "me-graphau",
    "sma-vit",
    "jaa-net",
)
NAMES: Final = ("baseline", *RIVALS[:-1], "vl-fau", RIVALS[-1])
"""The quickest ones first, so that a fold is soon compared."""


FIGURE_3: Final = (
    "*Figure 3 on synthetic faces: variance of F1 across the AUs of `bp4d-like` and of `disfa-like`; the area of a "
    "circle is the gain in mean F1 over the baseline, summed over both sets; a cross has no gain.*"
)


def config_of(name: str, aus: str, fold: int) -> TrainConfig:
    """Return what a method trains.

    Args:
        name: "baseline", "vl-fau", or one of `RIVALS`.
        aus: Key of `DATA`.
        fold: Test fold.
    """
    if name in RIVALS:
        config = read_config(ROOT / "configs" / "rivals" / f"{name}.yaml")
        config = replace(config, run=replace(config.run, seed=SEED))
    else:
        plain = read_config(ROOT / "configs" / f"{aus}-like.yaml")
        config = variant_config(plain, BASELINE if name == "baseline" else FULL, seed=SEED, size=None)
    return on_data(config, aus, fold)


def on_data(config: TrainConfig, aus: str, fold: int) -> TrainConfig:
    """Return a configuration with other data."""
    data = replace(
        config.data,
        manifest=ROOT / "data" / DATA[aus] / "manifest.csv",
        aus=list(AU_SETS[aus]),
        fold=fold,
        description=f"synthetic FACS faces, preset {aus}-like",
    )
    return replace(config, data=data)


def planned() -> list[Job]:
    """Return all runs: every method on a fold of both data sets before any on the next fold."""
    return [Job(name, config_of(name, aus, fold)) for fold in FOLDS for aus in DATA for name in NAMES]


def reruns_of(records: Sequence[Record]) -> list[ReRun]:
    """Return the methods with what their finished folds scored."""
    found = []
    for aus, data in DATA.items():
        for name in NAMES:
            runs = {each.fold: each for each in records if (each.name, each.data) == (name, data)}
            if runs:
                found.append(_rerun(name, aus, [runs[fold] for fold in sorted(runs)]))
    return found


def _rerun(name: str, aus: str, runs: Sequence[Record]) -> ReRun:
    by_au = np.mean([run.f1_per_au for run in runs], axis=0)
    draws = [mean_of_known(f1_draws_of(run.confusion, seed=run.fold), axis=1) for run in runs]
    costs = MethodCosts(
        runs[0].parameters,
        runs[0].flops,
        min(run.ms_per_face for run in runs) / 1000,
        float(np.mean([run.cpu_seconds for run in runs])),
    )
    return ReRun(
        name,
        published_names(config_of(name, aus, runs[0].fold).model),
        DataKey(f"synthetic FACS faces, preset {aus}-like", True, tuple(runs[0].au_ids)),
        dict(zip(runs[0].au_ids, by_au.tolist(), strict=True)),
        float(np.mean([run.f1_macro for run in runs])),
        finite_mean([run.auc for run in runs if run.auc is not None]),
        costs,
        np.mean(draws, axis=0),
        tuple((run.fold, tuple(run.subjects)) for run in runs),
        note="" if len(runs) == len(FOLDS) else f", {len(runs)} of {len(FOLDS)} folds",
    )


def tables_text(tables: Sequence[Table], records: Sequence[Record]) -> str:
    """Return the tables as Markdown, with what they rest on."""
    budget = Budget()
    about = (
        f"{len(records)} of {len(planned())} runs are finished, each of {budget.steps} steps of {budget.batch_size} "
        f"faces, with the seed {SEED}. Training time and milliseconds per face are CPU time on one core."
    )
    return "\n\n".join([about, *(to_markdown(table).strip() for table in tables)])


def lengths_text(records: Sequence[Record]) -> str:
    """Return a Markdown table of short and long trainings side by side; empty without long ones."""
    long = of_length(records, LONG)
    if not long:
        return ""
    lengths = [(budget.steps, of_length(records, budget)) for budget in (Budget(), LONG)]
    heads = [f"{aus}-like, {steps:,} steps" for aus in DATA for steps, _ in lengths]
    lines = [
        f"Longer trainings: {len(long)} of {len(planned())} runs of {LONG.steps:,} steps are finished. Mean F1 in %, "
        "and its difference from the baseline's on the same folds after as many steps; 95 % intervals by subject.",
        "",
        f"| Method | {' | '.join(heads)} |",
        f"| --- |{' ---: |' * len(heads)}",
    ]
    for name in NAMES:
        cells = [_beside_baseline(some, name, aus) for aus in DATA for _, some in lengths]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for aus, data in DATA.items():
        # A method that lacks a fold was not tested on the same people.
        whole = [rerun for rerun in reruns_of([each for each in long if each.data == data]) if not rerun.note]
        if whole and (agreement := order_agreement(published_means(whole[0].data), whole)):
            lines += ["", f"{aus}-like, {LONG.steps:,} steps: {agreement.text}."]
    return "\n".join(lines)


def _beside_baseline(records: Sequence[Record], name: str, aus: str) -> str:
    runs, rest = (
        {each.fold: each for each in records if (each.name, each.data) == (wanted, DATA[aus])}
        for wanted in (name, "baseline")
    )
    if not runs:
        return "-"
    rerun = _rerun(name, aus, [runs[fold] for fold in sorted(runs)])
    assert rerun.f1_macro is not None
    text = f"{100 * rerun.f1_macro:.1f}{rerun.note}"
    if name == "baseline" or not runs.keys() <= rest.keys():
        return text
    gain = gain_of(rerun, _rerun("baseline", aus, [rest[fold] for fold in sorted(runs)]))
    if gain is None:
        return text
    low, high = gain[1] or (np.nan, np.nan)
    return f"{text} ({gain[0]:+.1f} [{low:+.1f}, {high:+.1f}])"


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands in a document between the comments `<!-- name -->` and `<!-- end of name -->`.

    Raises:
        InputError: The document lacks one of them.
    """
    first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    document = path.read_text(encoding="utf-8")
    before, found, rest = document.partition(first)
    _, found_last, after = rest.partition(last)
    if not found or not found_last:
        raise InputError(f"{path} lacks the line '{first.strip()}' or '{last}'; add both where the tables belong")
    with replacing(path) as temporary:
        temporary.write_text(f"{before}{first}\n{text.strip()}\n\n{last}{after}", encoding="utf-8")


def parser_of(study: str, about: str, records: Path) -> argparse.ArgumentParser:
    """Return the options of a study of short runs.

    Args:
        study: Name of its module.
        about: The module's docstring, whose first line is shown.
        records: Where its finished runs are recorded, unless told otherwise.
    """
    parser = argparse.ArgumentParser(prog=f"python -m studies.{study}", description=about.split("\n", maxsplit=1)[0])
    parser.add_argument("--records", type=Path, default=records, help="file of finished runs")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of faces as the stem sees them")
    parser.add_argument("--report", type=Path, help="only write the tables into this folder")
    parser.add_argument("--docs", type=Path, help="only write the tables into this document")
    parser.add_argument("--long", action="store_true", help=f"train for {LONG.steps} steps instead of {Budget().steps}")
    return parser


def main(words: Sequence[str]) -> int:
    """Make the runs, or write their tables."""
    arguments = parser_of("methods", __doc__, RECORDS).parse_args(words)
    torch.set_num_threads(1)
    try:
        if arguments.report is not None or arguments.docs is not None:
            every = read_records(arguments.records)
            records = of_length(every, Budget())
            with TemporaryDirectory() as folder:
                tables = write_tables(reruns_of(records), arguments.report or Path(folder))
            if arguments.docs is not None:
                picture = arguments.docs.parent / "images" / "experiments-balance.jpg"
                drawn = draw_figure_3(records, list(DATA.values()), {name: name for name in NAMES}, picture)
                figure = f"\n\n![Balance across AUs](images/{picture.name})\n\n{FIGURE_3}" if drawn else ""
                parts = (tables_text(tables, records) + figure, lengths_text(every))
                write_between(arguments.docs, "methods", "\n\n".join(parts))
            return 0
        budget = LONG if arguments.long else Budget()
        finish(planned(), arguments.records, budget, cache=arguments.cache, announce=partial(print, flush=True))
    except VlfauError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
