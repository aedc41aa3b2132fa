"""The F1 of every AU with its interval, for every cross-validation."""

from matplotlib.figure import Figure

from vlfau.facs import action_unit
from vlfau.report.data_key import DataKey
from vlfau.report.plotting import ACCENT, QUIET, Drawing, house_style
from vlfau.report.runs import Crossval, Runs

__all__ = ["interval_drawings"]


def interval_drawings(runs: Runs) -> tuple[Drawing, ...]:
    """Draw the F1 of every AU with its 95 % interval, one figure a cross-validation."""
    return tuple(
        Drawing(
            f"intervals{place}",
            f"{run.name}: F1 of every AU on {DataKey.of(run.scores).title}",
            "Points are the F1 over all frames, bars its 95 % interval from a bootstrap over subjects. Small points "
            "below are the single folds.",
            _draw(run),
            synthetic=run.data.synthetic,
        )
        for place, run in enumerate(runs.crossvals, start=1)
    )


def _draw(run: Crossval) -> Figure:
    whole = run.scores.whole
    lines = [("Mean", whole.f1_macro, whole.intervals.f1_macro, [fold.scores.f1_macro for fold in run.folds])]
    lines += [
        (
            f"{action_unit(au_id).name}  {action_unit(au_id).label}",
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
            colour = ACCENT if height == 0 else QUIET
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
