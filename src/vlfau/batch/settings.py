"""How the files of an archive are judged."""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from vlfau.errors import ConfigError
from vlfau.inference.bundle import load_bundle
from vlfau.inference.predictor import Predictor
from vlfau.inference.runtimes import Runtime, chosen_runtime
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
        consistent: Whether the words must agree with the states of the AUs.
        max_faces: Keep the largest faces only; None keeps all.
        runtime: What computes the model.

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
    runtime: Runtime = "onnxruntime"

    def __post_init__(self) -> None:
        if self.every_s is not None and not 0 < self.every_s < math.inf:
            raise ConfigError(f"every is {self.every_s:g} s; give more than 0 s, or nothing to judge all frames")

    def for_workers(self) -> Self:
        """Return settings that mean the same in another folder and on another machine.

        A model's folder gets its whole path, and `auto` becomes the runtime that is the fastest here.

        Raises:
            BundleError: There is no such model, or it is damaged.
            ConfigError: There is no such runtime.
        """
        is_folder = self.model is not None and Path(self.model).exists()
        return replace(
            self,
            model=str(Path(self.model).absolute()) if is_folder and self.model else self.model,
            runtime=chosen_runtime(load_bundle(self.model), self.runtime),
        )

    def predictor(self) -> Predictor:
        """Open the model, with one thread.

        Raises:
            BundleError: There is no such model, or it is damaged.
            ConfigError: A setting is out of range.
            MissingExtraError: The runtime is not installed.
        """
        return Predictor(
            self.model,
            describe=for_pictures(self.describe),
            beam_size=self.beam_size,
            gendered=self.gendered,
            consistent=self.consistent,
            max_faces=self.max_faces,
            runtime=self.runtime,
        )

    def effect(self) -> dict[str, Any]:
        """Return everything on which results depend, except the model."""
        return {name: value for name, value in asdict(self).items() if name != "model"}
