"""`vlfau crossval`: a configuration in, the scores of every fold and their mean out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["crossval"]


def crossval(
    config: Path,
    /,
    *,
    out: Path,
    folds: str | None = None,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    name: str | None = None,
    threshold: float = 0.5,
    describe: bool = True,
    frames: int | None = None,
    batch_size: int = 32,
) -> int:
    """Train and evaluate a network once a fold, by people that it never saw.

    A run that was stopped goes on where it was when the command is called again.

    Args:
        config: A YAML file as for `vlfau train`; its data.fold, data.validation and run.output are replaced.
        out: Folder for the runs and the mean scores.
        folds: The folds to leave out, such as 1,2,3; without it those of the manifest.
        changes: A setting to change, such as run.max_epochs=2; may be given often.
        name: What to call it in tables; the folder's name, if none is given.
        threshold: The probability from which an AU counts as active.
        describe: Describe the frames in words, and score the words.
        frames: Describe this many frames a fold, evenly spaced, instead of all.
        batch_size: Faces at once in the evaluation.
    """
    from vlfau.cli.measuring import ProgressBar, announce, numbers, print_scores
    from vlfau.evaluation import Look, Scope
    from vlfau.evaluation import crossval as run
    from vlfau.training import read_config

    with ProgressBar("Frames") as progress:
        scores = run(
            read_config(config, changes),
            out,
            folds=None if folds is None else numbers(folds, "--folds"),
            name=name,
            scope=Scope(threshold, describe, frames),
            look=Look(batch_size, progress=progress),
            announce=announce,
        )
    print_scores(scores, out)
    return 0
