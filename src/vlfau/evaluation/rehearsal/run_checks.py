"""Checks of the runs: their weights, their folder, the disk, and how they spend their time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from vlfau.errors import InputError
from vlfau.evaluation.rehearsal.checks import Outcome, Status
from vlfau.evaluation.rehearsal.costs import DiskSizes, Rates, RunCost, disk_need
from vlfau.evaluation.rehearsal.resources import folder_size, free_disk
from vlfau.evaluation.rehearsal.workload import Workload
from vlfau.model.stem import FACEMESH, create_backbone
from vlfau.training import EpochChoice, TrainConfig
from vlfau.training.run_folder import check_same_run, content_of

__all__ = ["check_disk", "check_output_folder", "check_scratch_space", "check_stem_weights", "validation_note"]

NOTED_SHARE: Final = 0.05
"""Share of the time from which unused validations are worth a note."""
GIB: Final = 2**30


def check_stem_weights(config: TrainConfig) -> Outcome[bool]:
    """Load the stem's weights.

    Raises:
        ConfigError: They are missing, damaged, or belong to another backbone.
    """
    if config.run.start_from is not None:
        return Outcome(True, f"the network starts from {config.run.start_from}")
    if config.model.backbone == FACEMESH:
        return Outcome(True, "FaceMesh weights, which are part of the package")
    create_backbone(
        config.model.backbone,
        crop_size=config.model.crop_size,
        weights=config.stem.weights,
        options=config.model.backbone_options,
    )
    if config.stem.weights is None:
        message = "none (stem.weights): the stem starts from scratch, so scores are not comparable with published ones"
        return Outcome(True, message, Status.NOTE)
    return Outcome(True, f"{config.stem.weights} fits {config.model.backbone}")


def check_output_folder(planned: Sequence[TrainConfig], out: Path, *, manifest_is_whole: bool) -> Outcome[None]:
    """Make sure that existing runs have the settings of the planned ones.

    Args:
        planned: The planned runs.
        out: The folder of the runs.
        manifest_is_whole: Whether the manifest is that of the real runs, so that its content can be compared.

    Raises:
        InputError: An existing run has other settings.
    """
    existing = [config for config in planned if config.run.output.exists()]
    for config in existing:
        check_same_run(config, content_of(config) if manifest_is_whole else None)
    if not existing:
        return Outcome(None, f"{out} contains no run yet")
    return Outcome(None, f"{out} contains {len(existing)} of {len(planned)} runs already, with the same settings")


def check_scratch_space(sizes: DiskSizes, out: Path) -> None:
    """Make sure that the disk has room for the files of the rehearsal itself.

    Raises:
        InputError: The disk is too full.
    """
    need, free = 2 * (sizes.checkpoint + sizes.resume), free_disk(out)
    if need > free:
        raise InputError(
            f"the disk of {out} has {free / GIB:.1f} GiB free, but a single run needs {need / GIB:.1f} GiB while it "
            "writes; free space, or choose another --out"
        )


def check_disk(runs: Sequence[Workload], rates: Mapping[str, Rates], out: Path) -> Outcome[None]:
    """Make sure that the disk has room for all runs.

    Raises:
        InputError: The disk is too full.
    """
    need, present, free = disk_need(runs, rates), folder_size(out), free_disk(out)
    message = f"{need / GIB:.1f} GiB for {len(runs)} runs"
    message += f", of which {present / GIB:.1f} GiB exist already" if present > GIB / 20 else ""
    if need - present > free:
        raise InputError(
            f"{message}, but the disk of {out} has {free / GIB:.1f} GiB free; free space, or choose another --out"
        )
    return Outcome(None, f"{message}; {free / GIB:.1f} GiB are free")


def validation_note(config: TrainConfig, costs: Sequence[RunCost]) -> str | None:
    """Return a note on the time spent on validations that choose no epoch; None if it is little."""
    run = config.run
    share = sum(cost.validation for cost in costs) / sum(cost.total for cost in costs)
    if share < NOTED_SHARE or run.epoch_choice is not EpochChoice.LAST or run.validate_every_epochs >= run.max_epochs:
        return None
    return (
        f"{share:.0%} of the time goes to validations whose results are not used (run.epoch_choice is last); "
        f"--set run.validate_every_epochs={run.max_epochs} validates only once, at the end"
    )
