"""What runs have to do, in numbers of frames, steps and captions: known before anything is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vlfau.data import Manifest
from vlfau.evaluation.tested import Scope
from vlfau.model import ModelConfig
from vlfau.training import EpochChoice, TrainConfig

__all__ = ["DataCount", "FoldCount", "RunWork", "network_key", "work_of"]

PARTS = ("multi_scale", "dair", "local_language", "global_language")


@dataclass(frozen=True)
class FoldCount:
    """What one fold of a data set holds.

    Attributes:
        fold: Its number; None for frames of no fold, which always train.
        subjects: Number of people.
        frames: Number of frames.
        positives: (N,), frames in which each AU is active.
    """

    fold: int | None
    subjects: int
    frames: int
    positives: tuple[int, ...]


@dataclass(frozen=True)
class DataCount:
    """What a data set holds.

    Attributes:
        au_ids: (N,), FACS numbers.
        folds: By number; frames of no fold come last.
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
        """The number of all people."""
        return sum(each.subjects for each in self.folds)

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """The folds that can be left out."""
        return tuple(each.fold for each in self.folds if each.fold is not None)

    def tested(self, fold: int | None) -> int:
        """Return how many frames test a fold; all without one."""
        return sum(each.frames for each in self.folds if fold is None or each.fold == fold)

    def trained(self, fold: int | None) -> int:
        """Return how many frames train where a fold is left out."""
        return sum(each.frames for each in self.folds if fold is None or each.fold != fold)


@dataclass(frozen=True)
class RunWork:
    """What one run has to do.

    Attributes:
        name: Its folder, seen from that of the whole.
        network: Which network it trains, see `network_key`.
        train_frames: Frames that train.
        epochs: How often they do.
        steps: Batches of all epochs.
        validated: Frames of all validations.
        tested: Frames of the test fold, which are evaluated.
        described: How many of them are described in words.
        captions: How many captions are searched for that.
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
    """Return the parts that a network has, which tell the variants of Table 4 apart.

    >>> network_key(ModelConfig(global_language=False))
    'multi_scale dair local_language'
    """
    return " ".join(part for part in PARTS if getattr(model, part)) or "baseline"


def work_of(configs: Sequence[TrainConfig], root: Path, counts: DataCount, scope: Scope) -> tuple[RunWork, ...]:
    """Return what every run has to do.

    Args:
        configs: The runs, each with its fold.
        root: The folder of the whole, from which the runs are named.
        counts: What the data hold.
        scope: How much is measured after training.
    """
    return tuple(_work(config, root, counts, scope) for config in configs)


def _work(config: TrainConfig, root: Path, counts: DataCount, scope: Scope) -> RunWork:
    run, model, num_aus = config.run, config.model, len(counts.au_ids)
    train_frames, tested = counts.trained(config.data.fold), counts.tested(config.data.fold)
    validated = tested
    if run.epoch_choice is EpochChoice.HELD_OUT:
        people = sum(each.subjects for each in counts.folds if each.fold != config.data.fold)
        held_out = min(max(1, round(run.held_out_share * people)), people - 1)  # as `vlfau.data.folds.hold_out` has it
        validated = round(train_frames * held_out / people)
        train_frames -= validated
    validations = sum(
        epoch % run.validate_every_epochs == 0 or epoch == run.max_epochs for epoch in range(1, run.max_epochs + 1)
    )
    # Training leaves out a last batch that is not full, unless it is the only one.
    steps = run.max_epochs * max(1, train_frames // run.batch_size)
    speaks = model.local_language or model.global_language
    described = len(scope.indices(tested)) if speaks else 0
    per_frame = 2 * num_aus * model.local_language + model.global_language  # free ones, and ones held to the states
    return RunWork(
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
