"""Tables 1 to 4 of the paper, with published rows and our own.

Rows are compared only with rows on the same data. A run is listed among the published rows if its faces are real, its
AUs are those of a published data set, and the description of its data names that data set. Other runs are in tables
for their own data. Published rows are means over three folds. Our runs are ranked among them only if they have all
three folds and the whole published test set; all AUs of frames without a detected face count as inactive there.
"""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from string import ascii_lowercase
from typing import Final, TypeVar

from vlfau.facs import AU_SETS, action_unit
from vlfau.paper.data_coverage import INCOMPLETE, Coverage, DataKey, marks_of
from vlfau.paper.published import Published, PublishedScore, read_published
from vlfau.paper.runs import Ablation, Crossval, Runs
from vlfau.paper.table_formats import Cell, Row, Table

__all__ = ["comparison_tables"]

TABLE_NUMBERS: Final[Mapping[tuple[str, str], int]] = {
    ("f1", "disfa"): 1,
    ("f1", "bp4d"): 2,
    ("accuracy", "disfa"): 3,
    ("accuracy", "bp4d"): 3,
}
MEASURES: Final[Mapping[str, str]] = {"f1": "F1", "accuracy": "Accuracy"}
PARTS: Final = ("MARL", "LLGA", "GLGA")
WORD_HEADS: Final = ("LLGA top-5", "GLGA top-5")

_Run = TypeVar("_Run", Crossval, Ablation)


def comparison_tables(runs: Runs) -> tuple[Table, ...]:
    """Return tables 1 to 4, and the same tables for every other data set that was scored."""
    published = read_published()
    tables = [
        _method_table(f"table{number}-{au_set}-{measure}", measure, au_set, published, runs)
        for (measure, au_set), number in TABLE_NUMBERS.items()
    ]
    tables.append(_published_ablation(published, runs))
    for number, key in enumerate(_other_data(runs.every), start=1):
        stem = f"{'synthetic' if key.synthetic else 'other'}{number}"
        crossvals = [run for run in runs.crossvals if DataKey.of(run.scores) == key]
        for measure in MEASURES if crossvals else ():
            rows = tuple(_crossval_row(run, measure) for run in crossvals)
            title = f"{MEASURES[measure]} of {key.title}, mean over folds, in %"
            tables.append(
                Table(f"{stem}-{measure}", title, ("Run",), _heads(key.au_ids), rows, synthetic=key.synthetic)
            )
        ablations = [run for run in runs.ablations if DataKey.of(run.scores) == key]
        if ablations:
            named = len(ablations) > 1
            footnotes = _Footnotes()
            note = footnotes.letter(_own_captions(published))
            rows = tuple(
                row for run in ablations for row in _ablation_rows(run, published, f", {run.name}" * named, note)
            )
            for run in ablations:
                footnotes.letter(f"{run.name}: mean over fold {', '.join(map(str, run.folds))}")
            title = f"Ablation of VL-FAU: F1 and top-5 word accuracy on {key.title}, in %"
            tables.append(_ablation_table(f"{stem}-ablation", title, key, rows, tuple(footnotes.notes)))
    return tuple(tables)


def _other_data(runs: Iterable[Crossval | Ablation]) -> tuple[DataKey, ...]:
    keys = dict.fromkeys(DataKey.of(run.scores) for run in runs)
    return tuple(key for key in keys if key.published_set is None)


def _of_set(runs: Iterable[_Run], au_set: str) -> Iterator[_Run]:
    return (run for run in runs if DataKey.of(run.scores).published_set == au_set)


def _heads(au_ids: Sequence[int]) -> tuple[str, ...]:
    return (*(action_unit(au_id).label for au_id in au_ids), "Avg.")


