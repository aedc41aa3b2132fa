"""How the files of an archive are judged."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from vlfau.errors import ConfigError
from vlfau.inference.predictor import Predictor
from vlfau.video.stream import DescribeFrames, for_pictures

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every worker must do alike.

    Attributes:
        model: A bundle's folder or name; None takes the default one.
        every_s: Judge only the first frame in every step of so many seconds of a video; None judges all.
        describe: When faces of a video get words, as `vlfau.video.stream` takes it; a picture with `changes` gets
            words for its active AUs.
        beam_size: Hypotheses of the caption search.
        gendered: Whether the words may guess a gender.
        consistent: Whether the words of an AU must agree with its state.
        max_faces: Keep the largest faces only; None keeps all.

    Raises:
        ConfigError: The step is out of range.
    """

    model: str | None = None
    every_s: float | None = None
    describe: DescribeFrames = "never"
    beam_size: int = 3
    gendered: bool = False
    consistent: bool = False
    max_faces: int | None = None

    def __post_init__(self) -> None:
        if self.every_s is not None and not 0 < self.every_s < math.inf:
            raise ConfigError(f"every is {self.every_s:g} s; give more than 0 s, or nothing to judge all frames")

    def for_workers(self) -> Self:
        """Return settings that mean the same in another folder: a model's folder gets its whole path."""
        if self.model is None or not Path(self.model).exists():
            return self
        return type(self)(**{**asdict(self), "model": str(Path(self.model).absolute())})

    def predictor(self) -> Predictor:
        """Open the model, with one thread.

        Raises:
            BundleError: There is no such model, or it is damaged.
            ConfigError: A setting is out of range.
        """
        return Predictor(
            self.model,
            describe=for_pictures(self.describe),
            beam_size=self.beam_size,
            gendered=self.gendered,
            consistent=self.consistent,
            max_faces=self.max_faces,
        )

    def effect(self) -> dict[str, Any]:
        """Return everything on which results depend, except the model."""
        return {name: value for name, value in asdict(self).items() if name != "model"}
