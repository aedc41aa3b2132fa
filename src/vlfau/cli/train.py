"""`vlfau train`: a manifest in, a checkpoint out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["train"]


def train(
    config: Path,
    /,
    *,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    resume: Annotated[bool, Parameter(negative=())] = False,
    go_on: Annotated[bool, Parameter(name="--continue", negative=())] = False,
) -> int:
    """Train a network on a manifest of aligned faces, and keep the state with the best macro F1.

    The run's folder (run.output) gets the best checkpoint, what a later --resume needs, the configuration and
    TensorBoard's files.

    Args:
        config: A YAML file; the ones in configs/ show the keys.
        changes: A setting to change, such as run.max_epochs=2; may be given often.
        resume: Go on with the run that the folder holds.
        go_on: Go on if the folder holds a run, and begin one otherwise.
    """
    from vlfau.cli.console import output_console, print_notice
    from vlfau.training import is_main_process, read_config, read_papers
    from vlfau.training import train as run
    from vlfau.training.train import RESUME_FILE

    settings = read_config(config, changes)
    if settings.stem.weights is None and settings.model.backbone != "facemesh":
        print_notice(
            "no stem.weights are given, so the stem starts from scratch; its scores do not compare with those of "
            "a stem that was pre-trained on ImageNet",
            title="note",
            style="yellow",
        )
    best = run(settings, resume=resume or (go_on and (settings.run.output / RESUME_FILE).is_file()))
    if not is_main_process():
        return 0
    if not best.is_dir():
        output_console().print("stopped before the first validation; nothing is kept yet but what --resume needs")
        return 0
    checkpoint = read_papers(best)
    kind = "synthetic faces" if settings.data.synthetic else "the frames"
    console = output_console()
    console.print(f"best macro F1 {checkpoint.scores['f1_macro']:.3f} on {kind} of fold {checkpoint.fold}")
    console.print(f"checkpoint: {best}", markup=False)
    return 0
