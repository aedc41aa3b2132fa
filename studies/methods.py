"""VL-FAU, the plain baseline and the eleven systems that the paper compares with, on one stem, data and recipe.

    vlfau synth data/bp4d-like-short --preset bp4d-like --clips 8 --frames 8 --size 128 --seed 1
    vlfau synth data/disfa-like-short --preset disfa-like --clips 12 --frames 8 --size 128 --seed 1
    python -m studies.methods

trains every method on every fold of both data sets (`studies.short_runs`), fold by fold, and adds a line
per run to `studies/records/methods.jsonl`. Called again, it makes the runs that this file lacks.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from studies.language_gain import BASELINE, FULL, variant_config
from studies.short_runs import Budget, Job, finish
from vlfau.errors import VlfauError
from vlfau.facs import AU_SETS
from vlfau.training import TrainConfig, read_config

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / "runs" / "views"
RECORDS: Final = ROOT / "studies" / "records" / "methods.jsonl"
DATA: Final = {"bp4d": "bp4d-like-short", "disfa": "disfa-like-short"}
"""Folder of the drawn faces with each set of AUs."""
FOLDS: Final = (1, 2, 3)
SEED: Final = 1
RIVALS: Final = (
    "me-graphau",
    "sev-net",
    "fau-trans",
    "lgrnet",
    "ugn-b",
    "hmp-ps",
    "kdsrl",
    "sma-vit",
    "aar",
    "ks",
    "jaa-net",
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
    names = ("baseline", "vl-fau", *RIVALS)
    return [Job(name, config_of(name, aus, fold)) for fold in FOLDS for aus in DATA for name in names]


def main(words: Sequence[str]) -> int:
    """Make the runs."""
    parser = argparse.ArgumentParser(prog="python -m studies.methods", description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=Path, default=RECORDS, help="file of finished runs")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of faces as the stem sees them")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)
    try:
        jobs = planned()
        finish(jobs, arguments.records, Budget(), cache=arguments.cache, announce=lambda line: print(line, flush=True))
    except VlfauError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
