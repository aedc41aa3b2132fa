"""The report on a prepared data set, compared with the published numbers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.prepare.clips import Clip, LabelledFrame, Skipped, Source
from vlfau.prepare.protocol import Protocol

__all__ = ["Counts", "class_weights", "report"]


@dataclass(frozen=True)
class Counts:
    """Counts of each test fold.

    Attributes:
        subjects: (F,) number of subjects.
        frames: (F,) number of frames.
        known: (F, N) number of frames in which an AU is annotated.
        positives: (F, N) number of frames in which an AU is present.
    """

    subjects: NDArray[np.int64]
    frames: NDArray[np.int64]
    known: NDArray[np.int64]
    positives: NDArray[np.int64]

    @classmethod
    def of(cls, protocol: Protocol, frames: Iterable[tuple[Clip, LabelledFrame]]) -> "Counts":
        """Count frames by test fold."""
        num_folds, num_aus = len(protocol.folds), len(protocol.au_ids)
        subjects: list[set[str]] = [set() for _ in range(num_folds)]
        total = np.zeros(num_folds, np.int64)
        known, positives = np.zeros((2, num_folds, num_aus), np.int64)
        for clip, frame in frames:
            fold = clip.fold - 1
            subjects[fold].add(clip.subject_id)
            total[fold] += 1
            known[fold] += [value is not None for value in frame.occurrence]
            positives[fold] += [value == 1 for value in frame.occurrence]
        return cls(np.array([len(names) for names in subjects]), total, known, positives)

    def training_weights(self, fold: int) -> NDArray[np.float64]:
        """Return the class weights (N,) of the training frames of a fold, counted from 1."""
        others = [index for index in range(len(self.frames)) if index != fold - 1]
        return class_weights(self.positives[others].sum(0), self.known[others].sum(0))


def class_weights(positives: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the class weights w_i = N (1 / r_i) / sum_j (1 / r_j), where r_i is the occurrence rate of AU i.

    This is the form in which weights are usually published. Eq. 9 of the paper lacks the factor N.

    Args:
        positives: (N,) number of frames in which an AU is present.
        known: (N,) number of frames in which it is annotated.

    Returns:
        (N,) weights; all NaN if one of the rates is 0 or unknown, since no weight can balance that.

    >>> class_weights(np.array([10, 30]), np.array([100, 100])).tolist()
    [1.5, 0.5]
    """
    if not positives.all():
        return np.full(len(positives), np.nan)
    rarity = known / positives
    weights: NDArray[np.float64] = len(rarity) * rarity / rarity.sum()
    return weights


_HEAD = """# {name}: {frames} aligned faces of {subjects} subjects

| | |
|---|---|
| labelled frames | {labelled} |
| in manifest.csv | {frames} |
{skipped}{neutral}
| pictures without labels, not used | {unlabelled} |
| unknown labels, masked | {unknown} |

## Frames and positives

By test fold: the number in this copy, and in brackets the difference from the published number.

"""

_WEIGHTS = """
## Class weights

Of the training frames of each fold: in this copy, and in brackets as published.

"""


_SKIPPED = """
## Skipped frames

The frames in skipped.csv by test fold, and the number of them in which each AU is present.

"""

_WHOLE = """
## The whole data set

The number in the labels, and in brackets the difference from the published number. Source: {source}.

"""


def report(source: Source, counts: Counts, skipped: Sequence[Skipped]) -> str:
    """Return the report on a data set as Markdown.

    Args:
        source: The data set.
        counts: Counts of the frames in the manifest.
        skipped: The skipped frames.
    """
    protocol = source.protocol
    reasons = Counter(entry.reason for entry in skipped)
    neutral = sum(not frame.coded for _, frame in source.frames())
    head = _HEAD.format(
        name=protocol.title,
        frames=f"{counts.frames.sum():,}",
        subjects=counts.subjects.sum(),
        labelled=f"{counts.frames.sum() + len(skipped):,}",
        skipped="\n".join(f"| skipped: {reason} | {count:,} |" for reason, count in sorted(reasons.items()))
        or "| skipped | 0 |",
        neutral=f"\n| labelled frames that are neutral by design and not coded | {neutral:,} |" if neutral else "",
        unlabelled=f"{source.unlabelled + sum(clip.unlabelled for clip in source.clips):,}",
        unknown=f"{(counts.frames[:, None] - counts.known).sum():,}",
    )
    parts = [head, "\n".join(_count_table(source, counts)), "\n\n", "\n".join(_differences(source, counts)), "\n"]
    if skipped:
        parts += [_SKIPPED, "\n".join(_skipped_table(source, skipped)), "\n"]
    if protocol.published is not None:
        parts += [_WHOLE.format(source=protocol.published.source), "\n".join(_whole_table(source)), "\n"]
    parts += [_WEIGHTS, "\n".join(_weight_table(source, counts)), "\n"]
    notes = [f"* {note}" for note in (*source.notes, *protocol.notes)]
    return "".join([*parts, *(["\n## Notes\n\n", "\n".join(notes), "\n"] if notes else [])])


