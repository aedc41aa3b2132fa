"""Folds for a data set that comes without any: subjects dealt so that folds hold as many frames each as can be."""

from collections.abc import Mapping
from hashlib import sha256

__all__ = ["deal"]


def deal(frames: Mapping[str, int], num_folds: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Deal subjects into folds of about the same number of frames.

    Subjects with more frames go first, those with as many in an order that follows from the seed and their names.
    Each joins the fold with the fewest frames so far; of those the one with the fewest subjects, then the first.

    Args:
        frames: The number of coded frames of every subject.
        num_folds: How many folds there are to be.
        seed: Another one gives other folds.

    Returns:
        The names of each fold's subjects, sorted.

    >>> deal({"S1": 4, "S2": 2, "S3": 2, "S4": 1}, 3, seed=1)
    (('S1',), ('S3', 'S4'), ('S2',))
    """
    order = sorted(frames, key=lambda name: (-frames[name], sha256(f"{seed}:{name}".encode()).digest()))
    folds: list[list[str]] = [[] for _ in range(num_folds)]
    for name in order:
        fewest = min(folds, key=lambda fold: (sum(frames[subject] for subject in fold), len(fold)))
        fewest.append(name)
    return tuple(tuple(sorted(fold)) for fold in folds)
