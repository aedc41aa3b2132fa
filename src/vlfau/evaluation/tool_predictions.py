"""What a tool says of action units, frame by frame of a manifest.

The score of an AU is the tool's probability, or its intensity where it has no probability, or its state where it has
neither. The states are the tool's own; where it has none, the AU is active from a threshold on.

Dimensions: F frames, N AUs.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Manifest
from vlfau.errors import InputError
from vlfau.evaluation.comparison_results import Rules, Tool, ToolScores
from vlfau.evaluation.tool_matching import match_rows
from vlfau.evaluation.tool_scores import Truth, auc_samples, f1_samples, icc_samples
from vlfau.evaluation.tool_tables import ToolTable

__all__ = ["ToolPredictions", "Treatment"]

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
