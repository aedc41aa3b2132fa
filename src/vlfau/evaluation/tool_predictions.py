"""What a tool says of action units, frame by frame of a manifest, to which its rows are matched.

The score of an AU is the tool's probability, or its intensity where it has no probability, or its state where it has
neither. The states are the tool's own; where it has none, the AU is active from a threshold on.

Dimensions: F frames, N AUs.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Manifest
from vlfau.errors import InputError, ManifestError
from vlfau.evaluation.comparison_results import Rules, Tool, ToolScores
from vlfau.evaluation.tool_scores import Truth, auc_samples, f1_samples, icc_samples
from vlfau.evaluation.tool_tables import ToolTable

__all__ = ["Matched", "ToolPredictions", "Treatment", "match_rows"]

Treatment = Literal["left_out", "called_inactive"]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ToolPredictions:
    """What a tool said of every frame, in the order of the manifest.

    Attributes:
        tool: The tool, without its scores.
        scores: (F, N), what the AUC is computed from; NaN where the tool said nothing.
        states: (F, N), 1 or 0; NaN likewise.
        intensities: (F, N); NaN likewise.
        found: (F,), whether the tool found a face.
    """

    tool: Tool
    scores: FloatArray
    states: FloatArray
    intensities: FloatArray
    found: NDArray[np.bool_]

    @classmethod
    def of(cls, name: str, table: ToolTable, manifest: Manifest, rules: Rules) -> "ToolPredictions":
        """Sort the rows of a table by the frames of a manifest.

        Raises:
            InputError: The table shares no AU with the manifest, or its rows cannot be matched to the frames.
        """
        shared = tuple(au_id for au_id in manifest.au_ids if au_id in table.au_ids)
        if not shared:
            raise InputError(
                f"{table.path} has none of the AUs of manifest {manifest.path}: it has "
                f"{', '.join(map(str, table.au_ids))}, the manifest {', '.join(map(str, manifest.au_ids))}"
            )
        matched = match_rows(table, manifest)
        found = matched.rows >= 0
        nothing = np.full((len(found), len(manifest.au_ids)), np.nan)
        by_kind = {kind: nothing.copy() for kind in ("probability", "state", "intensity")}
        for column, au_id in enumerate(manifest.au_ids):
            if au_id in shared:
                for kind, values in table.values.items():
                    by_kind[kind][found, column] = values[matched.rows[found], table.au_ids.index(au_id)]
        scores, states, score_from, state_from = nothing.copy(), nothing.copy(), {}, {}
        has = {kind: ~np.isnan(values).all(0) for kind, values in by_kind.items()}
        limits = {"probability": rules.threshold, "intensity": rules.intensity_threshold}
        for column, au_id in enumerate(manifest.au_ids):
            kinds = [kind for kind in ("probability", "intensity", "state") if has[kind][column]]
            if not kinds:
                continue
            scores[:, column], score_from[au_id] = by_kind[kinds[0]][:, column], kinds[0]
            if has["state"][column]:
                states[:, column], state_from[au_id] = by_kind["state"][:, column], "its own states"
            else:
                values, limit = by_kind[kinds[0]][:, column], limits[kinds[0]]
                states[:, column] = np.where(np.isnan(values), np.nan, values >= limit)
                state_from[au_id] = f"{kinds[0]} of {limit:g} or more"
        folder = manifest.path.parent
        empty = ToolScores({}, {}, {})
        tool = Tool(
            name,
            table.format.title,
            tuple(score_from),
            tuple(au_id for au_id in table.au_ids if au_id not in manifest.au_ids),
            int(found.sum()),
            tuple(
                (frame.image.relative_to(folder) if frame.image.is_relative_to(folder) else frame.image).as_posix()
                for frame, was_found in zip(manifest.frames, found, strict=True)
                if not was_found
            ),
            matched.several,
            table.format.choice,
            matched.ignored,
            score_from,
            state_from,
            empty,
            empty,
        )
        return cls(tool, scores, states, by_kind["intensity"], found)

    def treated(self, treatment: Treatment) -> "ToolPredictions":
        """Return the same with frames without a face left out, or with all of their AUs called inactive."""
        if treatment == "left_out" or self.found.all():
            return self
        missed = ~self.found[:, None]

        def fill(values: FloatArray, value: float) -> FloatArray:
            return np.where(missed & ~np.isnan(values).all(0), value, values)

        return replace(
            self,
            scores=fill(self.scores, -np.inf),
            states=fill(self.states, 0),
            intensities=fill(self.intensities, 0),
        )

    def only(self, frames: NDArray[np.bool_]) -> "ToolPredictions":
        """Return the same with all but some frames left out."""
        kept = frames[:, None]
        return replace(
            self,
            scores=np.where(kept, self.scores, np.nan),
            states=np.where(kept, self.states, np.nan),
            intensities=np.where(kept, self.intensities, np.nan),
        )

    def samples(self, truth: Truth, samples: FloatArray) -> dict[str, FloatArray]:
        """Return every measure in every sample, (D, N)."""
        found = {"auc": auc_samples(self.scores, truth, samples)}
        if truth.groups is not None:
            found["within"] = auc_samples(self.scores, truth, samples, within=True)
        found["f1"] = f1_samples(self.states, truth, samples)
        found["icc"] = icc_samples(self.intensities, truth, samples)
        return found


@dataclass(frozen=True, eq=False)
class Matched:
    """Which row of a tool speaks of each frame.

    Attributes:
        rows: (F,), the row of each frame; -1 where the tool found no face in it.
        several: How many frames had several faces, of which one was chosen.
        ignored: How many rows speak of pictures that the manifest lacks.
    """

    rows: NDArray[np.int64]
    several: int
    ignored: int


def match_rows(table: ToolTable, manifest: Manifest) -> Matched:
    """Match the rows of a table to the frames of a manifest by the names of the pictures.

    A name is compared first as a path, as it is given and below the manifest's folder; then by its end, which may be
    a path of the manifest; then by its stem. A frame that one way has found is not looked for by the next. Where a
    picture has several faces, the one that counts for the tool's format is taken.

    Raises:
        InputError: A name fits several frames, several names fit one frame, no name fits any, or nothing tells several
            faces of a picture apart.
        ManifestError: The manifest lists a picture twice.
    """
    frames = _Frames(manifest)
    found: dict[str, int | None] = dict.fromkeys(table.names)
    for way in (frames.by_path, frames.by_end, frames.by_stem):
        known = {frame for frame in found.values() if frame is not None}
        taken: dict[int, str] = {}
        for name in [name for name, frame in found.items() if frame is None]:
            candidates = [frame for frame in way(name) if frame not in known]
            if len(candidates) > 1:
                first, second = (manifest.frames[frame].image for frame in candidates[:2])
                raise InputError(
                    f"{table.path} has a row about {name}, which could be {first} or {second} of the manifest; "
                    "give the paths as the manifest has them"
                )
            if not candidates:
                continue
            (frame,) = candidates
            if taken.setdefault(frame, name) != name and way != frames.by_path:
                raise InputError(
                    f"{table.path} has rows about {taken[frame]} and {name}, which could both be "
                    f"{manifest.frames[frame].image} of the manifest; give the paths as the manifest has them"
                )
            found[name] = frame
    if all(frame is None for frame in found.values()):
        raise InputError(
            f"no row of {table.path} speaks of a picture in {manifest.path}: the tool names {table.names[0]}, the "
            f"manifest {manifest.frames[0].image}; run the tool on the manifest's pictures"
        )
    return _choose(table, [found[name] for name in table.names], len(manifest.frames))


def _choose(table: ToolTable, frame_of: Sequence[int | None], frames: int) -> Matched:
    """Choose one face per frame."""
    candidates: dict[int, list[int]] = defaultdict(list)
    for row, frame in enumerate(frame_of):
        if frame is not None and table.found[row]:
            candidates[frame].append(row)
    rows = np.full(frames, -1)
    for frame, faces in candidates.items():
        if len(faces) > 1 and np.isnan(table.sizes[faces]).any():
            raise InputError(
                f"{table.places[faces[0]]} and {table.places[faces[1]]} both speak of {table.names[faces[0]]}, and no "
                "column tells which face is the main one; leave one row per picture"
            )
        rows[frame] = max(faces, key=lambda row: (table.sizes[row], -row)) if len(faces) > 1 else faces[0]
    several = sum(len(faces) > 1 for faces in candidates.values())
    return Matched(rows, several, sum(frame is None for frame in frame_of))


class _Frames:
    """The frames of a manifest by the names that they may have."""

    def __init__(self, manifest: Manifest) -> None:
        self._folder = manifest.path.parent
        self._paths: dict[str, int] = {}
        self._ends: dict[str, list[int]] = defaultdict(list)
        self._stems: dict[str, list[int]] = defaultdict(list)
        for number, frame in enumerate(manifest.frames):
            if self._paths.setdefault(_absolute(frame.image), number) != number:
                raise ManifestError(f"manifest {manifest.path} lists {frame.image} twice; leave one row per picture")
            below = os.path.relpath(frame.image, self._folder).replace(os.sep, "/")
            # A file in a folder is named like its picture but for the suffix.
            for end in {below, str(PurePosixPath(below).with_suffix(""))}:
                self._ends[end].append(number)
            self._stems[frame.image.stem].append(number)

    def by_path(self, name: str) -> Sequence[int]:
        """Return the frames whose path a name is."""
        paths = (_absolute(Path(name)), _absolute(self._folder / name))
        return [self._paths[path] for path in paths if path in self._paths][:1]

    def by_end(self, name: str) -> Sequence[int]:
        """Return the frames whose path below the manifest's folder is the longest end of a name."""
        parts = PurePosixPath(name.replace("\\", "/")).parts
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self._ends[end] for end in ends if end in self._ends), ())

    def by_stem(self, name: str) -> Sequence[int]:
        """Return the frames whose file name without its suffix a name has."""
        last = PurePosixPath(name.replace("\\", "/"))
        return self._stems.get(last.stem) or self._stems.get(last.name) or ()


def _absolute(path: Path) -> str:
    return os.path.normpath(path.absolute())
