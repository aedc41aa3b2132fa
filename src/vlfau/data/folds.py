"""Split people into those who train and those who choose the epoch."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Manifest, Split
from vlfau.errors import ManifestError

__all__ = ["hold_out", "never_active", "take_subjects"]

DRAWS: Final = 100


def hold_out(manifest: Manifest, *, share: float, seed: int) -> Split:
    """Hold a share of the people out of training.

    People are drawn at random, but so that every AU is active on both sides where possible: an AU that no
    held-out person shows could not help to choose the epoch.

    Args:
        manifest: Frames of the training folds.
        share: Share of the people, not of the frames; at least one person.
        seed: Seed of the draw.

    Returns:
        The training frames and the held-out frames.

    Raises:
        ManifestError: There are fewer than two people.
    """
    subjects = sorted({frame.subject_id for frame in manifest.frames})
    if len(subjects) < 2:
        raise ManifestError(
            f"{manifest.path} has {len(subjects)} person to train on, so none can be held out to choose the epoch; "
            "set run.epoch_choice to last"
        )
    place = {subject: row for row, subject in enumerate(subjects)}
    active = np.zeros((len(subjects), len(manifest.au_ids)), bool)
    for frame in manifest.frames:
        active[place[frame.subject_id]] |= [state is not None and state.active for state in frame.states]
    count = min(max(1, round(share * len(subjects))), len(subjects) - 1)
    rng = np.random.default_rng(seed)
    draws = [rng.permutation(len(subjects)) < count for _ in range(DRAWS)]  # (S,) each, True for those held out
    chosen = min(draws, key=lambda held: (_lost(active, ~held), _lost(active, held)))  # the first of equals
    held_out = {subject for subject, is_held in zip(subjects, chosen, strict=True) if is_held}
    train = tuple(frame for frame in manifest.frames if frame.subject_id not in held_out)
    held = tuple(frame for frame in manifest.frames if frame.subject_id in held_out)
    return Split(replace(manifest, frames=train), replace(manifest, frames=held))


def take_subjects(manifest: Manifest, count: int, *, seed: int) -> Manifest:
    """Return the frames of some people, for smaller training sets.

    Of equal seeds, smaller sets are parts of larger ones. People are drawn so that as few AUs as possible are never
    active among them.

    Args:
        manifest: Frames of the training folds.
        count: How many people.
        seed: Seed of the draw.

    Raises:
        ManifestError: There are not as many.
    """
    subjects = sorted({frame.subject_id for frame in manifest.frames})
    if not 1 <= count <= len(subjects):
        raise ManifestError(
            f"{manifest.path} has {len(subjects)} people to train on, and data.train_subjects wants {count}; lower it"
        )
    shown = {
        subject: {
            column
            for frame in manifest.frames
            if frame.subject_id == subject
            for column, state in enumerate(frame.states)
            if state is not None and state.active
        }
        for subject in subjects
    }
    drawn = [subjects[place] for place in np.random.default_rng(seed).permutation(len(subjects))]
    # Whoever shows an AU that nobody before them does comes first, in the order drawn, so that all AUs can be learned.
    seen: set[int] = set()
    first: list[str] = []
    for subject in drawn:
        if not shown[subject] <= seen:
            first.append(subject)
            seen |= shown[subject]
    chosen = {*[*first, *(subject for subject in drawn if subject not in first)][:count]}
    return replace(manifest, frames=tuple(frame for frame in manifest.frames if frame.subject_id in chosen))


def never_active(manifest: Manifest) -> tuple[int, ...]:
    """Return the AUs that are active in no frame, whether unannotated or inactive."""
    return tuple(au_id for au_id, rate in zip(manifest.au_ids, manifest.rates(), strict=True) if not rate > 0)


def _lost(active: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> int:
    """Count the AUs that somebody shows but none of the chosen people."""
    return int((active.any(0) & ~active[chosen].any(0)).sum())
