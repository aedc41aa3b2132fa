"""Our re-runs of the published methods, each directly below its published row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import InputError
from vlfau.evaluation.au_metrics import Interval, f1_draws, interval_of, mean_of_known
from vlfau.evaluation.method_costs import MethodCosts, method_costs
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import AU_SETS, action_unit
from vlfau.files.atomic import replacing
from vlfau.model.checkpoint import read_metadata
from vlfau.model.config import ModelConfig
from vlfau.model.rivals.registry import RIVALS, VL_FAU
from vlfau.paper.data_coverage import PUBLISHED_SETS, DataKey, marks_of
from vlfau.paper.published import Published, PublishedScore, read_published
from vlfau.paper.runs import Crossval, find_runs
from vlfau.paper.table_formats import Cell, Row, Table, to_csv, to_latex, to_markdown
from vlfau.training.run_folder import CHECKPOINT_FOLDER

__all__ = [
    "OrderAgreement",
    "ReRun",
    "compare_methods",
    "gain_of",
    "order_agreement",
    "published_means",
    "published_names",
    "read_reruns",
    "write_tables",
]

BASELINE: Final = "Baseline"
COST_HEADS: Final = ("AUC", "minus baseline", "M weights", "GFLOPs", "ms a face", "training h")
PERMUTATIONS: Final = 10_000
WRITERS: Final = {".md": to_markdown, ".csv": to_csv, ".tex": to_latex}
_NO_COSTS: Final = (Cell(None),) * len(COST_HEADS)


@dataclass(frozen=True, eq=False)
class ReRun:
    """A method that was trained here.

    Attributes:
        name: Its name in the table.
        published: Names of the method in the published tables; `BASELINE` for variant (1) of VL-FAU; empty for others.
        data: Its data.
        f1_per_au: Mean F1 over the folds, by AU; None where it is undefined.
        f1_macro: Their mean.
        roc_auc_macro: Mean area under the ROC curve; None if it is unknown.
        costs: Of its first fold.
        draws: The macro F1 of people drawn with replacement, (R,), averaged over the folds.
        folds: The folds and the people of each, which have to be alike to compare draws.
        marks: See `vlfau.paper.data_coverage.MARKS`.
        note: Stands behind the name, such as how many folds are finished.
    """

    name: str
    published: tuple[str, ...]
    data: DataKey
    f1_per_au: Mapping[int, float | None]
    f1_macro: float | None
    roc_auc_macro: float | None
    costs: MethodCosts
    draws: NDArray[np.float64]
    folds: tuple[tuple[int | None, tuple[str, ...]], ...]
    marks: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderAgreement:
    """How well the order of re-runs agrees with the published one.

    Attributes:
        methods: Number of methods in both.
        correlation: Spearman's rank correlation of the mean F1.
        p_value: Share of random orders that correlate at least as strongly, in either direction.
    """

    methods: int
    correlation: float
    p_value: float

    @property
    def text(self) -> str:
        """A sentence for a table's footnote."""
        return (
            f"rank correlation of published and re-run mean F1 over {self.methods} methods: {self.correlation:.2f} "
            f"(p = {self.p_value:.3f} by permutation)"
        )


def compare_methods(runs: Path, out: Path, *, timed: bool = True) -> tuple[Table, ...]:
    """Write one table per data set: every published row, and ours on that data directly below it.

    Args:
        runs: Folder with cross-validations, at any depth.
        out: Folder for the tables, as Markdown, CSV and LaTeX.
        timed: Whether to time the networks, too.

    Returns:
        The tables.

    Raises:
        InputError: There are no cross-validations, a file is damaged, or a table can't be written.
    """
    return write_tables(read_reruns(runs, timed=timed), out)


