"""Does language help? The study of `studies.language_gain` with short trainings, on both sets of drawn faces.

    python -m studies.language_short

makes the five variants of Table 4 and three controls on three folds with five seeds, at three sizes of training set
(`studies.short_runs`; the faces are those of `studies.methods`), and adds a line per run to
`studies/records/language.jsonl`. Called again, it makes the runs that this file lacks. `--long` makes fewer runs, each
of four times as many steps: variants 1, 2 and 5 on all people. `--report OUT` writes the tables of what is finished
into a folder, and `--docs FILE` writes them into a document, between the comments `<!-- language -->` and
`<!-- end of language -->`.
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import torch

from studies.language_gain import (
    BASELINE,
    CONTROLS,
    FULL,
    NAMES,
    TITLES,
    VISION,
    Plan,
    Scored,
    Source,
    variant_config,
    write_report,
)
from studies.methods import DATA, FIGURE_3, FOLDS, ROOT, on_data, parser_of, write_between
from studies.short_runs import LONG, Budget, Job, Record, draw_figure_3, finish, of_length, read_records
from vlfau.errors import VlfauError
from vlfau.evaluation.au_metrics import f1_draws_of, mean_of_known
from vlfau.training import read_config

RECORDS: Final = ROOT / "studies" / "records" / "language.jsonl"
SEEDS: Final = (1, 2, 3, 4, 5)
SIZES: Final[dict[str, tuple[int | None, ...]]] = {"bp4d": (10, 20, None), "disfa": (5, 10, None)}
"""Numbers of training people. Of DISFA's 27 people, 18 train a fold, so 20 would be more than all."""


LONG_PLAN: Final = Plan((BASELINE, VISION, FULL), FOLDS, (1, 2), (None,))


def plan_of(aus: str) -> Plan:
    """Return what is trained for a short time on the faces with a set of AUs."""
    return Plan(NAMES, FOLDS, SEEDS, SIZES[aus])


def planned(*, long: bool = False) -> list[Job]:
    """Return all runs; all variants of one seed, fold, size and data set follow each other, so that pairs end early.

    Args:
        long: Whether to return the long trainings instead of the short ones.
    """
    plain = {aus: read_config(ROOT / "configs" / f"{aus}-like.yaml") for aus in DATA}
    plans = {aus: LONG_PLAN if long else plan_of(aus) for aus in DATA}
    places = range(-1, len(plans["bp4d"].sizes) - 1)  # all people first
    return [
        Job(name, on_data(variant_config(plain[aus], name, seed=seed, size=plans[aus].sizes[place]), aus, fold))
        for seed in plans["bp4d"].seeds
        for fold in FOLDS
        for place in places
        for aus in DATA
        for name in plans[aus].names
    ]


def record_source(records: Sequence[Record], data: str) -> Source:
    """Return what recorded runs on a data set scored."""
    found = {(each.name, each.fold, each.seed, each.size): each for each in records if each.data == data}

    def scored(name: str, fold: int, seed: int, size: int | None) -> Scored | None:
        record = found.get((name, fold, seed, size))
        if record is None:
            return None
        draws = mean_of_known(f1_draws_of(record.confusion, seed=fold), axis=1)
        return Scored(record.f1_macro, draws, tuple(record.subjects))

    return scored


def _report(records: Sequence[Record], aus: str, plan: Plan, out: Path, note: str = "") -> str:
    """Write the report on a data set into a folder, and return it without its title."""
    title = f"synthetic FACS faces, preset {aus}-like{note}"
    return write_report(record_source(records, DATA[aus]), title, out, plan).partition("\n\n")[2].strip()


def main(words: Sequence[str]) -> int:
    """Make the runs, or write their tables."""
    arguments = parser_of("language_short", __doc__, RECORDS).parse_args(words)
    torch.set_num_threads(1)
    try:
        if arguments.report is None and arguments.docs is None:
            jobs, budget = planned(long=arguments.long), LONG if arguments.long else Budget()
            finish(jobs, arguments.records, budget, cache=arguments.cache, announce=partial(print, flush=True))
            return 0
        every = read_records(arguments.records)
        records, long = of_length(every, Budget()), of_length(every, LONG)
        texts = [f"{len(records)} of {len(planned())} runs are finished."]
        with TemporaryDirectory() as folder:
            out = arguments.report or Path(folder)
            texts += [_report(records, aus, plan_of(aus), out / data) for aus, data in DATA.items()]
            if long:
                about = f"{len(long)} of {len(planned(long=True))} longer runs, of {LONG.steps:,} steps, are finished."
                reports = (
                    _report(long, aus, LONG_PLAN, out / f"{data}-long", ", longer runs") for aus, data in DATA.items()
                )
                texts += [about, *reports]
        if arguments.docs is not None:
            picture = arguments.docs.parent / "images" / "experiments-balance-variants.jpg"
            variants = {name: title for name, title in TITLES.items() if name not in CONTROLS}
            if draw_figure_3(records, list(DATA.values()), variants, picture):
                texts.append(f"![Balance of the variants across AUs](images/{picture.name})\n\n{FIGURE_3}")
            write_between(arguments.docs, "language", "\n\n".join(texts))
    except VlfauError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
