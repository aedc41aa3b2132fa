"""`vlfau ablate`: a configuration in, the five variants of the paper's Table 4 out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["ablate"]


def ablate(
    config: Path,
    /,
    *,
    out: Path,
    seeds: str = "1",
    folds: str | None = None,
    variants: str | None = None,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    name: str | None = None,
    threshold: float = 0.5,
    describe: bool = True,
    frames: int | None = None,
    batch_size: int = 32,
) -> int:
    """Train and evaluate the network built up part by part: the ablation of the paper's Table 4.

    A run that was stopped goes on where it was when the command is called again.

    Args:
        config: A YAML file as for `vlfau train`; its data.fold, run.seed, run.output and the
            model's parts are replaced.
        out: Folder for the runs.
        seeds: Every variant is trained once per seed, such as 1,2.
        folds: The folds to leave out, such as 1,2,3; without it those of the manifest, as the paper's table has it.
        variants: Which of the five, such as 1,2,5; without it all.
        changes: A setting to change, such as run.max_epochs=2; may be given often.
        name: What to call it in tables; the folder's name, if none is given.
        threshold: The probability from which an AU counts as active.
        describe: Describe the frames in words, and score the words.
        frames: Describe this many frames per run, evenly spaced, instead of all.
        batch_size: Faces at once in the evaluation.
    """
    from vlfau.cli.console import output_console
    from vlfau.cli.measuring import ProgressBar, announce, numbers, variant_table
    from vlfau.evaluation import Look, Scope
    from vlfau.evaluation import ablate as run
    from vlfau.evaluation.ablation import VARIANTS
    from vlfau.training import read_config

    chosen = None if variants is None else numbers(variants, "--variants")
    with ProgressBar("Frames") as progress:
        scores = run(
            read_config(config, changes),
            out,
            seeds=numbers(seeds, "--seeds"),
            folds=None if folds is None else numbers(folds, "--folds"),
            numbers=chosen,
            name=name,
            scope=Scope(threshold, describe, frames),
            look=Look(batch_size, progress=progress),
            announce=announce,
        )
    names = [f"({each.number}) {each.name}" for each in VARIANTS if chosen is None or each.number in chosen]
    console = output_console()
    console.print(variant_table(names, scores))
    console.print(f"runs: {out / 'ablation.json'}", markup=False)
    return 0
