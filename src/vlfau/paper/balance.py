"""Figure 3: balance of F1 across AUs.

Every method is a circle. Its position is the variance of the AUs' F1 on BP4D (x) and on DISFA (y), in squared percent.
Its size is the gain: the sum over the two data sets of (mean F1 - mean F1 of the baseline) / mean F1 of the baseline.
Methods at the lower left are balanced, large circles are accurate. The paper gives these definitions, but neither units
nor sizes.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from vlfau.drawing.theme import CHART_SIZES, LIGHT
from vlfau.evaluation.scores import Scores
from vlfau.paper.data_coverage import INCOMPLETE, MARKS, Coverage, DataKey, marks_of
from vlfau.paper.plotting import Drawing, Drawings, house_style
from vlfau.paper.point_labels import label_points
from vlfau.paper.published import PublishedScore, read_published
from vlfau.paper.runs import Ablation, Crossval, Runs, Variant

__all__ = ["Balance", "balance_of", "draw_balance", "draw_balances", "published_balances"]

X_SET, Y_SET = "bp4d", "disfa"
AREA_PER_PERCENT = 22.0  # square points per percent of gain
MARKER_AREA = 18.0


@dataclass(frozen=True, slots=True)
class Balance:
    """One circle of the figure.

    Attributes:
        name: Name of the method.
        variances: Variance of the AUs' F1 on BP4D and DISFA, in squared percent.
        gain: Sum of the relative gains over the baseline, in percent.
        ours: Whether this package measured the method.
        doubtful: Whether the average of the published cells differs from the published average.
    """

    name: str
    variances: tuple[float, float]
    gain: float
    ours: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _Measured:
    """A method's F1 per AU and their mean, on both data sets, in percent."""

    name: str
    aus: tuple[tuple[float, ...], tuple[float, ...]]
    means: tuple[float, float]
    ours: bool = False
    doubtful: bool = False

    def compared_with(self, baseline: "_Measured") -> Balance:
        gain = sum(100 * (mean / base - 1) for mean, base in zip(self.means, baseline.means, strict=True))
        variances = (statistics.pvariance(self.aus[0]), statistics.pvariance(self.aus[1]))
        return Balance(self.name, variances, gain, self.ours, self.doubtful)


def draw_balance(runs: Runs) -> Drawings:
    """Draw figure 3 for the published methods, and for the variants of synthetic runs on both presets.

    Returns:
        The figures, and notes on omitted ones.
    """
    published = read_published()
    circles = [*published_balances(), *_our_balances(runs)]
    absent = [method.name for method in published.methods if method.f1 and not {X_SET, Y_SET} <= set(method.f1)]
    doubtful = ", ".join(circle.name for circle in circles if circle.doubtful)
    caption = (
        f"Variance of the per-AU F1 on BP4D and DISFA. The area of a circle is the relative gain in mean F1 over "
        f"{published.baseline}, summed over both data sets; a cross is the baseline, or a method without a gain. "
        f"Methods at the lower left are balanced, large circles are accurate. Not shown, since a score on one data set "
        f"is missing: {', '.join(absent)}. For methods with an asterisk ({doubtful}), the published cells do not "
        f"average to the published mean, which is used for the gain."
    )
    marks = {mark for circle in circles if circle.ours for mark in circle.name}
    caption += "".join(f" {mark}: {meaning}." for mark, meaning in MARKS.items() if mark in marks)
    title = "Figure 3: balance across AUs, published methods"
    drawings = [Drawing("figure3-balance", title, caption, draw_balances(circles, published.baseline))]
    variants, notes = _variant_balances(runs)
    if variants:
        caption = (
            "The variants of the network on synthetic faces with the AUs of BP4D and of DISFA. The area of a circle is "
            f"the gain over {variants[0].name}; a cross has no gain."
        )
        title = "Figure 3 on synthetic faces: balance across AUs of the network's variants"
        drawings.append(
            Drawing(
                "figure3-balance-synthetic", title, caption, draw_balances(variants, variants[0].name), synthetic=True
            )
        )
    return Drawings(tuple(drawings), notes)


def published_balances() -> tuple[Balance, ...]:
    """Return the circles of all methods with published scores on both data sets."""
    published = read_published()
    measured = [
        _published(method.name, method.f1[X_SET], method.f1[Y_SET])
        for method in published.methods
        if {X_SET, Y_SET} <= set(method.f1)
    ]
    baseline = next(method for method in measured if method.name == published.baseline)
    return tuple(method.compared_with(baseline) for method in measured)


def balance_of(measured: Mapping[str, tuple[Sequence[float], Sequence[float]]], baseline: str) -> tuple[Balance, ...]:
    """Return the circles of methods that this package measured.

    Args:
        measured: Each method's F1 per AU, in percent, on BP4D's AUs and on DISFA's.
        baseline: The one whose mean F1 the gains are over.
    """
    methods = {
        name: _Measured(name, (tuple(bp4d), tuple(disfa)), (statistics.fmean(bp4d), statistics.fmean(disfa)), ours=True)
        for name, (bp4d, disfa) in measured.items()
    }
    return tuple(method.compared_with(methods[baseline]) for method in methods.values())


