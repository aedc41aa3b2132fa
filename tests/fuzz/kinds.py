"""What a kind of input is, and which there are."""

from importlib import import_module
from pathlib import Path
from typing import Protocol

from tests.fuzz.mutate import Rng


class Kind(Protocol):
    """One kind of input; made anew in every child, with the files that `prepare` left for all of them.

    A kind may have `max_taken`: the most bytes of memory that reading one input may take.
    """

    def __init__(self, seeds: Path, touched: Path) -> None:
        """Take the folder of undamaged files, and the file that malicious ones would write."""

    def prepare(self) -> None:
        """Make the undamaged files."""

    def write(self, folder: Path, rng: Rng | None) -> Path:
        """Write an input to an empty folder, damaged unless there is no generator, and return its path."""

    def read(self, path: Path) -> None:
        """Give it to the public reader, and check what comes back."""


SHARES = {
    **{"pictures.Jpeg": 10, "pictures.Png": 10, "pictures.Webp": 8, "pictures.Bmp": 6, "pictures.Others": 8},
    **{"videos.Mp4": 8, "videos.Mkv": 7, "videos.Avi": 7, "videos.Others": 4, "videos.Changing": 8},
    **{"manifests.Manifest": 12, "manifests.Lists": 5, "folds.Folds": 5, "configurations.Configuration": 12},
    **{"manifests.Descriptions": 5, "manifests.Pairs": 3, "releases.Bp4d": 4, "releases.Disfa": 4, "releases.Lists": 5},
    **{"releases.Ckplus": 4, "releases.Disfaplus": 4},
    **{"descriptions.Unit": 5, "descriptions.Words": 4, "descriptions.Carried": 6},
    **{"bundles.ModelJson": 10, "bundles.Graph": 10},
    **{"checkpoints.Papers": 8, "checkpoints.Weights": 8, "training.Faces": 5},
    **{
        "training.LastState": 4,
        "training.StemFile": 4,
        "kept.Run": 3,
        "kept.Claim": 3,
        "kept.Crashes": 2,
        "reports.Runs": 5,
    },
    **{"answers.Predictions": 6, "answers.Scores": 3, "manifests.Skipped": 3},
    **{"tables.Csv": 6, "tables.JsonLines": 5, "tables.Parquet": 6, "tables.Partial": 5, "tables.Files": 4},
    **{"commands.Predict": 8},
}
"""Of all inputs, by module and class; slow kinds get fewer."""


def make(name: str, seeds: Path, touched: Path) -> Kind:
    """Make a kind by its name in `SHARES`."""
    module, _, kind = name.partition(".")
    made: Kind = getattr(import_module(f"tests.fuzz.{module}"), kind)(seeds, touched)
    return made


def counts(total: int, names: list[str]) -> dict[str, int]:
    """Share a number of inputs among kinds, at least one each.

    >>> sum(counts(300, list(SHARES)).values())
    300
    """
    whole = sum(SHARES[name] for name in names)
    ends, weight = [0], 0
    for name in names:
        weight += SHARES[name]
        ends.append(max(round(total * weight / whole), ends[-1] + 1))
    return {name: end - start for name, start, end in zip(names, ends, ends[1:], strict=False)}
