"""The evaluated runs in a folder: cross-validations and ablations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vlfau.errors import InputError
from vlfau.evaluation.ablation import ABLATION_FILE
from vlfau.evaluation.crossval import CROSSVAL_FILE, fold_folder
from vlfau.evaluation.scores import DataInfo, Scores, read_scores
from vlfau.training.run_folder import CONFIG_FILE

__all__ = ["Ablation", "Crossval", "Run", "Runs", "Variant", "find_runs", "unfinished_crossvals"]

FULL_VARIANT = 5
VISION_VARIANT = 2  # multi-scale and DAIR without language: the baseline of figure 4
PROTOCOL_FOLDS = frozenset({1, 2, 3})  # published scores are means over these


@dataclass(frozen=True)
class Run:
    """One trained and evaluated network.

    Attributes:
        folder: Folder of the run.
        scores: Scores of the run.
    """

    folder: Path
    scores: Scores


@dataclass(frozen=True)
class Crossval:
    """A cross-validation.

    Attributes:
        name: Name given by the user.
        scores: Means over folds, and pooled scores.
        folds: One run per fold.
    """

    name: str
    scores: Scores
    folds: tuple[Run, ...]

    @property
    def data(self) -> DataInfo:
        """The faces that were scored."""
        return self.scores.data

    @property
    def has_all_folds(self) -> bool:
        """Whether it has the protocol's three folds, as published scores do."""
        return {run.scores.fold for run in self.folds} == PROTOCOL_FOLDS


@dataclass(frozen=True)
class Variant:
    """One row of table 4: the same network trained once per seed, on every fold.

    Attributes:
        number: Number of the variant in the table.
        name: Name of the variant, from its parts.
        runs: One run per seed, with the means over folds.
        first_fold: First fold of the first seed, whose predictions and faces can be shown.
    """

    number: int
    name: str
    runs: tuple[Run, ...]
    first_fold: Run


@dataclass(frozen=True)
class Ablation:
    """The variants of table 4, trained on the same data.

    Attributes:
        name: Name given by the user.
        variants: Variants, sorted by number.
        folds: The test folds; an ablation of an earlier version has one.
    """

    name: str
    variants: tuple[Variant, ...]
    folds: tuple[int, ...]

    @property
    def scores(self) -> Scores:
        """The scores of the first run, for properties that all runs share."""
        return self.variants[0].runs[0].scores

    @property
    def data(self) -> DataInfo:
        """The faces that were scored."""
        return self.scores.data

    @property
    def has_all_folds(self) -> bool:
        """Whether its rows are means over the protocol's three folds, as published rows are."""
        return set(self.folds) == PROTOCOL_FOLDS

    def variant(self, number: int) -> Variant | None:
        """Return the variant with a number; None if it was not trained."""
        return next((variant for variant in self.variants if variant.number == number), None)


@dataclass(frozen=True)
class Runs:
    """All evaluated runs in a folder."""

    crossvals: tuple[Crossval, ...]
    ablations: tuple[Ablation, ...]

    @property
    def every(self) -> tuple[Crossval | Ablation, ...]:
        """Cross-validations and ablations."""
        return (*self.crossvals, *self.ablations)


class _CrossvalFile(BaseModel):
    model_config = ConfigDict(frozen=True)
    format: Literal[1]
    kind: Literal["crossval"]
    name: str
    folds: Annotated[tuple[int, ...], Field(min_length=1)]


class _VariantEntry(BaseModel):
    number: int
    name: str
    folders: Annotated[tuple[str, ...], Field(min_length=1)]


