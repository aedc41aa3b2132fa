"""Settings and subjects of a data set."""

from dataclasses import dataclass
from typing import Final, Literal

from vlfau.errors import ConfigError
from vlfau.synthetic.presets import Preset, preset

__all__ = ["GENERATOR_VERSION", "DatasetSettings", "SubjectPlan", "plan_subjects"]

GENERATOR_VERSION: Final = 1
"""Increased when the same settings give different frames."""
NUM_FOLDS: Final = 3


@dataclass(frozen=True)
class DatasetSettings:
    """The settings that determine every byte of a data set.

    Attributes:
        preset: Name of the preset.
        subjects: Number of subjects; None takes the preset's number.
        clips: Number of clips per subject.
        frames: Number of frames per clip.
        size: Side length of the frames in pixels.
        seed: Seed of the data set, 0 or above.
        pairs: Whether every frame gets a partner in which one AU is switched on or off.
        regions: Whether every AU that is present gets a mask of the skin that it moves.
        stills: Whether labels that a single picture cannot show are left empty (`manifest.unknown_on_stills`).
    """

    preset: str = "wide"
    subjects: int | None = None
    clips: int = 6
    frames: int = 6
    size: int = 256
    seed: int = 0
    pairs: bool = False
    regions: bool = False
    stills: bool = False

    def __post_init__(self) -> None:
        preset(self.preset)
        for name, least in (("clips", 1), ("frames", 1), ("size", 32), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be {least} or more, not {getattr(self, name)}")
        if self.subjects is not None and self.subjects < 1:
            raise ConfigError(f"subjects must be 1 or more, not {self.subjects}")
        if self.size > 2048:
            raise ConfigError(f"size must be 2048 or less, not {self.size}")


@dataclass(frozen=True)
class SubjectPlan:
    """A subject to generate.

    Attributes:
        number: Number of the subject, from 0.
        name: Name in the manifest.
        gender: "F" or "M".
        fold: Test fold, from 1.
    """

    number: int
    name: str
    gender: Literal["F", "M"]
    fold: int


def plan_subjects(settings: DatasetSettings) -> tuple[SubjectPlan, ...]:
    """Return the subjects of a data set, with the preset's proportion of genders, balanced over the folds."""
    chosen: Preset = preset(settings.preset)
    total = chosen.women + chosen.men
    count = settings.subjects or total
    plans = []
    assigned = {"F": 0, "M": 1}
    for number in range(count):
        woman = (number + 1) * chosen.women // total > number * chosen.women // total
        gender: Literal["F", "M"] = "F" if woman else "M"
        plans.append(SubjectPlan(number, f"S{number + 1:04d}", gender, assigned[gender] % NUM_FOLDS + 1))
        assigned[gender] += 1
    return tuple(plans)