def write_tables(reruns: Sequence[ReRun], out: Path) -> tuple[Table, ...]:
    """Write one table per data set.

    Args:
        reruns: Methods that were trained here.
        out: Folder for the tables.

    Raises:
        InputError: A table can't be written.
    """
    by_data: dict[DataKey, list[ReRun]] = {}
    for rerun in reruns:
        by_data.setdefault(rerun.data, []).append(rerun)
    tables = tuple(
        _table(f"methods{number}", key, some, read_published()) for number, (key, some) in enumerate(by_data.items(), 1)
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {out} ({error.strerror}); choose another folder") from None
    for table in tables:
        for suffix, write in WRITERS.items():
            with replacing(out / f"{table.key}{suffix}") as temporary:
                temporary.write_text(write(table), encoding="utf-8")
    return tables


def read_reruns(folder: Path, *, timed: bool = True) -> list[ReRun]:
    """Read the cross-validations in a folder, with the method and the costs of each.

    Raises:
        InputError: There is none, or a file is damaged.
    """
    crossvals = find_runs(folder).crossvals
    if not crossvals:
        raise InputError(f"{folder} holds no cross-validation; run `vlfau crossval` with files of configs/rivals first")
    return [_rerun(run, timed=timed) for run in crossvals]


def _rerun(run: Crossval, *, timed: bool) -> ReRun:
    first = run.folds[0].folder
    draws, folds = [], []
    for fold in run.folds:
        predictions = Predictions.load(fold.folder)
        number = fold.scores.fold or 0
        # Equal seeds draw the same people for all methods, so that differences are paired.
        threshold = np.asarray(fold.scores.threshold, np.float64)
        draws.append(mean_of_known(f1_draws(predictions, threshold, seed=number), axis=1))
        folds.append((fold.scores.fold, tuple(sorted(set(predictions.subject_ids)))))
    return ReRun(
        run.name,
        published_names(read_metadata(first / CHECKPOINT_FOLDER).model),
        DataKey.of(run.scores),
        run.scores.f1_per_au,
        run.scores.f1_macro,
        run.scores.roc_auc_macro,
        method_costs(first, timed=timed),
        np.mean(draws, axis=0),
        tuple(folds),
        marks_of(fold.scores for fold in run.folds),
    )


def published_names(model: ModelConfig) -> tuple[str, ...]:
    """Return the names of a configuration's method in the published tables."""
    if model.method != VL_FAU:
        return RIVALS[model.method].published
    parts = (model.multi_scale, model.dair, model.local_language, model.global_language)
    return ("VL-FAU",) if all(parts) else (BASELINE,) if not any(parts) else ()


def _table(key: str, data: DataKey, reruns: Sequence[ReRun], published: Published) -> Table:
    au_set = _au_set(data)
    baseline = next((rerun for rerun in reruns if BASELINE in rerun.published), None)
    rows, placed = [], set()
    for name, venue, score in _published_rows(published, au_set):
        rows.append(Row((name, venue, (au_set or "").upper()), (*map(Cell, score.aus), Cell(score.mean), *_NO_COSTS)))
        for rerun in reruns:
            if name in rerun.published and id(rerun) not in placed:
                placed.add(id(rerun))
                rows.append(_own_row(rerun, baseline))
    rows += [_own_row(rerun, baseline) for rerun in reruns if id(rerun) not in placed]
    footnotes = [("a", f"re-runs: {data.title}, mean over folds, 95 % intervals by subject")]
    if agreement := order_agreement(published_means(data), reruns):
        footnotes.append(("b", agreement.text))
    if baseline is not None:
        footnotes.append(("c", f"minus baseline: mean F1 less that of {baseline.name}, the same people drawn for both"))
    if any("KS" in rerun.published for rerun in reruns):
        footnotes.append(("d", "KS learns from the labels of one frame per clip; all others from all"))
    others = [rerun for rerun in reruns if baseline is not None and rerun.folds != baseline.folds]
    if others:
        said = "; ".join(f"{rerun.name} on {_folds(rerun)}" for rerun in others)
        footnotes.append(("e", f"tested on other folds or people than the baseline, and so not comparable: {said}"))
    return Table(
        key,
        f"Methods, published and re-run on {data.title}: F1 in %, and costs",
        ("Method", "Published", "Data"),
        (*(action_unit(au_id).label for au_id in data.au_ids), "F1", *COST_HEADS),
        tuple(rows),
        tuple(footnotes),
        synthetic=data.synthetic,
        ranked=False,  # published and re-run rows are of different data
    )


def _au_set(data: DataKey) -> str | None:
    return next((name for name in PUBLISHED_SETS if AU_SETS[name] == data.au_ids), None)


def _folds(rerun: ReRun) -> str:
    people = len({name for _, names in rerun.folds for name in names})
    return f"fold {', '.join(str(fold) for fold, _ in rerun.folds)} ({people} people)"


def _published_rows(published: Published, au_set: str | None) -> list[tuple[str, str, PublishedScore]]:
    if au_set is None:
        return []
    rows = [(method.name, method.venue, method.f1[au_set]) for method in published.methods if au_set in method.f1]
    first = published.variants[0]
    return [*([(BASELINE, "VL-FAU (1)", first.f1[au_set])] if au_set in first.f1 else []), *rows]


def _own_row(rerun: ReRun, baseline: ReRun | None) -> Row:
    data, costs = rerun.data, rerun.costs
    cells = [Cell(_percent(rerun.f1_per_au.get(au_id))) for au_id in data.au_ids]
    cells.append(Cell(_percent(rerun.f1_macro), _interval(interval_of(100 * rerun.draws))))
    cells.append(Cell(_percent(rerun.roc_auc_macro)))
    gain = gain_of(rerun, baseline)
    cells.append(Cell(None) if gain is None else Cell(gain[0], _interval(gain[1])))
    cells += [
        Cell(costs.parameters / 1e6, f"({costs.parameters / 1e3:.0f} k)"),
        Cell(costs.flops / 1e9, f"({costs.flops / 1e6:.0f} M)"),
    ]
    cells.append(Cell(None if costs.seconds_per_face is None else 1000 * costs.seconds_per_face))
    hours = None if costs.training_seconds is None else costs.training_seconds / 3600
    cells.append(Cell(hours, "" if hours is None else f"({60 * hours:.1f} min)"))
    kind = "synthetic" if data.synthetic else "real"
    label = f"{rerun.name} (re-run{rerun.note})"
    return Row((label, "this package", kind), tuple(cells), ours=True, marks=rerun.marks)


def gain_of(rerun: ReRun, baseline: ReRun | None) -> tuple[float, Interval | None] | None:
    """Return how much more F1 a method scores than the baseline, in percent, with its 95 % interval.

    None for the baseline itself, and where folds or people differ, so that draws are not paired.
    """
    if baseline is None or baseline is rerun or baseline.folds != rerun.folds:
        return None
    if rerun.f1_macro is None or baseline.f1_macro is None:
        return None
    return 100 * (rerun.f1_macro - baseline.f1_macro), interval_of(100 * (rerun.draws - baseline.draws))


def published_means(data: DataKey) -> dict[str, float]:
    """Return the published mean F1 of each method on the data set with the same AUs; empty if there is none."""
    return {name: score.mean for name, _, score in _published_rows(read_published(), _au_set(data))}


def order_agreement(published: Mapping[str, float], reruns: Sequence[ReRun]) -> OrderAgreement | None:
    """Return how the order of methods agrees; None with fewer than three methods in both.

    Args:
        published: The published mean F1 by name; the baseline does not count.
        reruns: Ours on one data set; of several of a method the first counts.
    """
    pairs: dict[str, tuple[float, float]] = {}
    for rerun in reruns:
        for name in rerun.published:
            mean = rerun.f1_macro
            if name in published and name != BASELINE and mean is not None:
                pairs.setdefault(name, (published[name], mean))
    if len(pairs) < 3:
        return None
    ranks = np.array([_ranks([pair[side] for pair in pairs.values()]) for side in range(2)])
    if not ranks.std(axis=1).all():
        return None
    found = float(np.corrcoef(ranks)[0, 1])
    rng = np.random.default_rng(0)
    drawn = np.array([np.corrcoef(ranks[0], rng.permutation(ranks[1]))[0, 1] for _ in range(PERMUTATIONS)])
    p_value = (1 + int((np.abs(drawn) >= abs(found) - 1e-12).sum())) / (1 + PERMUTATIONS)
    return OrderAgreement(len(pairs), found, p_value)


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Return the rank of every value; equal ones share the mean of theirs.

    >>> _ranks([5.0, 1.0, 5.0]).tolist()
    [1.5, 0.0, 1.5]
    """
    array = np.array(values)
    below = (array[None] < array[:, None]).sum(1)
    equal = (array[None] == array[:, None]).sum(1)
    ranks: NDArray[np.float64] = below + (equal - 1) / 2
    return ranks


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.1f}, {interval[1]:.1f}]"
