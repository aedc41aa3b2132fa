"""Tables of measures beyond the paper: intervals, calibration, captions, truth of captions, and grounding."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from matplotlib.figure import Figure

from vlfau.drawing.theme import LIGHT, row_label
from vlfau.evaluation.scores import Figures
from vlfau.facs import action_unit
from vlfau.paper.data_coverage import DataKey, marks_of
from vlfau.paper.plotting import Drawing, house_style
from vlfau.paper.runs import Ablation, Crossval, Run, Runs
from vlfau.paper.table_formats import Cell, Row, Table

__all__ = ["draw_intervals", "measure_tables"]


def draw_intervals(runs: Runs) -> tuple[Drawing, ...]:
    """Draw the F1 of every AU with its 95 % interval, one figure per cross-validation."""
    return tuple(
        Drawing(
            f"intervals{number}",
            f"{run.name}: F1 of every AU on {DataKey.of(run.scores).title}",
            "Points: F1 over all frames. Bars: 95 % interval from a bootstrap over subjects. Small points below: "
            "single folds.",
            _draw(run),
            synthetic=run.data.synthetic,
        )
        for number, run in enumerate(runs.crossvals, start=1)
    )


def _draw(run: Crossval) -> Figure:
    whole = run.scores.whole
    lines = [("Mean", whole.f1_macro, whole.intervals.f1_macro, [fold.scores.f1_macro for fold in run.folds])]
    lines += [
        (
            row_label(action_unit(au_id)),
            whole.f1_per_au.get(au_id),
            whole.intervals.f1_per_au.get(au_id),
            [fold.scores.f1_per_au[au_id] for fold in run.folds],
        )
        for au_id in reversed(run.scores.au_ids)
    ]
    with house_style():
        figure = Figure(figsize=(7.2, 0.32 * len(lines) + 0.9), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=True, axis="x")
        for height, (_, share, interval, folds) in enumerate(lines):
            colour = LIGHT.ours if height == 0 else LIGHT.others
            known = [100 * fold for fold in folds if fold is not None]
            axes.scatter(known, [height - 0.28] * len(known), s=10, color=colour, alpha=0.5, lw=0)
            if interval is not None:
                axes.plot([100 * end for end in interval], [height, height], color=colour, lw=2, alpha=0.8)
            if share is not None:
                axes.scatter(100 * share, height, s=34, color=colour, zorder=3, lw=0)
        axes.set_yticks(range(len(lines)), [label for label, *_ in lines])
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 100)
        axes.set_xlabel("F1 (%)")
    return figure


LABELS: Final[Mapping[str, str]] = {
    "f1_macro": "F1, mean over AUs",
    "f1_macro_zeros": "F1, mean over AUs, 0 for AUs without positives",
    "f1_micro": "F1, all AUs together",
    "lost_frames.f1_macro": "F1, mean over AUs, inactive in frames without a face",
    "accuracy_macro": "Accuracy",
    "roc_auc_macro": "ROC AUC",
    "average_precision_macro": "Average precision",
    "ece_macro": "Expected calibration error (lower is better)",
    "words.local_top5": "Local captions: top-5 accuracy",
    "words.local_top5_canonical": "Local captions: top-5 accuracy, one fixed wording",
    "words.local_bleu4": "Local captions: BLEU-4",
    "words.local_rouge_l": "Local captions: ROUGE-L",
    "words.local_cider_d": "Local captions: CIDEr-D",
    "words.global_top5": "Global captions: top-5 accuracy",
    "words.global_top5_canonical": "Global captions: top-5 accuracy, one fixed wording",
    "words.global_bleu4": "Global captions: BLEU-4",
    "words.global_rouge_l": "Global captions: ROUGE-L",
    "words.global_cider_d": "Global captions: CIDEr-D",
    "words.consistent_bleu4": "Consistent captions (from the grammar of the references): BLEU-4",
    "words.consistent_drawn_bleu4": "Captions sampled from the grammar without a network: BLEU-4",
    "words.consistent_rouge_l": "Consistent captions (from the grammar of the references): ROUGE-L",
    "words.consistent_drawn_rouge_l": "Captions sampled from the grammar without a network: ROUGE-L",
    "words.consistent_cider_d": "Consistent captions (from the grammar of the references): CIDEr-D",
    "words.consistent_drawn_cider_d": "Captions sampled from the grammar without a network: CIDEr-D",
    "truth.local_agrees_with_predicted": "Local captions agree with the predicted state",
    "truth.local_agrees_where_predicted_active": "Local captions agree where the AU is predicted active",
    "truth.local_degree_close_to_predicted": "Local captions name an intensity within one letter of the predicted one",
    "truth.local_agrees_with_true": "Local captions agree with the true state",
    "truth.local_agrees_where_truly_active": "Local captions agree where the AU is truly active",
    "truth.global_agrees_with_predicted": "Global captions agree with all predicted states",
    "truth.global_precision_of_predicted": "AUs in global captions that are predicted active (precision)",
    "truth.global_recall_of_predicted": "AUs predicted active that global captions name (recall)",
    "truth.global_agrees_with_true": "Global captions agree with all true states",
    "truth.global_precision_of_true": "AUs in global captions that are truly active (precision)",
    "truth.global_recall_of_true": "AUs truly active that global captions name (recall)",
    "truth.consistent_agrees_with_predicted": "Consistent captions agree with the predicted state",
    "truth.consistent_degree_close_to_predicted": "The same for consistent captions",
    "truth.consistent_agrees_with_true": "Consistent captions agree with the true state",
    "truth.pointing_game": "Attention peaks in the AU's region (pointing game)",
    "truth.pointing_game_near": "The same, or within 3 % of the face's side",
    "truth.pointing_game_other": "The same with the attention of other AUs",
    "truth.pointing_game_centre": "The same with the centre of the face",
    "truth.energy_in_region": "Attention inside the AU's region",
    "truth.energy_expected": "The same with uniform attention",
    "counterfactuals.probability_moves_right": "Counterfactuals: the probability moves in the right direction",
    "counterfactuals.state_flips": "Counterfactuals: the state flips",
    "counterfactuals.flips_alone": "Counterfactuals: the state flips and no other AU changes its state",
    "counterfactuals.chance.flips_alone": "The same for unrelated faces with and without the AU (chance)",
    "counterfactuals.no_other_changes": "Counterfactuals: no other AU changes its state",
    "counterfactuals.chance.no_other_changes": "No other AU changes its state, for unrelated faces (chance)",
    "counterfactuals.no_other_moves": "Counterfactuals: no other AU moves by more than 5 points",
    "counterfactuals.chance.no_other_moves": "No other AU moves by more than 5 points, for unrelated faces (chance)",
    "counterfactuals.local_words_flip": "Counterfactuals: the local caption flips",
    "counterfactuals.global_words_change": "Counterfactuals: the global caption changes",
    "counterfactuals.others_unchanged": "Counterfactuals: share of other AUs with unchanged state",
    "counterfactuals.chance.others_unchanged": "Other AUs with unchanged state, for unrelated faces (chance)",
    "counterfactuals.others_local_words_unchanged": "Counterfactuals: the local captions of other AUs do not change",
    "counterfactuals.others_global_words_unchanged": "Counterfactuals: other AUs in the global caption do not change",
}
PER_AU: Final[Mapping[str, str]] = {
    "f1_per_au": "F1",
    "accuracy_per_au": "Accuracy",
    "roc_auc_per_au": "ROC AUC",
    "average_precision_per_au": "Avg. precision",
    "ece_per_au": "ECE",
    "pointing_game_per_au": "Pointing game",
}


def measure_tables(runs: Runs) -> tuple[Table, ...]:
    """Return two tables per cross-validation, measures by fold and measures by AU, and one table per ablation."""
    return tuple(
        table
        for number, run in enumerate(runs.crossvals, start=1)
        for table in (_by_fold(f"measures{number}", run), _by_au(f"aus{number}", run))
    ) + tuple(_by_variant(f"ablation-measures{number}", run) for number, run in enumerate(runs.ablations, start=1))


def _title(run: Crossval | Ablation, what: str) -> str:
    return f"{run.name}: {what} on {DataKey.of(run.scores).title}, times 100"


def _by_fold(key: str, run: Crossval) -> Table:
    marks = marks_of(fold.scores for fold in run.folds)
    columns: list[tuple[str, Figures]] = [(f"Mean over folds{marks}", run.scores)]
    if run.scores.pooled is not None:
        columns.append((f"All frames pooled{marks}", run.scores.pooled))
    columns += [(_fold_head(fold) + marks_of([fold.scores]), fold.scores) for fold in run.folds]
    return _measures(key, _title(run, "all measures"), columns, synthetic=run.data.synthetic)


def _by_variant(key: str, run: Ablation) -> Table:
    firsts = [(variant, variant.runs[0].scores) for variant in run.variants]
    columns = [(f"({variant.number}) {variant.name}{marks_of([scores])}", scores) for variant, scores in firsts]
    seeded = ", the first seed" if any(len(variant.runs) > 1 for variant in run.variants) else ""
    return _measures(key, _title(run, f"all measures of every variant{seeded}"), columns, run.data.synthetic)


def _fold_head(run: Run) -> str:
    return run.folder.name if run.scores.fold is None else f"Fold {run.scores.fold}"


def _measures(key: str, title: str, columns: Sequence[tuple[str, Figures]], synthetic: bool) -> Table:
    rows = tuple(_measure_rows([figures for _, figures in columns]))
    return Table(key, title, ("Measure",), tuple(head for head, _ in columns), rows, synthetic=synthetic, ranked=False)


def _measure_rows(columns: Sequence[Figures]) -> Iterator[Row]:
    """Yield the measures that at least one column has."""
    for name, label in LABELS.items():
        if name == "f1_macro_zeros" and all(figures.number(name) == figures.f1_macro for figures in columns):
            continue
        cells = tuple(_cell(figures.number(name), _interval(figures, name)) for figures in columns)
        if any(cell.value is not None for cell in cells):
            yield Row((label,), cells, ours=True)


def _interval(figures: Figures, name: str) -> tuple[float, float] | None:
    return figures.intervals.f1_macro if name == "f1_macro" else None


def _by_au(key: str, run: Crossval) -> Table:
    figures = run.scores.whole
    found = {head: figures.per_au(name) or run.scores.per_au(name) for name, head in PER_AU.items()}
    found = {head: shares for head, shares in found.items() if any(share is not None for share in shares.values())}
    intervals = figures.intervals.f1_per_au
    rows = tuple(
        Row(
            (action_unit(au_id).label, action_unit(au_id).name),
            tuple(
                _cell(shares.get(au_id), intervals.get(au_id) if head == PER_AU["f1_per_au"] else None)
                for head, shares in found.items()
            ),
            ours=True,
        )
        for au_id in run.scores.au_ids
    )
    title = _title(run, "scores per AU, all frames pooled" if run.scores.pooled else "scores per AU")
    heads = tuple(found)
    return Table(key, title, ("AU", "Name"), heads, rows, synthetic=run.data.synthetic, ranked=False)


def _cell(share: float | None, interval: tuple[float, float] | None = None) -> Cell:
    if share is None:
        return Cell(None)
    detail = f"[{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]" if interval is not None else ""
    return Cell(100 * share, detail)
