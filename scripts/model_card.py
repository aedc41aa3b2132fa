"""Write the measured part of the default model's card, and a picture of its failures.

    python scripts/model_card.py runs/default data/default docs/model-card.md docs/images/default-failures.jpg

`make default-model` calls this script. The text outside the markers is kept.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlfau.data.manifest import read_manifest
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import action_unit

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TILE, COLUMNS, ROWS, CAPTION = 160, 6, 3, 34


def main() -> None:
    """Read the scores, update the card, and draw the failures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("faces", type=Path)
    parser.add_argument("card", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    scores = {name: json.loads((arguments.run / name / "scores.json").read_text()) for name in ("test", "wild")}
    # A single number is a threshold shared by all AUs.
    thresholds = np.broadcast_to(scores["test"]["threshold"], len(scores["test"]["au_ids"])).tolist()
    before, _, rest = arguments.card.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = "\n\n".join([recognition(scores, thresholds), words(scores)])
    arguments.card.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}", encoding="utf-8")
    failures(arguments.run / "wild", arguments.faces / "wild" / "manifest.csv").save(arguments.picture, quality=85)


def recognition(scores: dict[str, dict[str, Any]], thresholds: list[float]) -> str:
    """Return the table of recognition scores, one row per AU."""
    test, wild = scores["test"], scores["wild"]
    head = (
        f"`wide`: {test['frames']:,} frames of {test['subjects']} people; "
        f"`wild`: {wild['frames']:,} frames of {wild['subjects']}. All SYNTHETIC.\n\n"
        "| AU | name | threshold | F1 wide [95 %] | AUC wide | ECE wide | ICC wide | MAE wide | F1 wild | AUC wild |\n"
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    )
    rows = []
    for au_id, threshold in zip(test["au_ids"], thresholds, strict=True):
        key = str(au_id)
        low, high = test["intervals"]["f1_per_au"][key]
        cells = [
            str(au_id),
            action_unit(au_id).name,
            f"{threshold:.2f}",
            f"{percent(test['f1_per_au'][key])} [{percent(low)}, {percent(high)}]",
            *(percent(test[f"{name}_per_au"][key]) for name in ("roc_auc", "ece", "intensity_icc")),
            f"{test['intensity_mae_per_au'][key]:.2f}",
            *(percent(wild[f"{name}_per_au"].get(key)) for name in ("f1", "roc_auc")),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    low, high = test["intervals"]["f1_macro"]
    means = [
        f"**{percent(test['f1_macro'])}** [{percent(low)}, {percent(high)}]",
        *(percent(test[f"{name}_macro"]) for name in ("roc_auc", "ece", "intensity_icc")),
        f"{test['intensity_mae_macro']:.2f}",
        *(f"**{percent(wild[f'{name}_macro'])}**" for name in ("f1", "roc_auc")),
    ]
    return head + "\n".join([*rows, f"| | **mean** | | {' | '.join(means)} |"])


def words(scores: dict[str, dict[str, Any]]) -> str:
    """Return the table of caption scores."""
    measures = {
        "Local words agree with the predicted state": ("truth", "local_agrees_with_predicted"),
        "Local words agree where it is predicted active": ("truth", "local_agrees_where_predicted_active"),
        "Local words agree where it is predicted inactive": ("truth", "local_agrees_where_predicted_inactive"),
        "Consistent words agree with the predicted state": ("truth", "consistent_agrees_with_predicted"),
        "Degrees in local words are within one letter of the intensity": ("truth", "local_degree_close_to_predicted"),
        "Degrees in consistent words are within one letter of the intensity": (
            "truth",
            "consistent_degree_close_to_predicted",
        ),
        "AUs in global words that are predicted active": ("truth", "global_precision_of_predicted"),
        "AUs predicted active that global words name": ("truth", "global_recall_of_predicted"),
        "Local words: BLEU-4": ("words", "local_bleu4"),
        "Global words: BLEU-4": ("words", "global_bleu4"),
        "Attention peaks in the AU's region (pointing game)": ("truth", "pointing_game"),
        "The same, or within 3 % of the face's side": ("truth", "pointing_game_near"),
        "The same with the attention of other AUs": ("truth", "pointing_game_other"),
        "Counterfactual pairs: the probability moves the right way": ("counterfactuals", "probability_moves_right"),
        "Counterfactual pairs: the state flips": ("counterfactuals", "state_flips"),
        "Counterfactual pairs: the state flips and no other AU's does": ("counterfactuals", "flips_alone"),
        "Counterfactual pairs: no other AU changes its state": ("counterfactuals", "no_other_changes"),
        "Counterfactual pairs: no other AU moves by more than 5 points": ("counterfactuals", "no_other_moves"),
        "Counterfactual pairs: share of the other AUs whose state stays": ("counterfactuals", "others_unchanged"),
        "Counterfactual pairs: the local words flip": ("counterfactuals", "local_words_flip"),
        "Counterfactual pairs: the global words change": ("counterfactuals", "global_words_change"),
    }
    chance = ("state_flips", "flips_alone", "no_other_changes", "no_other_moves", "others_unchanged")
    rows = ["| measure, in % | wide | wild |", "|---|---:|---:|"]
    for title, (group, name) in measures.items():
        values = [scores[data].get(group, {}).get(name) for data in ("test", "wild")]
        if any(value is not None for value in values):
            rows.append(f"| {title} | {' | '.join(percent(value) for value in values)} |")
        if group == "counterfactuals" and name in chance:
            unrelated = [scores[data].get(group, {}).get("chance", {}).get(name) for data in ("test", "wild")]
            if any(value is not None for value in unrelated):
                rows.append(f"| of unrelated faces (chance) | {' | '.join(percent(value) for value in unrelated)} |")
    return "\n".join(rows)


def failures(folder: Path, manifest: Path) -> Image.Image:
    """Draw the most confident errors, one per AU, worst first."""
    predictions = Predictions.load(folder)
    paths = {
        frame.image.relative_to(manifest.parent).as_posix(): frame.image for frame in read_manifest(manifest).frames
    }
    errors = np.where(predictions.occurrence == 1, 1 - predictions.au_probs, predictions.au_probs)
    errors[predictions.occurrence < 0] = 0
    chosen: list[tuple[int, int]] = []
    for column in np.argsort(-errors.max(0)).tolist():
        frame = next(row for row in np.argsort(-errors[:, column]).tolist() if row not in {row for row, _ in chosen})
        chosen.append((frame, column))
    sheet = Image.new("RGB", (COLUMNS * TILE, ROWS * (TILE + CAPTION)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index, (frame, column) in enumerate(chosen[: COLUMNS * ROWS]):
        left, top = index % COLUMNS * TILE, index // COLUMNS * (TILE + CAPTION)
        with Image.open(paths[predictions.images[frame]]) as face:
            sheet.paste(face.convert("RGB").resize((TILE, TILE)), (left, top))
        truth = "active" if predictions.occurrence[frame, column] else "inactive"
        text = f"AU {predictions.au_ids[column]}: p = {predictions.au_probs[frame, column]:.2f}\ntruly {truth}"
        draw.text((left + 4, top + TILE + 2), text, fill="black", font=font)
    return sheet


def percent(share: float | None) -> str:
    """Format a share as a percentage with one decimal."""
    return "" if share is None else f"{100 * share:.1f}"


if __name__ == "__main__":
    main()