class _AblationFile(BaseModel):
    model_config = ConfigDict(frozen=True)
    format: Literal[1]
    kind: Literal["ablation"]
    name: str
    folds: Annotated[tuple[int, ...], Field(min_length=1)] | None = None
    fold: int | None = None  # written by an earlier version, which has one folder per seed
    variants: Annotated[tuple[_VariantEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.folds is None) == (self.fold is None):
            raise ValueError("expected 'folds', or 'fold' as an earlier version wrote it")
        return self


_File = TypeVar("_File", _CrossvalFile, _AblationFile)
_Found = TypeVar("_Found")


def find_runs(folder: Path) -> Runs:
    """Find and read all cross-validations and ablations in a folder, at any depth.

    Raises:
        InputError: There are no runs, a file is damaged, or runs of one cross-validation or ablation differ in AUs.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; pass a folder with cross-validations or ablations")
    runs = Runs(
        _read_all(folder, CROSSVAL_FILE, _read_crossval),
        _read_all(folder, ABLATION_FILE, _read_ablation),
    )
    if not runs.crossvals and not runs.ablations:
        raise InputError(
            f"{folder} contains no evaluated runs (no crossval.json and no ablation.json in it or below); run "
            "`vlfau crossval` or `vlfau ablate` first"
        )
    return runs


def unfinished_crossvals(folder: Path) -> list[Path]:
    """Return the folders with runs of folds, at any depth, whose cross-validation has not been finished."""
    holders = {path.parent.parent for path in folder.rglob(f"fold[0-9]*/{CONFIG_FILE}")}
    finished = {path.parent for name in (CROSSVAL_FILE, ABLATION_FILE) for path in folder.rglob(name)}
    return sorted(holder for holder in holders if finished.isdisjoint((holder, *holder.parents)))


def _read_all(folder: Path, name: str, read: Callable[[Path], _Found]) -> tuple[_Found, ...]:
    return tuple(read(path.parent) for path in sorted(folder.rglob(name)))


def _read_crossval(folder: Path) -> Crossval:
    metadata = _read_metadata(folder / CROSSVAL_FILE, _CrossvalFile)
    scores = read_scores(folder)
    folds = tuple(_read_run(fold_folder(folder, fold)) for fold in metadata.folds)
    _check_same_aus(folder, scores, folds)
    return Crossval(metadata.name, scores, folds)


def _read_ablation(folder: Path) -> Ablation:
    metadata = _read_metadata(folder / ABLATION_FILE, _AblationFile)
    variants = tuple(
        _read_variant(folder, entry, metadata.folds)
        for entry in sorted(metadata.variants, key=lambda entry: entry.number)
    )
    folds = metadata.folds if metadata.folds is not None else (metadata.fold or 0,)
    ablation = Ablation(metadata.name, variants, folds)
    _check_same_aus(ablation.variants[0].runs[0].folder, ablation.scores, [run for v in variants for run in v.runs])
    return ablation


def _read_variant(folder: Path, entry: _VariantEntry, folds: Sequence[int] | None) -> Variant:
    runs = tuple(_read_run(folder / name) for name in entry.folders)
    first = runs[0] if folds is None else _read_run(fold_folder(runs[0].folder, folds[0]))
    return Variant(entry.number, entry.name, runs, first)


def _read_metadata(path: Path, kind: type[_File]) -> _File:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}); check the folder") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file as a whole"
        raise InputError(f"{path} is damaged at '{key}': {first['msg']}; run the command again") from None


def _read_run(folder: Path) -> Run:
    return Run(folder, read_scores(folder))


def _check_same_aus(folder: Path, scores: Scores, runs: Sequence[Run]) -> None:
    for run in runs:
        if run.scores.au_ids != scores.au_ids or run.scores.data.synthetic != scores.data.synthetic:
            raise InputError(
                f"{run.folder / 'scores.json'} scores the AUs {list(run.scores.au_ids)} on "
                f"{_kind(run.scores)} faces, and {folder / 'scores.json'} the AUs {list(scores.au_ids)} on "
                f"{_kind(scores)} faces; runs that belong together must have the same AUs and kind of faces; evaluate "
                "them again"
            )


def _kind(scores: Scores) -> str:
    return "synthetic" if scores.data.synthetic else "real"
