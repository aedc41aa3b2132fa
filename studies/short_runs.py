"""Trainings short enough to be repeated hundreds of times on one CPU core, and a file that keeps what each scored.

The stem's first stages stay frozen, so what they see of a face never changes: it is computed once for a few varied
views of every face (`Views`) and read again by every run. The other stages, and all of a method's own parts, train with
the package's modules, losses, optimiser and schedule. Every run takes the same number of steps, whatever its method and
however many people it trains on, and adds one line to a `Record` file, from which tables are made.

Dimensions: F frames, V views, N AUs, S people.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from studies.views import Views
from vlfau.data.clips import ClipShuffle
from vlfau.data.datamodule import FaceDataModule
from vlfau.data.dataset import Batch
from vlfau.data.transforms import AugmentationConfig
from vlfau.errors import InputError
from vlfau.evaluation.au_metrics import Confusion, finite_mean
from vlfau.evaluation.method_costs import network_costs
from vlfau.evaluation.predictions import UNKNOWN
from vlfau.evaluation.probability_metrics import roc_auc_per_au
from vlfau.files.atomic import replacing
from vlfau.model import VLFAU
from vlfau.model.facemesh import FIRST_LEVEL_STAGES, FaceMeshBackbone
from vlfau.model.rivals.network import RivalNetwork
from vlfau.model.rivals.registry import clip_length_of
from vlfau.paper.balance import balance_of, draw_balances
from vlfau.training import PROTOCOL_THRESHOLD, TrainConfig
from vlfau.training.module import VLFAUModule, adamw, rate_scale
from vlfau.training.train import data_of, module_of

__all__ = ["LONG", "Budget", "Job", "Record", "draw_figure_3", "finish", "of_length", "read_records"]

TESTED_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may use.

    Attributes:
        steps: Steps of training.
        batch_size: Faces per step.
        views: V, varied views of every face.
    """

    steps: int = 500
    batch_size: int = 16
    views: int = 3


LONG: Final = Budget(steps=2000)
"""Four times as long, to see what a short training leaves unfinished."""


@dataclass(frozen=True)
class Record:
    """What one run scored.

    Attributes:
        name: Method or variant.
        data: Name of the data set.
        fold: Test fold.
        seed: Seed.
        size: People that it trained on; None for all.
        budget: `Budget` as a mapping.
        au_ids: (N,).
        subjects: (S,), the tested people.
        counts: (S, 4, N), true positives, false positives, false negatives and true negatives at a threshold of .5.
        auc: Mean area under the ROC curve.
        parameters: Weights of the network without its caption decoders.
        flops: Floating-point operations per face.
        ms_per_face: Median time of one face on one thread, in milliseconds.
        seconds: Duration of the training.
        cpu_seconds: CPU time of the training.
        losses: Mean of each term of the loss over the last tenth of the steps.
    """

    name: str
    data: str
    fold: int
    seed: int
    size: int | None
    budget: Mapping[str, int]
    au_ids: Sequence[int]
    subjects: Sequence[str]
    counts: Sequence[Any]
    auc: float | None
    parameters: int
    flops: int
    ms_per_face: float
    seconds: float
    cpu_seconds: float
    losses: Mapping[str, float]

    @property
    def key(self) -> str:
        """What tells it from other records."""
        return json.dumps([self.name, self.data, self.fold, self.seed, self.size, dict(self.budget)], sort_keys=True)

    @property
    def confusion(self) -> Confusion:
        """The counts of every person."""
        return Confusion(np.asarray(self.counts, np.float64))

    @property
    def f1_per_au(self) -> NDArray[np.float64]:
        """F1 of every AU over all tested frames, (N,)."""
        return Confusion(self.confusion.counts.sum(0)).f1_per_au

    @property
    def f1_macro(self) -> float:
        """Mean F1 of the AUs."""
        return float(np.nanmean(self.f1_per_au))

    def append(self, path: Path) -> None:
        """Add the run to a file, one line per run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self), separators=(",", ":")) + "\n")


def read_records(path: Path) -> list[Record]:
    """Read a file of runs; empty if there is none. A last line that was cut off does not count.

    Raises:
        InputError: A line is damaged.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    names = {entry.name for entry in fields(Record)}
    records = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            content = json.loads(line)
            records.append(Record(**{name: content[name] for name in names}))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}, is no finished run ({error}); delete the line") from None
    return records