class _Footnotes:
    """Collects the footnotes of a table and assigns letters to them."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []

    def letter(self, text: str) -> str:
        known = next((letter for letter, other in self.notes if other == text), None)
        if known is None:
            known = ascii_lowercase[len(self.notes)]
            self.notes.append((known, text))
        return known


def _method_table(key: str, measure: str, au_set: str, published: Published, runs: Runs) -> Table:
    footnotes = _Footnotes()
    rows = []
    for method in published.methods:
        score: PublishedScore | None = getattr(method, measure).get(au_set)
        if score is None:
            continue
        remark = f"{method.name} {method.remark}" if method.remark else ""
        rows.append(Row((method.name, method.venue), _published_cells(score, footnotes, remark)))
    for run in _of_set(runs.crossvals, au_set):
        rows += _own_rows(run, measure, au_set, footnotes)
    name = au_set.upper()
    title = f"Table {TABLE_NUMBERS[measure, au_set]}: {MEASURES[measure]} of {len(AU_SETS[au_set])} AUs on {name}, in %"
    return Table(key, title, ("Method", "Published"), _heads(AU_SETS[au_set]), tuple(rows), tuple(footnotes.notes))


def _own_rows(run: Crossval, measure: str, au_set: str, footnotes: _Footnotes) -> Iterator[Row]:
    """Yield the row of a run among published rows; if frames were lost, also one that counts them as inactive."""
    scores = [fold.scores for fold in run.folds]
    coverage = Coverage.of(au_set, scores)
    row = _crossval_row(run, measure)
    notes = [_protocol(run, [each.fold for each in scores]), coverage.text, *_undefined(run, measure)]
    is_whole = coverage.is_complete and run.has_all_folds
    yield _among_published(row, run.name, footnotes.letter(f"{run.name}: {'; '.join(notes)}"), is_whole)
    if coverage.lost_figures:
        per_au = coverage.lost_figures[f"{measure}_per_au"]
        cells = [Cell(_percent(per_au.get(str(au_id)))) for au_id in run.scores.au_ids]
        cells.append(Cell(_percent(coverage.lost_figures[f"{measure}_macro"])))
        row = replace(row, cells=tuple(cells))
        letter = footnotes.letter(f"{run.name}: the same, but all AUs count as inactive in frames without a face")
        is_whole = coverage.is_complete_with_lost and run.has_all_folds
        yield _among_published(row, f"{run.name}, all frames", letter, is_whole)


def _among_published(row: Row, name: str, letter: str, complete: bool) -> Row:
    """Return one of our rows with its name and footnote."""
    row = _ranked_if(row, complete)
    *cells, mean = row.cells
    return replace(row, labels=(f"{name} (ours)", "this package"), cells=(*cells, replace(mean, footnote=letter)))


def _ranked_if(row: Row, complete: bool) -> Row:
    """Return one of our rows for a table with published rows; if it is incomplete, it has a mark and is not ranked."""
    cells = tuple(replace(cell, ranked=complete) for cell in row.cells)
    return replace(row, cells=cells, marks=row.marks + ("" if complete else INCOMPLETE))


def _undefined(run: Crossval, measure: str) -> Iterator[str]:
    """Yield a note on AUs without an F1 in some fold, because they are never active in it."""
    without = sorted({au_id for fold in run.folds for au_id in fold.scores.without_positives})
    if measure == "f1" and without:
        names = ", ".join(action_unit(au_id).label for au_id in without)
        zeros = _percent(run.scores.f1_macro_zeros)
        counted = (
            f"; if it counted as 0, as in published evaluation scripts, the average would be {zeros:.1f}"
            if zeros is not None
            else ""
        )
        yield f"in some fold {names} is never active and excluded from the mean{counted}"


def _published_cells(score: PublishedScore, footnotes: _Footnotes, remark: str = "") -> tuple[Cell, ...]:
    notes = [remark] if remark else []
    if score.mean_is_off:
        notes.append(f"average as published; the average of the cells is {score.mean_of_cells:.1f}")
    letter = footnotes.letter("; ".join(notes)) if notes else ""
    return (*(Cell(value) for value in score.aus), Cell(score.mean, footnote=letter))


def _crossval_row(run: Crossval, measure: str) -> Row:
    per_au = run.scores.per_au(f"{measure}_per_au")
    mean = getattr(run.scores, f"{measure}_macro")
    cells = (*(Cell(_percent(per_au.get(au_id))) for au_id in run.scores.au_ids), Cell(_percent(mean)))
    return Row((run.name,), cells, ours=True, marks=marks_of(fold.scores for fold in run.folds))


def _protocol(run: Crossval | Ablation, folds: Sequence[int | None]) -> str:
    """Return how one of our runs was measured, as far as that may differ from the published rows."""
    scores = run.scores
    stem = ", stem without ImageNet weights" if scores.network.from_scratch else ""
    rank = "" if run.has_all_folds else "; not ranked, because published rows are means over three folds"
    return f"fold {', '.join(map(str, folds))}, {scores.threshold_text}{stem}{rank}"


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _published_ablation(published: Published, runs: Runs) -> Table:
    au_set = "bp4d"
    footnotes = _Footnotes()
    rows = [
        Row(
            (f"({variant.number}) published", *_ticks(variant.parts)),
            (
                *_published_cells(variant.f1[au_set], footnotes),
                Cell(variant.local_top5),
                Cell(variant.global_top5),
            ),
        )
        for variant in published.variants
    ]
    for run in _of_set(runs.ablations, au_set):
        coverage = Coverage.of(au_set, [run.scores])
        letter = footnotes.letter(f"{run.name}: {_protocol(run, run.folds)}; {coverage.text}")
        note = footnotes.letter(_own_captions(published))
        for row in _ablation_rows(run, published, f", {run.name} (ours, note {letter})", note):
            marked = _ranked_if(row, coverage.is_complete and run.has_all_folds)
            *scores, local, face = marked.cells
            # The reference captions differ from the published ones.
            words = (replace(cell, ranked=False) for cell in (local, face))
            rows.append(replace(marked, cells=(*scores, *words)))
    title = "Table 4: ablation of VL-FAU, F1 and top-5 word accuracy on BP4D, in %"
    key = DataKey(au_set, False, AU_SETS[au_set])
    return _ablation_table("table4-ablation", title, key, tuple(rows), tuple(footnotes.notes))


def _ablation_table(
    key: str, title: str, data: DataKey, rows: tuple[Row, ...], footnotes: tuple[tuple[str, str], ...] = ()
) -> Table:
    heads = (*_heads(data.au_ids), *WORD_HEADS)
    return Table(key, title, ("Variant", *PARTS), heads, rows, footnotes, synthetic=data.synthetic)


def _own_captions(published: Published) -> str:
    """Return why our word accuracies are not comparable with the paper's."""
    full = published.variants[-1]
    return (
        f"top-5 word accuracy on this package's own captions with one fixed wording; the paper's captions are not "
        f"published, so this is not comparable with its {full.local_top5} and {full.global_top5}"
    )


