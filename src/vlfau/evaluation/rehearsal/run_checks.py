"""What a rehearsal asks of the runs: their weights, their folder, their disk and how they spend their time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from vlfau.errors import InputError
from vlfau.evaluation.rehearsal.checks import Found, Status
from vlfau.evaluation.rehearsal.costs import Rates, RunCost, Sizes, disk_need
from vlfau.evaluation.rehearsal.machine import free_disk, size_of
from vlfau.evaluation.rehearsal.work import RunWork
from vlfau.model.stem import FACEMESH, create_backbone
from vlfau.training import EpochChoice, TrainConfig
from vlfau.training.run_folder import check_same_run, content_of

__all__ = ["disk", "output_folder", "room_for", "stem_weights", "validations"]

NOTED_SHARE: Final = 0.05
"""Of the time, from which validations that choose nothing are worth a note."""
GIB: Final = 2**30


def stem_weights(config: TrainConfig) -> Found[bool]:
    """Load the stem's weights.

    Raises:
        ConfigError: They are not there, damaged, or of another backbone.
    """
    if config.run.start_from is not None:
        return Found(True, f"the network starts from {config.run.start_from}")
    if config.model.backbone == FACEMESH:
        return Found(True, "those of FaceMesh, which the package ships")
    create_backbone(
        config.model.backbone,
        crop_size=config.model.crop_size,
        weights=config.stem.weights,
        options=config.model.backbone_options,
    )
    if config.stem.weights is None:
        says = "none (stem.weights): the stem starts from scratch, and scores do not compare with published ones"
        return Found(True, says, Status.NOTE)
    return Found(True, f"{config.stem.weights} fits {config.model.backbone}")


def output_folder(real: Sequence[TrainConfig], out: Path, *, manifest_is_whole: bool) -> Found[None]:
    """Make sure that runs which are there already have the settings of those that are planned.

    Args:
        real: The runs that are planned.
        out: Their folder.
        manifest_is_whole: Whether the manifest is the one of the real runs, so that its content can be compared.

    Raises:
        InputError: One has others.
    """
    begun = [config for config in real if config.run.output.exists()]
    for config in begun:
        check_same_run(config, content_of(config) if manifest_is_whole else None)
    if not begun:
        return Found(None, f"{out} holds no run yet")
    return Found(None, f"{out} holds {len(begun)} of {len(real)} runs already, of the same settings")


def room_for(sizes: Sizes, out: Path) -> None:
    """Make sure that the disk holds what a rehearsal writes itself.

    Raises:
        InputError: It does not.
    """
    need, free = 2 * (sizes.checkpoint + sizes.resume), free_disk(out)
    if need > free:
        raise InputError(
            f"the disk of {out} has {free / GIB:.1f} GiB free, and a single run needs {need / GIB:.1f} GiB while it "
            "writes; free space, or choose another --out"
        )


def disk(works: Sequence[RunWork], rates: Mapping[str, Rates], out: Path) -> Found[None]:
    """Make sure that the disk holds what all runs leave.

    Raises:
        InputError: It does not.
    """
    need, there, free = disk_need(works, rates), size_of(out), free_disk(out)
    says = f"{need / GIB:.1f} GiB for {len(works)} runs"
    says += f", of which {there / GIB:.1f} GiB are there" if there > GIB / 20 else ""
    if need - there > free:
        raise InputError(
            f"{says}, and the disk of {out} has {free / GIB:.1f} GiB free; free space, or choose another --out"
        )
    return Found(None, f"{says}; {free / GIB:.1f} GiB are free")


def validations(config: TrainConfig, costs: Sequence[RunCost]) -> str | None:
    """Say how much of the time goes to validations that choose nothing; None where that is little."""
    run = config.run
    share = sum(cost.validation for cost in costs) / sum(cost.total for cost in costs)
    if share < NOTED_SHARE or run.epoch_choice is not EpochChoice.LAST or run.validate_every_epochs >= run.max_epochs:
        return None
    return (
        f"{share:.0%} of the time goes to validations that choose nothing (run.epoch_choice is last); --set "
        f"run.validate_every_epochs={run.max_epochs} leaves the last one"
    )
