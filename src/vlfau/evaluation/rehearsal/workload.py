"""The workload of runs in frames, steps and captions, which is known before training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vlfau.data.manifest import Manifest
from vlfau.evaluation.tested import Scope
from vlfau.model import ModelConfig
from vlfau.model.rivals.registry import VL_FAU
from vlfau.training import EpochChoice, TrainConfig

__all__ = ["PARTS", "DataCount", "FoldCount", "Workload", "network_key", "workloads"]

PARTS = ("multi_scale", "dair", "local_language", "global_language")


@dataclass(frozen=True)
class FoldCount:
    """Counts of one fold of a data set.

    Attributes:
        fold: Number of the fold; None for frames without a fold, which are always trained on.
        subjects: Number of subjects.
        frames: Number of frames.
        positives: (N,) number of frames in which each AU is active.
    """

    fold: int | None
    subjects: int
    frames: int
    positives: tuple[int, ...]


@dataclass(frozen=True)
class DataCount:
    """Counts of a data set.

    Attributes:
        au_ids: (N,) FACS numbers.
        folds: Counts of each fold, by number; frames without a fold come last.
    """

    au_ids: tuple[int, ...]
    folds: tuple[FoldCount, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> "DataCount":
        """Count the frames of a manifest."""
        numbers = {frame.fold for frame in manifest.frames}
        counts = []
        for number in sorted(numbers, key=lambda fold: (fold is None, fold or 0)):
            frames = [frame for frame in manifest.frames if frame.fold == number]
            active = [[state is not None and state.active for state in frame.states] for frame in frames]
            positives = tuple(sum(column) for column in zip(*active, strict=True))
            counts.append(FoldCount(number, len({frame.subject_id for frame in frames}), len(frames), positives))
        return cls(manifest.au_ids, tuple(counts))

    @property
    def frames(self) -> int:
        """The number of all frames."""
        return sum(each.frames for each in self.folds)

    @property
    def subjects(self) -> int:
        """The number of all subjects."""
        return sum(each.subjects for each in self.folds)

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """The folds that can be left out."""
        return tuple(each.fold for each in self.folds if each.fold is not None)

    def tested(self, fold: int | None) -> int:
        """Return the number of test frames of a fold; all frames if None."""
        return sum(each.frames for each in self.folds if fold is None or each.fold == fold)

    def trained(self, fold: int | None) -> int:
        """Return the number of training frames if a fold is left out."""
        return sum(each.frames for each in self.folds if fold is None or each.fold != fold)


@dataclass(frozen=True)
class Workload:
    """The workload of one run.

    Attributes:
        name: Folder of the run, relative to the folder of all runs.
        network: Key of its network, see `network_key`.
        train_frames: Number of training frames.
        epochs: Number of epochs.
        steps: Number of batches in all epochs.
        validated: Number of frames in all validations.
        tested: Number of frames of the test fold, which are evaluated.
        described: Number of test frames that are described in words.
        captions: Number of captions of these frames.
    """

    name: str
    network: str
    train_frames: int
    epochs: int
    steps: int
    validated: int
    tested: int
    described: int
    captions: int


def network_key(model: ModelConfig) -> str:
    """Return the names of a network's parts, which tell the variants of Table 4 apart, or that of another method.

    >>> network_key(ModelConfig(global_language=False))
    'multi_scale dair local_language'
    """
    if model.method != VL_FAU:
        return model.method
    return " ".join(part for part in PARTS if getattr(model, part)) or "baseline"


def workloads(configs: Sequence[TrainConfig], root: Path, counts: DataCount, scope: Scope) -> tuple[Workload, ...]:
    """Return the workload of every run.

    Args:
        configs: The configurations of the runs, each with its fold.
        root: The folder of all runs.
        counts: The counts of the data set.
        scope: How much is measured after training.
    """
    return tuple(_workload(config, root, counts, scope) for config in configs)


def _workload(config: TrainConfig, root: Path, counts: DataCount, scope: Scope) -> Workload:
    run, model, num_aus = config.run, config.model, len(counts.au_ids)
    train_frames, tested = counts.trained(config.data.fold), counts.tested(config.data.fold)
    validated = tested
    if run.epoch_choice is EpochChoice.HELD_OUT:
        subjects = sum(each.subjects for each in counts.folds if each.fold != config.data.fold)
        held_out = min(max(1, round(run.held_out_share * subjects)), subjects - 1)  # as in `vlfau.data.folds.hold_out`
        validated = round(train_frames * held_out / subjects)
        train_frames -= validated
    validations = sum(
        epoch % run.validate_every_epochs == 0 or epoch == run.max_epochs for epoch in range(1, run.max_epochs + 1)
    )
    # Training drops an incomplete last batch, unless it is the only one.
    steps = run.max_epochs * max(1, train_frames // run.batch_size)
    has_captions = model.local_language or model.global_language
    described = len(scope.indices(tested)) if has_captions else 0
    # Local captions are generated twice: freely, and consistent with the predicted states.
    per_frame = 2 * num_aus * model.local_language + model.global_language
    return Workload(
        name=run.output.relative_to(root).as_posix(),
        network=network_key(model),
        train_frames=train_frames,
        epochs=run.max_epochs,
        steps=steps,
        validated=validations * validated,
        tested=tested,
        described=described,
        captions=per_frame * described,
    )
