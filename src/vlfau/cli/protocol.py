"""What `vlfau crossval` and `vlfau ablate` share: the options of a protocol that trains and evaluates many runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from vlfau.evaluation.rehearsal import Task
    from vlfau.evaluation.tested import Scope
    from vlfau.training import TrainConfig

__all__ = ["ProtocolOptions"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ProtocolOptions:
    """How the runs of a protocol are prepared, evaluated and reported.

    Attributes:
        folds: Test folds, such as 1,2,3; all folds of the manifest if omitted, as in the paper.
        changes: A setting to change, such as run.max_epochs=2; may be repeated.
        name: Name in tables; the folder's name if omitted.
        threshold: Probability from which an AU counts as active.
        describe: Generate captions and score them.
        frames: Caption this many evenly spaced frames per run instead of all.
        batch_size: Batch size of the evaluation.
        prepare: Folder of the raw data set (BP4D or DISFA, matching data.aus); it is prepared first if data.manifest
            does not exist.
        workers: Number of processes for preparing.
        report: Also write the tables and figures of these runs to this folder, as `vlfau report` does.
        rehearse: Dry run: try every step on a small part of the data, and estimate within minutes whether the real run
            will succeed and what it will cost.
        minutes: Approximate length of the rehearsal, in minutes.
    """

    folds: str | None = None
    changes: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = ()
    name: str | None = None
    threshold: float = 0.5
    describe: bool = True
    frames: int | None = None
    batch_size: int = 32
    prepare: Path | None = None
    workers: int = 1
    report: Path | None = None
    rehearse: Annotated[bool, Parameter(negative=())] = False
    minutes: float = 5.0

    @property
    def chosen_folds(self) -> list[int] | None:
        """The test folds; None if all are meant."""
        from vlfau.cli.measuring import numbers

        return None if self.folds is None else numbers(self.folds, "--folds")

    @property
    def scope(self) -> "Scope":
        """What is tested."""
        from vlfau.evaluation.tested import Scope

        return Scope(self.threshold, self.describe, self.frames)

    def rehearse_task(self, task: "Task") -> int:
        """Rehearse, and return the exit code."""
        from vlfau.cli.rehearsing import rehearse_command

        return rehearse_command(task, minutes=self.minutes, prepare=self.prepare, workers=self.workers)

    def begin(
        self, settings: "TrainConfig", out: Path, plan: Callable[[Sequence[int]], Sequence["TrainConfig"]]
    ) -> None:
        """Prepare the data if that is wanted, and print what the runs will cost.

        Args:
            settings: Shared by all runs.
            out: Folder of the runs.
            plan: Returns the runs of some folds.
        """
        from vlfau.cli.measuring import note_other_source
        from vlfau.cli.preparing import prepare_manifest
        from vlfau.cli.rehearsing import say_cost
        from vlfau.data.manifest import read_manifest
        from vlfau.evaluation.crossval import choose_folds
        from vlfau.evaluation.prediction_runner import EvalOptions

        if self.prepare is not None:
            prepare_manifest(settings, self.prepare, self.workers)
        note_other_source(settings.data)
        manifest = read_manifest(settings.data.manifest, settings.data.au_ids(), pictures=False)
        runs = plan(choose_folds(manifest, self.chosen_folds))
        say_cost(runs, manifest, out, scope=self.scope, options=EvalOptions(self.batch_size))

    def end(self, out: Path) -> int:
        """Write the report if one is wanted, and return the exit code."""
        from vlfau.cli.report import report

        return 0 if self.report is None else report(out, self.report)