def _ablation_rows(run: Ablation, published: Published, suffix: str, words_note: str) -> Iterator[Row]:
    """Yield one row per variant.

    Args:
        run: The ablation.
        published: The published rows, which list the parts of each variant.
        suffix: Text after the variant's name.
        words_note: Letter of the footnote on word accuracy.
    """
    parts = {variant.number: variant.parts for variant in published.variants}
    for variant in run.variants:
        scores = [run.scores for run in variant.runs]
        cells = [_over_seeds([one.f1_per_au[au_id] for one in scores]) for au_id in run.scores.au_ids]
        cells.append(_over_seeds([one.f1_macro for one in scores], deviation=True))
        words = [
            _over_seeds([one.number(f"words.{name}") for one in scores], deviation=True)
            for name in ("local_top5_canonical", "global_top5_canonical")
        ]
        cells += [cell if cell.value is None else replace(cell, footnote=words_note) for cell in words]
        label = f"({variant.number}) {variant.name}{suffix}"
        yield Row((label, *_ticks(parts.get(variant.number, ()))), tuple(cells), ours=True, marks=marks_of(scores))


def _ticks(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple("✓" if part in parts else "-" for part in PARTS)


def _over_seeds(shares: Sequence[float | None], *, deviation: bool = False) -> Cell:
    """Return the mean over seeds, with the standard deviation if there are several."""
    known = [100 * share for share in shares if share is not None]
    if not known:
        return Cell(None)
    detail = f"± {statistics.stdev(known):.1f}" if deviation and len(known) > 1 else ""
    return Cell(statistics.fmean(known), detail)
