"""What a comparison of tools holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vlfau.evaluation.au_metrics import CONFIDENCE, DRAWS
from vlfau.evaluation.tool_scores import Figure

__all__ = ["MEASURES", "Comparison", "Difference", "Rules", "Tool", "ToolScores"]

MEASURES: Final[Mapping[str, str]] = {"auc": "AUC", "within": "AUC within", "f1": "F1", "icc": "ICC(3,1)"}
"""Every measure and its title, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How tools are scored.

    Attributes:
        threshold: The probability from which an AU counts as active, where a tool has no states of its own.
        intensity_threshold: The intensity, likewise; 1 is level A.
        within: A column of the manifest; a second AUC compares faces that have the same value in it.
        seed: Of the bootstrap.
        draws: Of the bootstrap.
        confidence: Of its intervals.
    """

    threshold: float = 0.5
    intensity_threshold: float = 1.0
    within: str | None = None
    seed: int = 0
    draws: int = DRAWS
    confidence: float = CONFIDENCE


@dataclass(frozen=True, slots=True)
class ToolScores:
    """The scores of one tool, or the differences between two.

    Attributes:
        per_au: By measure and AU.
        mean: By measure, over the AUs that all tools have.
        mean_own: By measure, over all AUs of this tool.
    """

    per_au: Mapping[str, Mapping[int, Figure]]
    mean: Mapping[str, Figure]
    mean_own: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Attributes:
        name: The name of its file or folder.
        format: Whose columns it has.
        au_ids: The AUs that both it and the manifest have.
        other_au_ids: The AUs that the manifest lacks.
        found: Frames in which it found a face.
        missed: The pictures in which it found none, below the manifest's folder.
        several_faces: Frames in which it found several.
        choice: Which of them counts.
        ignored_rows: Rows about pictures that the manifest lacks.
        score_from: By AU, what its AUC is computed from.
        state_from: By AU, where its states come from.
        left_out: Scores on the frames in which it found a face.
        called_inactive: Scores on all frames, with every AU called inactive where it found no face.
    """

    name: str
    format: str
    au_ids: tuple[int, ...]
    other_au_ids: tuple[int, ...]
    found: int
    missed: tuple[str, ...]
    several_faces: int
    choice: str
    ignored_rows: int
    score_from: Mapping[int, str]
    state_from: Mapping[int, str]
    left_out: ToolScores
    called_inactive: ToolScores


@dataclass(frozen=True, slots=True)
class Difference:
    """The first tool minus another, on the same frames and the same draws.

    Attributes:
        first: Name of the first tool.
        other: Name of the other one.
        frames: Frames in which both found a face.
        left_out: On these frames.
        called_inactive: On all frames, with every AU called inactive where a tool found no face.
    """

    first: str
    other: str
    frames: int
    left_out: ToolScores
    called_inactive: ToolScores


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was measured.

    Attributes:
        manifest: Name of the manifest's file.
        frames: How many it has.
        subjects: How many people.
        rules: How tools were scored.
        labels: By AU, how many frames have it, lack it, and have an intensity.
        common: By measure, the AUs over which `mean` is taken.
        tools: In the order given.
        differences: The first tool minus each other one.
    """

    manifest: str
    frames: int
    subjects: int
    rules: Rules
    labels: Mapping[int, Mapping[str, int]]
    common: Mapping[str, tuple[int, ...]]
    tools: tuple[Tool, ...]
    differences: tuple[Difference, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that some tool has a figure of."""
        return tuple(key for key in MEASURES if any(tool.left_out.per_au.get(key) for tool in self.tools))
