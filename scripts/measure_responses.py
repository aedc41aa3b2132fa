"""Measure how fast a model's scores follow the intensities of AUs on drawn faces, and record it in the bundle.

    python scripts/measure_responses.py src/vlfau/weights/default --people 14

Every person is drawn at rest and with each AU of the model alone, at three intensities. `vlfau explain` needs the
record to say how far a face is from the other answer. Prints how often the record predicts, for people whose faces did
not count, the intensity at which the model changes its answer, to within one letter.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import FaceFinder
from vlfau.inference.au_scores import logit
from vlfau.inference.bundle import load_bundle, write_model_json
from vlfau.inference.counterfactual import RESPONSES
from vlfau.inference.predictor import Predictor
from vlfau.synthetic.clips import Clip, shoot_one
from vlfau.synthetic.components import components
from vlfau.synthetic.expression import Expression
from vlfau.synthetic.presets import preset
from vlfau.synthetic.renderer import Renderer
from vlfau.synthetic.subject import Subject

LEVELS = (0.0, 1.5, 3.0, 4.5)
"""Intensities at which an AU is drawn."""
SEED, FIRST, SIZE = 9001, 100, 192
LEAST_RISE = 0.3
"""Least number of letters between the flip and the strongest picture that a slope is computed over."""

Ramp = tuple[int, int, NDArray[np.float64]]
"""A person, an AU, and the distances of its logits from the threshold at every level."""


def ramps(predictor: Predictor, people: int) -> Iterator[Ramp]:
    """Yield what the model says of every person and AU."""
    renderer, finder = Renderer(SIZE, 2), FaceFinder(max_faces=1)
    chances = components(preset("all-aus").components)
    limits = logit(np.array(predictor.bundle.info.thresholds))
    for number in range(FIRST, FIRST + people):
        subject = Subject.sample(SEED, 1, number, gender="FM"[number % 2], chances=chances)  # type: ignore[arg-type]
        clip = replace(Clip.sample(subject, [Expression.of({})], chances, SEED, 2, number), occluder=None)

        def scores(intensities: dict[int, float], subject: Subject = subject, clip: Clip = clip) -> NDArray[np.float64]:
            scene = replace(clip.scenes[0], expression=Expression.of(dict(intensities)))
            image = shoot_one(renderer, subject, clip, scene, 0).image
            faces = finder.find(image)
            if not faces:
                return np.full(len(limits), np.nan)
            found = predictor.score_crops(predictor.align(image, faces)).vision.au_logits[0]
            return np.asarray(found - limits, np.float64)

        at_rest = scores({})
        for column, au_id in enumerate(predictor.au_ids):
            rest = [scores({au_id: level})[column] for level in LEVELS[1:]]
            yield number, au_id, np.array([at_rest[column], *rest])


def flip(scores: NDArray[np.float64]) -> float | None:
    """Return the intensity at which the model changes its answer; None if it is wrong at rest or at the strongest."""
    if not np.isfinite(scores).all() or scores[0] >= 0 or scores[-1] < 0:
        return None
    after = int(np.argmax(scores >= 0))
    before = after - 1
    share = -scores[before] / (scores[after] - scores[before])
    return float(LEVELS[before] + share * (LEVELS[after] - LEVELS[before]))


def slopes(found: list[Ramp]) -> tuple[float, float]:
    """Return by how much a logit rises in a letter, below and above the threshold: the medians over people."""
    below, above = [], []
    for _, _, scores in found:
        if (at := flip(scores)) is not None:
            below.append(-scores[0] / at)
            above.append(scores[-1] / max(LEVELS[-1] - at, LEAST_RISE))
    return float(np.median(below)), float(np.median(above))


def hits(found: list[Ramp]) -> tuple[float, float]:
    """Return how often a left-out person's flip is predicted within one letter, from rest and from the strongest."""
    from_rest, from_strongest = [], []
    for person, au_id, scores in found:
        others = [ramp for ramp in found if ramp[1] == au_id and ramp[0] != person]
        if (at := flip(scores)) is None or all(flip(ramp[2]) is None for ramp in others):
            continue
        below, above = slopes(others)
        from_rest.append(abs(-scores[0] / below - at) <= 1)
        from_strongest.append(abs(LEVELS[-1] - scores[-1] / above - at) <= 1)
    return float(np.mean(from_rest)), float(np.mean(from_strongest))


def record(bundle: Path, found: list[Ramp]) -> None:
    """Write the slopes into the bundle, and print how well they predict."""
    info = load_bundle(bundle).info
    by_au = {au_id: [ramp for ramp in found if ramp[1] == au_id] for au_id in info.au_ids}
    known = {au_id: own for au_id, own in by_au.items() if any(flip(scores) is not None for _, _, scores in own)}
    responses = {str(au_id): [round(slope, 2) for slope in slopes(own)] for au_id, own in known.items()}
    write_model_json(bundle, replace(info, training={**info.training, RESPONSES: responses}))
    from_rest, from_strongest = hits(found)
    flips = sum(flip(scores) is not None for _, _, scores in found)
    print(f"{flips} of {len(found)} drawn movements change the answer")
    print(f"flip predicted within one letter: {from_rest:.3f} from rest, {from_strongest:.3f} from {LEVELS[-1]}")
    print(f"recorded {len(responses)} AUs: {bundle}")


def main() -> None:
    """Draw people, ask the model, and record its responses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="folder of a bundle")
    parser.add_argument("--people", type=int, default=14, help="how many to draw")
    given = parser.parse_args()
    record(given.bundle, list(ramps(Predictor(given.bundle, describe="never"), given.people)))


if __name__ == "__main__":
    main()