def _published(name: str, bp4d: PublishedScore, disfa: PublishedScore) -> _Measured:
    return _Measured(
        name, (bp4d.aus, disfa.aus), (bp4d.mean, disfa.mean), doubtful=bp4d.mean_is_off or disfa.mean_is_off
    )


def _our_balances(runs: Runs) -> Iterator[Balance]:
    """Yield a circle for the first cross-validations on the real data sets, if both have all folds of the protocol."""
    published = read_published()
    base = next(method for method in published.methods if method.name == published.baseline and method.f1)
    first = [
        next(
            (run for run in runs.crossvals if run.has_all_folds and DataKey.of(run.scores).published_set == name), None
        )
        for name in (X_SET, Y_SET)
    ]
    if first[0] is not None and first[1] is not None:
        ours = _ours(f"ours{_marks(first[0], first[1])}", (first[0].scores,), (first[1].scores,))
        if ours is not None:
            yield ours.compared_with(_published(base.name, base.f1[X_SET], base.f1[Y_SET]))


def _marks(bp4d: Crossval, disfa: Crossval) -> str:
    """Return the marks of the circle of two runs."""
    folds = [[fold.scores for fold in run.folds] for run in (bp4d, disfa)]
    complete = all(Coverage.of(au_set, each).is_complete for au_set, each in zip((X_SET, Y_SET), folds, strict=True))
    return marks_of(scores for each in folds for scores in each) + ("" if complete else INCOMPLETE)


def _ours(name: str, bp4d: Sequence[Scores], disfa: Sequence[Scores]) -> _Measured | None:
    """Return the means over seeds; None if an AU has no F1."""
    per_au = []
    for runs in (bp4d, disfa):
        columns = [[scores.f1_per_au[au_id] for scores in runs] for au_id in runs[0].au_ids]
        known = [[100 * share for share in column if share is not None] for column in columns]
        if not all(known):
            return None
        per_au.append(tuple(statistics.fmean(column) for column in known))
    return _Measured(
        name, (per_au[0], per_au[1]), (statistics.fmean(per_au[0]), statistics.fmean(per_au[1])), ours=True
    )


def _variant_balances(runs: Runs) -> tuple[tuple[Balance, ...], tuple[str, ...]]:
    chosen = [_synthetic_ablation(runs, au_set) for au_set in (X_SET, Y_SET)]
    bp4d, disfa = chosen
    if bp4d is None or disfa is None:
        if any(run.data.synthetic for run in runs.every):
            note = "Figure 3 on synthetic faces is omitted: it needs one ablation on BP4D's AUs and one on DISFA's."
            return (), (note,)
        return (), ()
    measured = [
        variant
        for number in (variant.number for variant in bp4d.variants)
        if (variant := _variant(bp4d.variant(number), disfa.variant(number))) is not None
    ]
    first = bp4d.variants[0]
    if not measured or not measured[0].name.startswith("(1)") or measured[0].means[0] * measured[0].means[1] == 0:
        return (), (f"Figure 3 on synthetic faces is omitted: variant (1), {first.name}, has no F1 to compare with.",)
    return tuple(variant.compared_with(measured[0]) for variant in measured), ()


def _synthetic_ablation(runs: Runs, au_set: str) -> Ablation | None:
    fitting = (run for run in runs.ablations if run.data.synthetic and run.data.au_set == au_set)
    return next(fitting, None)


def _variant(bp4d: Variant | None, disfa: Variant | None) -> _Measured | None:
    if bp4d is None or disfa is None:
        return None
    return _ours(f"({bp4d.number}) {bp4d.name}", [run.scores for run in bp4d.runs], [run.scores for run in disfa.runs])


def draw_balances(circles: Sequence[Balance], baseline: str) -> Figure:
    """Draw one figure; `baseline` is the circle without a gain."""
    with house_style():
        figure = Figure(figsize=(7.2, 5.0), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=True)
        areas = [max(MARKER_AREA, AREA_PER_PERCENT * circle.gain) for circle in circles]
        for circle, area in zip(circles, areas, strict=True):
            colour = LIGHT.ours if circle.ours else LIGHT.others
            if circle.gain > 0:
                axes.scatter(*circle.variances, s=area, color=colour, alpha=0.35, lw=0)
            axes.scatter(*circle.variances, s=MARKER_AREA, color=colour, marker="o" if circle.gain > 0 else "X", lw=0)
        axes.margins(0.14)
        axes.set_xlabel("variance of F1 across BP4D's AUs (squared %)")
        axes.set_ylabel("variance of F1 across DISFA's AUs (squared %)")
        labels = [
            circle.name
            + ("*" if circle.doubtful else "")
            + ("" if circle.name == baseline else f"\n{circle.gain:+.1f} %")
            for circle in circles
        ]
        radii = [math.sqrt(area / math.pi) for area in areas]
        label_points(axes, [circle.variances for circle in circles], radii, labels, size=CHART_SIZES.small)
    return figure
