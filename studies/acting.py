"""Video clips of synthetic subjects with known expressions, and the model's predictions for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import Side
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.synthetic import Expression, Renderer, Subject
from vlfau.synthetic.clips import Clip, shoot
from vlfau.synthetic.components import components
from vlfau.synthetic.sampler import sampler
from vlfau.video.tracks import Track, tracks

__all__ = ["FRAMES_PER_SECOND", "Performance", "performances"]

FRAMES_PER_SECOND = 25
PRESET, SEED, SIZE = "wide", 77, 256
MIN_FOUND_SHARE, NEUTRAL_FRAMES = 0.8, 3


@dataclass(frozen=True, eq=False)
class Performance:
    """One subject's clip.

    Attributes:
        track: Predictions for the T frames in which the face was found.
        frames: (T,) indices of these frames in the clip.
        intensities: (F, N) true intensities in all frames of the clip, 0 to 5.
        neutral: Predictions for the subject's neutral face under the same light; may be empty.
    """

    track: Track
    frames: NDArray[np.intp]
    intensities: NDArray[np.float64]
    neutral: Sequence[FaceResult]


def performances(
    predictor: Predictor, *, clips: int, frames: int, slowness: int = 1, neutral: bool = False
) -> Iterator[Performance]:
    """Render clips and predict their AUs, each with a new subject; clips with a mostly hidden face are skipped.

    Args:
        predictor: Predicts every frame.
        clips: Number of clips.
        frames: Number of frames per clip, at 25 frames per second.
        slowness: Factor by which movements are slowed down. Clips of the generator reach a new state in every third
            frame, which is faster than real faces.
        neutral: Whether to predict neutral faces too.
    """
    renderer, chances = Renderer(SIZE), components("everyday")
    for number in range(clips):
        played = _slowed(sampler(PRESET).clip(SEED, number, -(-frames // slowness)), slowness)[:frames]
        subject = Subject.sample(SEED, number, chances=chances)
        results = _predict(predictor, renderer, subject, played, number)
        seen = [result for result in results if result.faces]
        if len(seen) < MIN_FOUND_SHARE * frames:
            continue
        rest = [Expression.of({})] * NEUTRAL_FRAMES
        at_rest = _predict(predictor, renderer, subject, rest, number) if neutral else []
        yield Performance(
            tracks(results, predictor.au_ids)[0],
            np.array([result.frame for result in seen]),
            np.array([[each.intensity(au_id) for au_id in predictor.au_ids] for each in played]),
            [face for result in at_rest for face in result.faces],
        )


def _slowed(played: list[Expression], slowness: int) -> list[Expression]:
    """Insert frames in which every AU is interpolated linearly."""
    following = [*played[1:], played[-1]]
    return [
        _between(one, other, step / slowness)
        for one, other in zip(played, following, strict=True)
        for step in range(slowness)
    ]


def _between(one: Expression, other: Expression, share: float) -> Expression:
    au_ids = one.left.keys() | other.left.keys()

    def at(side: Side, au_id: int) -> float:
        return (1 - share) * one.side(au_id, side) + share * other.side(au_id, side)

    return Expression.of({au_id: (at(Side.LEFT, au_id), at(Side.RIGHT, au_id)) for au_id in au_ids})


def _predict(
    predictor: Predictor, renderer: Renderer, subject: Subject, played: list[Expression], number: int
) -> list[PictureResult]:
    clip = Clip.sample(subject, played, components("everyday"), SEED, number)
    results = []
    for frame, shot in enumerate(shoot(renderer, subject, clip)):
        faces = [replace(face, face_id=1).without_arrays() for face in predictor.predict(shot.image)[:1]]
        results.append(PictureResult("clip", tuple(faces), frame, frame / FRAMES_PER_SECOND))
    return results
