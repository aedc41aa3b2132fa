"""Measure how a model's scores follow the intensities of AUs on drawn faces, and record it in the bundle.

    python scripts/measure_responses.py src/vlfau/weights/default --people 40

Every person is drawn with random movements and with each AU at every intensity. `vlfau explain` needs the record to say
how far a face is from the other answer; `python -m studies counterfactuals` measures how well it does so.
"""

import argparse
from dataclasses import astuple, replace
from pathlib import Path

from vlfau.evaluation.flips import draw_ladders, fit_responses, flip_scores
from vlfau.inference.bundle import load_bundle, write_model_json
from vlfau.inference.counterfactual import RESPONSES, SLOPES
from vlfau.inference.predictor import Predictor

SEED, FIRST = 9001, 400


def main() -> None:
    """Draw people, ask the model, and record its responses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="folder of a bundle")
    parser.add_argument("--people", type=int, default=40, help="how many to draw")
    given = parser.parse_args()
    ladders = list(draw_ladders(Predictor(given.bundle, describe="never"), given.people, seed=SEED, first=FIRST))
    info = load_bundle(given.bundle).info
    fitted = fit_responses(ladders)
    record = {
        str(au_id): [round(each, 3) for each in astuple(fitted[au_id])] for au_id in info.au_ids if au_id in fitted
    }
    training = {key: value for key, value in info.training.items() if key != SLOPES} | {RESPONSES: record}
    write_model_json(given.bundle, replace(info, training=training))
    others = {
        person: fit_responses([each for each in ladders if each.person != person])
        for person in {each.person for each in ladders}
    }
    score = flip_scores((each, others[each.person].get(each.au_id)) for each in ladders)
    print(f"flip predicted within one letter: {score.flips:.3f} of {score.num_flips}, each person from the others")
    print(f"right, with those that no intensity flips: {score.all:.3f} of {score.num_all}")
    print(f"recorded {len(record)} AUs: {given.bundle}")


if __name__ == "__main__":
    main()