def _header(source: Source) -> list[str]:
    names = [f"fold {number}" for number in range(1, len(source.protocol.folds) + 1)]
    return [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]


def _count_table(source: Source, counts: Counts) -> Iterator[str]:
    folds = source.protocol.folds
    yield from _header(source)
    num_subjects = [len(fold.subjects) for fold in folds]
    yield _line("subjects", [_compared(*pair) for pair in zip(counts.subjects.tolist(), num_subjects, strict=True)])
    yield _line("frames", [_compared(int(counts.frames[index]), fold.frames) for index, fold in enumerate(folds)])
    for index, au_id in enumerate(source.protocol.au_ids):
        published = [fold.positives[index] if fold.positives else None for fold in folds]
        prepared = counts.positives[:, index].tolist()
        yield _line(f"AU{au_id}", [_compared(*pair) for pair in zip(prepared, published, strict=True)])


def _skipped_table(source: Source, skipped: Sequence[Skipped]) -> Iterator[str]:
    by_fold = [
        [entry.occurrence for entry in skipped if entry.fold == number]
        for number in range(1, len(source.protocol.folds) + 1)
    ]
    yield from _header(source)
    yield _line("frames", [f"{len(labels):,}" for labels in by_fold])
    for index, au_id in enumerate(source.protocol.au_ids):
        yield _line(f"AU{au_id}", [f"{sum(each[index] == 1 for each in labels):,}" for labels in by_fold])


def _whole_table(source: Source) -> Iterator[str]:
    """Compare the labels of all frames, with or without a picture, with the published numbers."""
    published = source.protocol.published
    assert published is not None
    coded = [(clip.subject_id, frame.occurrence) for clip, frame in source.frames() if frame.coded]
    coded += [(entry.subject_id, entry.occurrence) for entry in source.skipped]
    yield "| | |"
    yield "|---|---|"
    yield _line("subjects", [_compared(len({subject_id for subject_id, _ in coded}), published.subjects)])
    yield _line("coded frames", [_compared(len(coded), published.frames)])
    for index, au_id in enumerate(source.protocol.au_ids):
        prepared = sum(occurrence[index] == 1 for _, occurrence in coded)
        yield _line(f"AU{au_id}", [_compared(prepared, published.positives.get(au_id))])
    unverified = [f"AU{au_id}" for au_id in source.protocol.au_ids if au_id not in published.positives]
    if published.positives and unverified:
        yield ""
        yield f"No verified number is known for {', '.join(unverified)}."


def _weight_table(source: Source, counts: Counts) -> Iterator[str]:
    folds = source.protocol.folds
    prepared = [counts.training_weights(number) for number in range(1, len(folds) + 1)]
    yield from _header(source)
    for index, au_id in enumerate(source.protocol.au_ids):
        cells = []
        for fold, weights in zip(folds, prepared, strict=True):
            published = f" ({fold.weights[index]:.6f})" if fold.weights else ""
            cells.append(f"{weights[index]:.6f}{published}")
        yield _line(f"AU{au_id}", cells)


def _differences(source: Source, counts: Counts) -> Iterator[str]:
    """Yield a sentence for each difference between the manifest and the published numbers."""
    found = False
    present = {clip.subject_id for clip in source.clips}
    for number, fold in enumerate(source.protocol.folds, 1):
        absent = [subject for subject in fold.subjects if subject not in present]
        if absent:
            found = True
            yield f"* Fold {number} has no frames of the subjects {', '.join(absent)}."
        if fold.frames is not None and fold.frames != counts.frames[number - 1]:
            found = True
            yield f"* Fold {number} has {counts.frames[number - 1]:,} frames; {fold.frames:,} are published."
        pairs = zip(source.protocol.au_ids, counts.positives[number - 1].tolist(), fold.positives, strict=False)
        wrong = [
            f"AU{au_id} ({prepared - published:+,})" for au_id, prepared, published in pairs if prepared != published
        ]
        if wrong:
            found = True
            yield f"* Fold {number} differs in the positives of {', '.join(wrong)}."
    if not any(fold.positives for fold in source.protocol.folds):
        yield "No numbers have been published for these folds."
    elif not found:
        yield "All numbers match the published ones."


def _compared(prepared: int, published: int | None) -> str:
    if published is None:
        return f"{prepared:,}"
    return f"{prepared:,} ({'=' if prepared == published else f'{prepared - published:+,}'})"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
