"""What a data set is made with, and who is in it."""

from dataclasses import dataclass
from typing import Final, Literal

from vlfau.errors import ConfigError
from vlfau.synthetic.presets import Preset, preset

__all__ = ["GENERATOR_VERSION", "DatasetSettings", "Person", "people"]

GENERATOR_VERSION: Final = 1
"""Goes up when the same settings give other frames."""
NUM_FOLDS: Final = 3


@dataclass(frozen=True)
class DatasetSettings:
    """What decides every byte of a data set.

    Attributes:
        preset: Its name.
        subjects: How many people; None takes the preset's number.
        clips: How many clips a person.
        frames: How many frames a clip.
        size: Side of the frames in pixels.
        seed: A whole number, 0 or above.
        pairs: Whether every frame gets a partner in which one AU is switched.
        regions: Whether every AU that is present gets a mask of the skin that it moves.
    """

    preset: str = "wide"
    subjects: int | None = None
    clips: int = 6
    frames: int = 6
    size: int = 256
    seed: int = 0
    pairs: bool = False
    regions: bool = False

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
class Person:
    """A subject to be made.

    Attributes:
        number: From 0.
        name: As in the manifest.
        gender: "F" or "M".
        fold: The fold that tests the person, from 1.
    """

    number: int
    name: str
    gender: Literal["F", "M"]
    fold: int


def people(settings: DatasetSettings) -> tuple[Person, ...]:
    """Return who is in a data set: genders in the preset's proportion, dealt evenly to the folds."""
    chosen: Preset = preset(settings.preset)
    total = chosen.women + chosen.men
    count = settings.subjects or total
    found = []
    dealt = {"F": 0, "M": 1}
    for number in range(count):
        woman = (number + 1) * chosen.women // total > number * chosen.women // total
        gender: Literal["F", "M"] = "F" if woman else "M"
        found.append(Person(number, f"S{number + 1:04d}", gender, dealt[gender] % NUM_FOLDS + 1))
        dealt[gender] += 1
    return tuple(found)
