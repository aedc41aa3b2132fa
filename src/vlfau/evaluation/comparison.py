"""Compare AU recognition tools on the same frames and people, by the same rules."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import read_manifest
from vlfau.errors import InputError, ManifestError
from vlfau.evaluation.au_metrics import mean_of_known
from vlfau.evaluation.comparison_results import Comparison, Difference, Rules, ToolScores
from vlfau.evaluation.predictions import UNKNOWN
from vlfau.evaluation.tool_predictions import ToolPredictions, Treatment
from vlfau.evaluation.tool_scores import Truth, figure_of, samples_of
from vlfau.evaluation.tool_tables import read_tool_table
from vlfau.files.names import some_names

__all__ = ["compare_tools"]

TREATMENTS: Final[tuple[Treatment, ...]] = ("left_out", "called_inactive")
FloatArray = NDArray[np.float64]


def compare_tools(manifest_path: Path, tables: Sequence[Path], rules: Rules) -> Comparison:
    """Score the tables of tools on the frames of a manifest.

    Args:
        manifest_path: Manifest of coded frames; the pictures are not needed.
        tables: A CSV file, or a folder of CSV files, per tool; differences are from the first one.
        rules: Scoring rules.

    Raises:
        InputError: A table is invalid, two tables have the same name, or a tool shares no AU with the manifest.
        ManifestError: The manifest is invalid, or lacks the column `rules.within`.
    """
    manifest = read_manifest(manifest_path, pictures=False)
    truth = Truth(
        np.array(
            [[UNKNOWN if state is None else state.active for state in frame.states] for frame in manifest.frames],
            np.int8,
        ),
        np.array([[np.nan if level is None else level for level in frame.intensities] for frame in manifest.frames]),
        tuple(frame.subject_id for frame in manifest.frames),
        None if rules.within is None else _groups(manifest_path, rules.within, len(manifest.frames)),
    )
    samples = samples_of(truth, seed=rules.seed, draws=rules.draws)
    said = [ToolPredictions.of(name, read_tool_table(path), manifest, rules) for name, path in _names(tables).items()]
    measured = {
        treatment: [each.treated(treatment).samples(truth, samples) for each in said] for treatment in TREATMENTS
    }
    common = _common(measured["left_out"], said)
    tools = tuple(
        replace(
            each.tool,
            left_out=_scores(measured["left_out"][place], manifest.au_ids, common),
            called_inactive=_scores(measured["called_inactive"][place], manifest.au_ids, common),
        )
        for place, each in enumerate(said)
    )
    known = truth.occurrence != UNKNOWN
    return Comparison(
        manifest_path.name,
        len(manifest.frames),
        samples.shape[1],
        rules,
        {
            au_id: {
                "present": int((truth.occurrence[:, column] == 1).sum()),
                "absent": int((known[:, column] & (truth.occurrence[:, column] == 0)).sum()),
                "with_intensity": int((~np.isnan(truth.intensity[:, column])).sum()),
            }
            for column, au_id in enumerate(manifest.au_ids)
        },
        {key: tuple(manifest.au_ids[column] for column in columns) for key, columns in common.items()},
        tools,
        tuple(
            _difference((said[0], other), truth, samples, au_ids=manifest.au_ids, common=common) for other in said[1:]
        ),
    )


def _common(measured: Sequence[Mapping[str, FloatArray]], said: Sequence[ToolPredictions]) -> dict[str, list[int]]:
    """Return for each measure the columns of the AUs that every tool has; for ICC, every tool with intensities."""
    common = {}
    for key in measured[0]:
        judged = [
            each[key]
            for each, tool in zip(measured, said, strict=True)
            if key != "icc" or not np.isnan(tool.intensities).all()
        ]
        defined = [np.isfinite(samples[0]) for samples in judged]
        common[key] = np.flatnonzero(np.all(defined, axis=0)).tolist() if defined else []
    return common


def _scores(measured: Mapping[str, FloatArray], au_ids: Sequence[int], common: Mapping[str, list[int]]) -> ToolScores:
    own = {key: np.flatnonzero(np.isfinite(samples[0])).tolist() for key, samples in measured.items()}
    return ToolScores(
        {
            key: {au_ids[column]: figure_of(measured[key][:, column]) for column in columns}
            for key, columns in own.items()
        },
        {key: figure_of(mean_of_known(measured[key][:, columns], axis=1)) for key, columns in common.items()},
        {key: figure_of(mean_of_known(measured[key][:, columns], axis=1)) for key, columns in own.items()},
    )


def _difference(
    pair: tuple[ToolPredictions, ToolPredictions],
    truth: Truth,
    samples: FloatArray,
    *,
    au_ids: Sequence[int],
    common: Mapping[str, list[int]],
) -> Difference:
    first, other = pair
    both = first.found & other.found
    by_treatment = {}
    for treatment in TREATMENTS:
        kept = (each.only(both) if treatment == "left_out" else each.treated(treatment) for each in pair)
        ours, theirs = (each.samples(truth, samples) for each in kept)
        by_treatment[treatment] = _scores({key: ours[key] - theirs[key] for key in ours}, au_ids, common)
    return Difference(first.tool.name, other.tool.name, int(both.sum()), **by_treatment)


def _names(tables: Sequence[Path]) -> dict[str, Path]:
    """Return the tables by their shortest distinct names."""
    if not tables:
        raise InputError("no table was given; name the CSV file of at least one tool after the manifest")
    for name_of in (lambda path: path.resolve().stem, lambda path: "/".join(path.resolve().with_suffix("").parts[-2:])):
        named = {name_of(path): path for path in tables}
        if len(named) == len(tables):
            return named
    raise InputError(
        f"the tables {', '.join(map(str, tables))} cannot be told apart by their names; give each its own, such as "
        "ours.csv and openface.csv"
    )


def _groups(path: Path, column: str, frames: int) -> tuple[str, ...]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if column not in (reader.fieldnames or ()):
            raise ManifestError(
                f"manifest {path} has no column '{column}' (--within); it has {some_names(reader.fieldnames or ())}"
            )
        groups = tuple((row[column] or "").strip() for row in reader)
    if len(groups) != frames or len({*groups} - {""}) < 1:
        raise ManifestError(f"manifest {path} has nothing in its column '{column}' (--within); fill it in")
    return groups
