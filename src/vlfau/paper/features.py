"""Figure 4: t-SNE maps of the AU features of eight subjects, coloured by AU, subject and gender.

The network without language (variant 2) is shown beside the full network (variant 5). Distances between groups mean
little in t-SNE maps, so every panel also gives the silhouette score of its colours in the original features: 1 for
tight, well separated groups, 0 for no groups, and negative if points are closer to other groups than to their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from vlfau.drawing.theme import CHART_SIZES
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import action_unit
from vlfau.paper.data_coverage import DataKey
from vlfau.paper.plotting import Drawing, Drawings, category_colours, house_style, plain_axes
from vlfau.paper.run_files import read_predictions
from vlfau.paper.runs import FULL_VARIANT, VISION_VARIANT, Run, Runs

__all__ = ["choose_frames", "choose_subjects", "draw_features"]

SUBJECTS: Final = 8
MAX_POINTS: Final = 2400  # a map takes less than half a minute on one core
SEED: Final = 0
COMPONENTS: Final = 50
PERPLEXITY: Final = 30.0


@dataclass(frozen=True, eq=False)
class _Map:
    """A 2D map of features: one point per frame and AU, `points` (P, 2)."""

    title: str
    points: NDArray[np.float64]
    features: NDArray[np.float64]


def draw_features(runs: Runs) -> Drawings:
    """Draw figure 4 for every ablation with variants 2 and 5 or, if there is none, for every cross-validation.

    Returns:
        The figures, and notes on omitted ones.
    """
    drawings: list[Drawing] = []
    notes: list[str] = []
    for columns in _sources(runs):
        predictions = [read_predictions(run) for _, run in columns]
        known = [one for one in predictions if one is not None]
        if len(known) < len(columns):
            notes.append(f"Figure 4 is omitted for {columns[0][1].folder}: it has no predictions.")
        elif len({(one.images, one.au_ids) for one in known}) > 1:
            notes.append(
                f"Figure 4 is omitted for {columns[0][1].folder}: its variants have predictions for different frames."
            )
        else:
            number = len(drawings) + 1
            drawings.append(_drawing(f"figure4-features{number}", columns, known))
    return Drawings(tuple(drawings), tuple(notes))


def choose_subjects(predictions: Predictions, count: int = SUBJECTS) -> tuple[str, ...]:
    """Choose subjects at random, the same number of women and men; if genders are unknown, any subjects.

    Returns fewer than `count` subjects if there are not enough.
    """
    genders = dict(zip(predictions.subject_ids, predictions.genders, strict=True))
    rng = np.random.default_rng(SEED)
    pools = [sorted(subject for subject, gender in genders.items() if gender == wanted) for wanted in ("F", "M")]
    each = min(count // 2, *(len(pool) for pool in pools))
    if each == 0:
        pools, each = [sorted(genders)], min(count, len(genders))
    return tuple(subject for pool in pools for subject in sorted(rng.permutation(pool)[:each].tolist()))


def choose_frames(predictions: Predictions, subjects: Sequence[str], max_points: int = MAX_POINTS) -> NDArray[np.intp]:
    """Return the indices of the same number of frames of every subject, evenly spaced."""
    each = max(1, max_points // (len(subjects) * len(predictions.au_ids)))
    chosen = []
    for subject in subjects:
        own = np.flatnonzero(np.asarray(predictions.subject_ids) == subject)
        chosen.append(own[np.linspace(0, len(own) - 1, min(each, len(own))).round().astype(int)])
    return np.concatenate(chosen)


def _sources(runs: Runs) -> list[list[tuple[str, Run]]]:
    found = []
    for ablation in runs.ablations:
        variants = [ablation.variant(number) for number in (VISION_VARIANT, FULL_VARIANT)]
        columns = [(f"({one.number}) {one.name}", one.first_fold) for one in variants if one is not None]
        if len(columns) == 2:
            found.append(columns)
    return found or [[(f"{run.name}, {run.folds[0].folder.name}", run.folds[0])] for run in runs.crossvals]


def _drawing(key: str, columns: Sequence[tuple[str, Run]], predictions: Sequence[Predictions]) -> Drawing:
    first = predictions[0]
    subjects = choose_subjects(first)
    frames = choose_frames(first, subjects)
    maps = [_embed(title, one, frames) for (title, _), one in zip(columns, predictions, strict=True)]
    au_labels = tuple(action_unit(au_id).label for au_id in first.au_ids)
    frame_subjects = np.asarray(first.subject_ids)[frames]
    genders = np.asarray(first.genders)[frames]
    colourings = [
        ("AU", np.tile(np.arange(len(au_labels)), len(frames)), au_labels),
        ("subject", np.repeat([subjects.index(subject) for subject in frame_subjects], len(au_labels)), subjects),
    ]
    if set(genders) == {"F", "M"}:
        colourings.append(("gender", np.repeat((genders == "M").astype(int), len(au_labels)), ("woman", "man")))
    scores = columns[0][1].scores
    titles = " and ".join(title for title, _ in columns)
    return Drawing(
        key,
        f"Figure 4: AU features of {len(subjects)} subjects, {DataKey.of(scores).title}",
        f"t-SNE of {titles}. Each point is the feature of one AU branch in one of {len(frames)} frames. The number is "
        "the silhouette score of the colours in the original features (1: tight, well separated groups; 0 or less: no "
        "groups).",
        _draw(maps, colourings),
        synthetic=scores.data.synthetic,
    )


def _embed(title: str, predictions: Predictions, frames: NDArray[np.intp]) -> _Map:
    features = predictions.au_features[frames].astype(np.float64)
    features = features.reshape(-1, features.shape[-1])
    components = min(COMPONENTS, *features.shape)
    reduced = PCA(components, random_state=SEED).fit_transform(features)
    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    points = TSNE(perplexity=perplexity, init="random" if components < 2 else "pca", random_state=SEED).fit_transform(
        reduced
    )
    return _Map(title, points, reduced)


def _draw(maps: Sequence[_Map], colourings: Sequence[tuple[str, NDArray[np.intp], tuple[str, ...]]]) -> Figure:
    with house_style():
        figure = Figure(figsize=(3.3 * len(maps) + 1.2, 3.1 * len(colourings)), layout="constrained")
        grid = figure.subplots(len(colourings), len(maps), squeeze=False)
        for axes, shown in zip(grid[0], maps, strict=True):
            axes.set_title(shown.title)
        for row, (kind, groups, names) in zip(grid, colourings, strict=True):
            colours = category_colours(len(names))
            for axes, shown in zip(row, maps, strict=True):
                _scatter(axes, shown, groups, colours)
            row[0].set_ylabel(f"by {kind}", fontweight="bold")
            handles = [
                row[-1].scatter([], [], s=22, color=colour, label=name, lw=0)
                for colour, name in zip(colours, names, strict=True)
            ]
            row[-1].legend(
                handles=handles,
                loc="center left",
                bbox_to_anchor=(1.0, 0.5),
                fontsize=CHART_SIZES.small,
                handletextpad=0.2,
            )
    return figure


def _scatter(axes: Axes, shown: _Map, groups: NDArray[np.intp], colours: Sequence[tuple[float, ...]]) -> None:
    # A shuffled order, so that no group covers all others.
    order = np.random.default_rng(SEED).permutation(len(groups))
    horizontal, vertical = shown.points[order].T
    axes.scatter(horizontal, vertical, s=5, c=[colours[group] for group in groups[order]], lw=0, alpha=0.75)
    plain_axes(axes)
    if 1 < len(set(groups.tolist())) < len(groups):
        silhouette = round(float(silhouette_score(shown.features, groups)), 2) + 0.0  # avoids -0.0
        axes.set_title(f"silhouette {silhouette:.2f}", loc="right", fontsize=CHART_SIZES.small, fontweight="normal")
