"""What was prepared, beside what was published."""

from collections import Counter
from collections.abc import Iterator, Sequence

from vlfau.prepare.clips import Skipped, Source
from vlfau.prepare.counts import Counts

__all__ = ["report"]

_HEAD = """# {name}: {frames} aligned faces of {subjects} subjects

| | |
|---|---|
| labelled frames | {labelled} |
| in manifest.csv | {frames} |
{skipped}
| pictures without labels, not used | {unlabelled} |
| labels that are unknown, masked | {unknown} |

## Frames and positives

By the fold that tests them: here, and the difference from the published number.

"""

_WEIGHTS = """
## Class weights

Of the frames that train: here, and as published.

"""


def report(source: Source, counts: Counts, skipped: Sequence[Skipped]) -> str:
    """Return the report on a data set as Markdown.

    Args:
        source: What was to be prepared.
        counts: Of the frames in the manifest.
        skipped: The frames that it leaves out.
    """
    reasons = Counter(entry.reason for entry in skipped)
    head = _HEAD.format(
        name=source.protocol.name.upper(),
        frames=f"{counts.frames.sum():,}",
        subjects=counts.subjects.sum(),
        labelled=f"{counts.frames.sum() + len(skipped):,}",
        skipped="\n".join(f"| left out: {reason} | {count:,} |" for reason, count in sorted(reasons.items()))
        or "| left out | 0 |",
        unlabelled=f"{source.unlabelled + sum(clip.unlabelled for clip in source.clips):,}",
        unknown=f"{(counts.frames[:, None] - counts.known).sum():,}",
    )
    parts = [head, "\n".join(_count_table(source, counts)), "\n\n", "\n".join(_differences(source, counts)), "\n"]
    return "".join([*parts, _WEIGHTS, "\n".join(_weight_table(source, counts)), "\n"])


def _header(source: Source) -> list[str]:
    names = [f"fold {number}" for number in range(1, len(source.protocol.folds) + 1)]
    return [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]


def _count_table(source: Source, counts: Counts) -> Iterator[str]:
    folds = source.protocol.folds
    yield from _header(source)
    missing = [len(fold.subjects) for fold in folds]
    yield _line("subjects", [_beside(*pair) for pair in zip(counts.subjects.tolist(), missing, strict=True)])
    yield _line("frames", [_beside(int(counts.frames[index]), fold.frames) for index, fold in enumerate(folds)])
    for place, au_id in enumerate(source.protocol.au_ids):
        published = [fold.positives[place] if fold.positives else None for fold in folds]
        here = counts.positives[:, place].tolist()
        yield _line(f"AU{au_id}", [_beside(*pair) for pair in zip(here, published, strict=True)])


def _weight_table(source: Source, counts: Counts) -> Iterator[str]:
    folds = source.protocol.folds
    here = [counts.training_weights(number) for number in range(1, len(folds) + 1)]
    yield from _header(source)
    for place, au_id in enumerate(source.protocol.au_ids):
        cells = []
        for fold, weights in zip(folds, here, strict=True):
            published = f" ({fold.weights[place]:.6f})" if fold.weights else ""
            cells.append(f"{weights[place]:.6f}{published}")
        yield _line(f"AU{au_id}", cells)


def _differences(source: Source, counts: Counts) -> Iterator[str]:
    """Say in sentences where the manifest and the published numbers differ."""
    found = False
    present = {clip.subject_id for clip in source.clips}
    for number, fold in enumerate(source.protocol.folds, 1):
        absent = [subject for subject in fold.subjects if subject not in present]
        if absent:
            found = True
            yield f"* Fold {number} lacks the subjects {', '.join(absent)}."
        if fold.frames is not None and fold.frames != counts.frames[number - 1]:
            found = True
            yield f"* Fold {number} has {counts.frames[number - 1]:,} frames; {fold.frames:,} are published."
        pairs = zip(source.protocol.au_ids, counts.positives[number - 1].tolist(), fold.positives, strict=False)
        wrong = [f"AU{au_id} ({here - published:+,})" for au_id, here, published in pairs if here != published]
        if wrong:
            found = True
            yield f"* Fold {number} differs in the positives of {', '.join(wrong)}."
    if not any(fold.positives for fold in source.protocol.folds):
        yield "No numbers are published for these folds."
    elif not found:
        yield "All numbers are the published ones."


def _beside(here: int, published: int | None) -> str:
    if published is None:
        return f"{here:,}"
    return f"{here:,} ({'=' if here == published else f'{here - published:+,}'})"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
