"""Does the default model say truly what would change its mind? Checked on faces drawn with an AU at every intensity.

`vlfau explain` predicts from one face how many letters of intensity flip a state. Here the same person, movements,
light and camera are drawn with the AU at rest and at A to E, so the intensity at which the answer changes is known.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.rows import Row

from vlfau.evaluation.flips import Ladder, draw_ladders, flip_scores
from vlfau.inference.counterfactual import Response, recorded_response
from vlfau.inference.predictor import Predictor

__all__ = ["measure"]

PEOPLE: Final = 10
SEED, FIRST = 9001, 900
"""Other people than those to whom `scripts/measure_responses.py` fits."""


def measure() -> Iterator[Row]:
    """Yield how often the flip is predicted within one letter, for all AUs and for each."""
    predictor = Predictor(describe="never", max_faces=1)
    drawn = [
        (ladder, recorded_response(predictor.bundle.info, ladder.au_id))
        for ladder in draw_ladders(predictor, PEOPLE, seed=SEED, first=FIRST)
    ]
    yield _row("all AUs", drawn)
    for au_id in predictor.au_ids:
        if own := [each for each in drawn if each[0].au_id == au_id]:
            yield _row(f"AU {au_id}", own)


def _row(name: str, drawn: list[tuple[Ladder, Response | None]]) -> Row:
    score = flip_scores(drawn)
    text = f"{score.all:.3f} of {score.num_all} faces"
    if score.num_flips:
        text += f"; {score.flips:.3f} of the {score.num_flips} that some intensity flips"
    return Row(f"{name}: flip predicted within one letter", text)
