"""`vlfau train`: a manifest in, a checkpoint out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from vlfau.training import TrainConfig

__all__ = ["train"]


def train(
    config: Path,
    /,
    *,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    resume: Annotated[bool, Parameter(negative=())] = False,
    go_on: Annotated[bool, Parameter(name="--continue", negative=())] = False,
) -> int:
    """Train a network on a manifest of aligned faces.

    Writes to run.output: the checkpoint of the epoch that run.epoch_choice selects, the state for --resume, the
    configuration, and TensorBoard logs.

    Args:
        config: YAML file; see configs/ for examples.
        changes: A setting to change, such as run.max_epochs=2; may be repeated.
        resume: Resume the run in the folder, with the settings it was started with.
        go_on: Resume the run in the folder if there is one; start one otherwise.
    """
    from vlfau.cli.console import output_console, print_notice
    from vlfau.cli.measuring import note_other_source
    from vlfau.training import EpochChoice, is_main_process, read_config, read_metadata
    from vlfau.training import train as run
    from vlfau.training.run_folder import RESUME_FILE, check_same_run, content_of

    settings = read_config(config, changes)
    from_nothing = settings.stem.weights is None and settings.run.start_from is None
    if from_nothing and settings.model.backbone != "facemesh":
        print_notice(
            "no stem.weights are given, so the stem starts from scratch; its scores are not comparable "
            "with those of a stem pre-trained on ImageNet",
            title="note",
            style="yellow",
        )
    if is_main_process():
        note_other_source(settings.data)
    if go_on:
        check_same_run(settings, content_of(settings))
    going_on = resume or (go_on and (settings.run.output / RESUME_FILE).is_file())
    folder = run(settings, resume=going_on, notify=lambda text: print_notice(text, title="note", style="yellow"))
    if not is_main_process():
        return 0
    console = output_console()
    if not folder.is_dir():
        what = "the last epoch" if settings.run.epoch_choice is EpochChoice.LAST else "the first validation"
        console.print(f"stopped before {what}; only the state for --resume is kept so far")
        return 0
    checkpoint = read_metadata(folder)
    kind = "synthetic faces" if settings.data.synthetic else "the frames"
    console.print(
        f"macro F1 {checkpoint.scores['f1_macro']:.3f} on {kind} of {_who(settings)}, "
        f"after epoch {checkpoint.scores['epoch']:.0f}"
    )
    console.print(f"checkpoint: {folder}", markup=False)
    return 0


def _who(settings: "TrainConfig") -> str:
    """Return whose frames were scored, and whether they also trained or chose the epoch."""
    choice, data = str(settings.run.epoch_choice), settings.data
    if choice == "held-out":
        return "the people held out, who also chose the epoch"
    if data.validation is not None:
        return str(data.validation)
    if data.fold is None:
        return "all folds, which also trained"
    return f"fold {data.fold}, which also chose the epoch" if choice == "test-fold" else f"fold {data.fold}"