def of_length(records: Sequence[Record], budget: Budget) -> list[Record]:
    """Return the runs that had as many steps as a budget allows."""
    return [each for each in records if each.budget["steps"] == budget.steps]


def draw_figure_3(records: Sequence[Record], data: Sequence[str], titles: Mapping[str, str], path: Path) -> bool:
    """Draw Figure 3 of the runs on all people.

    Args:
        records: The runs.
        data: Names of the data sets with BP4D's AUs and with DISFA's.
        titles: Names of the methods in the figure, the baseline first; those without a run on both are left out.
        path: A JPEG file.

    Returns:
        Whether there was anything to draw.
    """
    measured = {}
    for name, title in titles.items():
        runs = [[each for each in records if (each.name, each.data, each.size) == (name, key, None)] for key in data]
        if all(runs):
            bp4d, disfa = ((100 * np.nanmean([run.f1_per_au for run in some], axis=0)).tolist() for some in runs)
            measured[title] = (bp4d, disfa)
    baseline = next(iter(titles.values()))
    if baseline not in measured:
        return False
    figure = draw_balances(balance_of(measured, baseline), baseline)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="jpeg", dpi=130, pil_kwargs={"quality": 88})
    return True


class _Recalling(nn.Module):
    """A backbone whose next call starts from features that are known already."""

    def __init__(self, backbone: FaceMeshBackbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.known: Tensor | None = None

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the four levels, of the known features if there are any, otherwise of the images."""
        known, self.known = self.known, None
        first = self.backbone.first_level(images) if known is None else known
        return self.backbone.levels(first)


@dataclass(frozen=True)
class Job:
    """A run to be made.

    Attributes:
        name: Method or variant.
        config: The network, the data, the fold, the seed and the recipe.
    """

    name: str
    config: TrainConfig

    def key(self, budget: Budget) -> str:
        """Return what tells its record from others."""
        data = self.config.data
        return json.dumps(
            [
                self.name,
                data.manifest.parent.name,
                data.fold or 0,
                self.config.run.seed,
                data.train_subjects,
                asdict(budget),
            ],
            sort_keys=True,
        )


def finish(jobs: Sequence[Job], path: Path, budget: Budget, *, cache: Path, announce: Callable[[str], None]) -> None:
    """Make the runs that a file of records lacks, in order, and add each to it.

    Args:
        jobs: All runs.
        path: The file.
        budget: What each may use.
        cache: Folder of what the frozen stages see.
        announce: Called with a line before each run.
    """
    finished = {record.key for record in read_records(path)}
    views: dict[tuple[Path, AugmentationConfig], Views] = {}
    for number, job in enumerate(jobs, 1):
        if job.key(budget) in finished:
            continue
        faces = (job.config.data.manifest, job.config.augmentation)
        if faces not in views:
            views[faces] = Views(job.config, budget.views, cache, announce)
        announce(f"run {number} of {len(jobs)}: {job.key(budget)}")
        run_once(job.config, job.name, views[faces], budget).append(path)


def run_once(config: TrainConfig, name: str, views: Views, budget: Budget) -> Record:
    """Train a network and test it on its fold.

    Args:
        config: The network, the data, the fold, the seed and the recipe.
        name: Name in the record.
        views: The faces.
        budget: What the run may use.
    """
    model = replace(config.model, backbone_options={"frozen_stages": FIRST_LEVEL_STAGES})
    config = replace(
        config,
        model=model,
        data=replace(config.data, keep_in_memory=False),
        run=replace(config.run, batch_size=budget.batch_size, num_workers=0),
    )
    torch.manual_seed(config.run.seed)
    data = data_of(config)
    module = module_of(config, data)
    network, pad_id = module.network, data.vocabulary.pad_id
    plain = network.stem.backbone
    assert isinstance(plain, FaceMeshBackbone)
    recalling = _Recalling(plain)
    network.stem.backbone = recalling
    started, started_cpu = time.perf_counter(), time.process_time()
    losses = _train(module, recalling, _batches(config, data, views, budget), budget.steps)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    network.eval()
    frames = data.test_frames.frames
    probs = _probabilities(network, recalling, [views.rows[frame.image] for frame in frames], views, pad_id)
    states = [[UNKNOWN if state is None else int(state.active) for state in frame.states] for frame in frames]
    occurrence, subjects = np.array(states, np.int8), [frame.subject_id for frame in frames]
    confusion = Confusion.by_subject(probs, occurrence, PROTOCOL_THRESHOLD, subjects)
    costs = network_costs(network, model.crop_size, training_seconds=seconds)
    return Record(
        name=name,
        data=config.data.manifest.parent.name,
        fold=config.data.fold or 0,
        seed=config.run.seed,
        size=config.data.train_subjects,
        budget=asdict(budget),
        au_ids=list(data.au_ids),
        subjects=sorted(set(subjects)),
        counts=confusion.counts.astype(int).tolist(),
        auc=finite_mean(roc_auc_per_au(probs, occurrence).tolist()),
        parameters=costs.parameters,
        flops=costs.flops,
        ms_per_face=round(1000 * (costs.seconds_per_face or 0), 3),
        seconds=round(seconds, 1),
        cpu_seconds=round(cpu_seconds, 1),
        losses={term: round(value, 4) for term, value in losses.items()},
    )


def _batches(config: TrainConfig, data: FaceDataModule, views: Views, budget: Budget) -> Iterator[tuple[Batch, Tensor]]:
    """Yield the faces of every step and their known features, for ever."""
    frames, length = data.train_frames.frames, clip_length_of(config.model)
    rows = [views.rows[frame.image] for frame in frames]
    generator = torch.Generator().manual_seed(config.run.seed)
    waiting: list[tuple[int, int]] = []
    epoch = 0
    while True:
        if length == 1:
            windows = [[place] for place in torch.randperm(len(rows), generator=generator).tolist()]
        else:
            order = list(ClipShuffle(frames, length, config.run.seed + epoch))
            windows = [order[start : start + length] for start in range(0, len(order), length)]
        for window in windows:
            view = int(torch.randint(views.count, (), generator=generator))
            waiting += [(rows[place], view) for place in window]
            if len(waiting) >= budget.batch_size:
                taken, waiting = waiting[: budget.batch_size], waiting[budget.batch_size :]
                yield views.batch([row for row, _ in taken], [view for _, view in taken], data.vocabulary.pad_id)
        epoch += 1


def _train(
    module: VLFAUModule, recalling: _Recalling, batches: Iterator[tuple[Batch, Tensor]], steps: int
) -> dict[str, float]:
    """Train, and return the mean of each term over the last tenth of the steps."""
    network, recipe = module.network.train(), module.optimiser
    optimiser = adamw(network, recipe)
    schedule = LambdaLR(optimiser, lambda step: rate_scale(step, warmup_steps=recipe.warmup_steps, steps=steps))
    last: dict[str, list[float]] = {}
    for step in range(steps):
        batch, recalling.known = next(batches)
        if isinstance(network, RivalNetwork):
            network.rival.progress = step / steps
        losses = module.training_losses(batch)
        optimiser.zero_grad()
        losses.total().backward()  # type: ignore[no-untyped-call]
        if recipe.gradient_clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_clip)
        optimiser.step()
        schedule.step()
        if step >= int(0.9 * steps):
            for term, value in losses.named().items():
                last.setdefault(term, []).append(float(value.detach()))
    return {term: float(np.mean(values)) for term, values in last.items()}


@torch.inference_mode()
def _probabilities(
    network: VLFAU, recalling: _Recalling, rows: Sequence[int], views: Views, pad_id: int
) -> NDArray[np.float32]:
    """Return the probabilities (F, N) of the plain views of some faces."""
    found = []
    for start in range(0, len(rows), TESTED_AT_ONCE):
        some = rows[start : start + TESTED_AT_ONCE]
        batch, recalling.known = views.batch(some, [views.count] * len(some), pad_id)
        found.append(network.encode(batch.faces).au_logits.sigmoid().numpy())
    return np.concatenate(found)
