"""Counterfactual pairs: if one AU of a face is switched, do only its prediction and captions change?

`pairs.csv` beside a synthetic manifest lists frames with their partners, which differ in one AU but not in person,
scene or camera. Rows that switch off a trace too weak to count as present change no label and are left out.

Compare these scores with chance: the same scores for unrelated frames, one with the AU and one without.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Frame, Manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.consistency import UNREADABLE, described_states, named_states
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import AUState

__all__ = ["Pair", "counterfactuals", "partner_frames", "read_pairs"]

COLUMNS: Final = ("image", "partner", "au", "partner_has_it")
MEASURES: Final = (
    ("state", "state_flips", "others_unchanged"),
    ("local", "local_words_flip", "others_local_words_unchanged"),
    ("global", "global_words_change", "others_global_words_unchanged"),
)
"""What is seen of every AU, what it is called where the switched AU follows, and where the others stay."""
SMALL_CHANGE: Final = 0.05
"""Maximum change of a probability that counts as unchanged."""
SEED: Final = 0
WORD_MEASURES: Final = frozenset(name for key, *names in MEASURES if key != "state" for name in names)


@dataclass(frozen=True, slots=True)
class Pair:
    """A frame and its partner.

    Attributes:
        image: Path of the frame, relative to the manifest's folder.
        partner: Path of its partner, relative to the manifest's folder.
        au_id: The AU that differs.
        partner_has_it: Whether the AU acts in the partner; otherwise it acts in the frame.
    """

    image: str
    partner: str
    au_id: int
    partner_has_it: bool


def counterfactuals(
    predictions: Predictions, partners: Predictions, pairs: Path, threshold: Threshold
) -> dict[str, Any]:
    """Compare the predictions for frames and for their partners.

    Args:
        predictions: Predictions for the frames; pairs of other frames are left out.
        partners: Predictions for the partners.
        pairs: The table of pairs.
        threshold: Probability from which an AU counts as active.

    Returns:
        The number of `pairs`; the means over them of

        * `probability_moves_right`, 1 if the AU is more probable where it acts; `probability_change`, by how much;
        * `state_flips`, 1 if the AU is predicted where it acts and only there;
        * `local_words_flip`, 1 if its local captions say so; `global_words_change`, if the global captions do;
        * `others_unchanged`, the share of the other AUs whose predicted state is the same in both;
        * `others_local_words_unchanged`, `others_global_words_unchanged`: unreadable captions count as changed;
        * `others_probability_change`, the mean absolute difference of their probabilities;
        * `no_other_changes`, 1 if the state of no other AU changes; `flips_alone`, 1 if the switched AU flips too;
        * `no_other_moves`, 1 if no other AU's probability moves by more than 0.05;

        `per_au`: the same for the pairs of every AU, by its number as text; and `chance`: the same of every frame and,
        in place of its partner, a frame of another person drawn at random among those in which the AU is in the other
        state. Measures of captions that the network does not generate are absent, and pairs without captions are left
        out of their means. None if there are no pairs.

    Raises:
        ManifestError: The table can't be read or has an invalid row.
    """
    chosen = _usable(read_pairs(pairs), predictions, partners)
    switched = np.array([predictions.au_ids.index(pair.au_id) for pair in chosen], int)  # (P,)
    measures = _measures(
        _seen(_taken(predictions, [pair.image for pair in chosen]), threshold),
        _seen(_taken(partners, [pair.partner for pair in chosen]), threshold),
        np.array([pair.partner_has_it for pair in chosen], bool),
        switched,
    )
    _leave_out_undescribed(measures, chosen, predictions, partners)
    per_au = {
        str(au_id): _summary({name: values[switched == column] for name, values in measures.items()})
        for column, au_id in enumerate(predictions.au_ids)
    }
    return _summary(measures) | {"chance": _chance(chosen, switched, predictions, threshold), "per_au": per_au}


def read_pairs(path: Path) -> list[Pair]:
    """Read a table of pairs.

    Raises:
        ManifestError: A column is missing, or a cell is invalid; the message names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ManifestError(f"pairs {path} lack the column {', '.join(missing)}; draw them with --pairs")
            return [_pair(path, reader.line_num, [row[name] or "" for name in COLUMNS]) for row in reader]
    except OSError as error:
        raise ManifestError(f"pairs {path} can't be opened ({error.strerror}); check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"pairs {path} are not a UTF-8 CSV file ({error}); draw them with --pairs") from error


def partner_frames(frames: Manifest, images: Sequence[str], pairs: Path) -> Manifest:
    """Return the partners of frames: the same states except for the switched AU.

    Args:
        frames: The frames.
        images: Their pictures, as named in the table of pairs.
        pairs: The table, beside the manifest; pairs of other frames are left out.

    Raises:
        ManifestError: The table is invalid, or a partner is not a file.
    """
    known = dict(zip(images, frames.frames, strict=True))
    chosen = [pair for pair in read_pairs(pairs) if pair.image in known]
    partners = tuple(_partner(pair, known[pair.image], frames.au_ids, pairs) for pair in chosen)
    return Manifest(pairs, frames.au_ids, partners)


def _partner(pair: Pair, frame: Frame, au_ids: Sequence[int], pairs: Path) -> Frame:
    path = pairs.parent / pair.partner
    if not path.is_file():
        raise ManifestError(f"{pairs} names {pair.partner}, which is not a file; draw the pairs again")
    states = tuple(
        AUState(au_id, active=pair.partner_has_it) if au_id == pair.au_id else state
        for au_id, state in zip(au_ids, frame.states, strict=True)
    )
    # The landmarks of the partner are unknown.
    return replace(frame, image=path, states=states, landmarks_xy=())


def _pair(path: Path, line: int, cells: Sequence[str]) -> Pair:
    image, partner, au_id, partner_has_it = cells
    if not (image and partner and au_id.isdecimal() and partner_has_it in {"0", "1"}):
        raise ManifestError(
            f"pairs {path}, line {line}: expected two images, an AU's number and 0 or 1 under {', '.join(COLUMNS)}, "
            f"found {', '.join(cells)}; correct the line"
        )
    return Pair(image, partner, int(au_id), partner_has_it == "1")


def _usable(pairs: Sequence[Pair], predictions: Predictions, partners: Predictions) -> list[Pair]:
    """Return the pairs with predictions for both frames and a changed label."""
    rows = {image: row for row, image in enumerate(predictions.images)}
    columns = {au_id: column for column, au_id in enumerate(predictions.au_ids)}
    predicted = frozenset(partners.images)
    return [
        pair
        for pair in pairs
        if pair.image in rows
        and pair.partner in predicted
        and pair.au_id in columns
        and predictions.occurrence[rows[pair.image], columns[pair.au_id]] != int(pair.partner_has_it)
    ]


def _chance(
    pairs: Sequence[Pair], switched: NDArray[np.int_], predictions: Predictions, threshold: Threshold
) -> dict[str, Any]:
    """Return the means over random pairs with another person in which the AU has the other state."""
    rng = np.random.default_rng(SEED)
    rows = {image: row for row, image in enumerate(predictions.images)}
    people = np.array(predictions.subject_ids)
    drawn: list[Pair] = []
    columns: list[int] = []
    for pair, column in zip(pairs, switched.tolist(), strict=True):
        strangers = np.flatnonzero(
            (people != people[rows[pair.image]]) & (predictions.occurrence[:, column] == int(pair.partner_has_it))
        )
        if len(strangers):
            drawn.append(replace(pair, partner=predictions.images[int(rng.choice(strangers))]))
            columns.append(column)
    measures = _measures(
        _seen(_taken(predictions, [pair.image for pair in drawn]), threshold),
        _seen(_taken(predictions, [pair.partner for pair in drawn]), threshold),
        np.array([pair.partner_has_it for pair in drawn], bool),
        np.array(columns, int),
    )
    _leave_out_undescribed(measures, drawn, predictions, predictions)
    return _summary(measures)


def _leave_out_undescribed(
    measures: Mapping[str, NDArray[np.float64]], pairs: Sequence[Pair], predictions: Predictions, partners: Predictions
) -> None:
    """Set caption measures to NaN, in place, where a frame or its partner has no captions."""
    described, partners_described = frozenset(predictions.described().images), frozenset(partners.described().images)
    missing = np.array([pair.image not in described or pair.partner not in partners_described for pair in pairs], bool)
    for name in measures.keys() & WORD_MEASURES:
        measures[name][missing] = np.nan


def _taken(predictions: Predictions, images: Sequence[str]) -> Predictions:
    rows = {image: row for row, image in enumerate(predictions.images)}
    return predictions.take([rows[image] for image in images])


def _seen(predictions: Predictions, threshold: Threshold) -> dict[str, NDArray[Any]]:
    """Return the compared values, (P, N) each: probabilities, states, and those that captions claim."""
    seen: dict[str, NDArray[Any]] = {"probability": predictions.au_probs, "state": predictions.au_probs >= threshold}
    if predictions.local_captions is not None:
        seen["local"] = described_states(predictions.au_ids, predictions.local_captions)
    if predictions.global_captions is not None:
        seen["global"] = named_states(predictions.au_ids, predictions.global_captions)
    return seen


def _measures(
    frames: Mapping[str, NDArray[Any]],
    partners: Mapping[str, NDArray[Any]],
    partner_has_it: NDArray[np.bool_],
    switched: NDArray[np.int_],
) -> dict[str, NDArray[np.float64]]:
    """Return every measure for every pair, (P,) each.

    Args:
        frames: Values of the frames.
        partners: Values of the partners.
        partner_has_it: (P,).
        switched: (P,), the column of the AU that differs.
    """
    has_it = partner_has_it[:, None]
    acting = {key: np.where(has_it, partners[key], frames[key]) for key in frames}
    resting = {key: np.where(has_it, frames[key], partners[key]) for key in frames}
    num_pairs, num_aus = acting["probability"].shape
    own = np.arange(num_pairs), switched
    others = np.ones((num_pairs, num_aus), bool)
    others[own] = False
    change = acting["probability"] - resting["probability"]  # (P, N)
    measures = {"probability_moves_right": change[own] > 0, "probability_change": change[own]}
    for key, flips, _ in MEASURES:
        if key in acting:
            measures[flips] = (acting[key][own] == 1) & (resting[key][own] == 0)
    if num_aus > 1:
        moves = np.abs(change[others]).reshape(num_pairs, num_aus - 1)
        measures["others_probability_change"] = moves.mean(1)
        measures["no_other_moves"] = (moves <= SMALL_CHANGE).all(1)
        unchanged = (acting["state"] == resting["state"])[others].reshape(num_pairs, num_aus - 1)
        measures["no_other_changes"] = unchanged.all(1)
        measures["flips_alone"] = measures["no_other_changes"] & measures["state_flips"]
        for key, _, stays in MEASURES:
            if key in acting:
                same = (acting[key] == resting[key]) & (acting[key] != UNREADABLE)
                measures[stays] = same[others].reshape(num_pairs, num_aus - 1).mean(1)
    return {name: values.astype(float) for name, values in measures.items()}


def _summary(measures: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Return the number of pairs and the mean of every measure over those that it applies to."""
    applying = {name: values[~np.isnan(values)] for name, values in measures.items()}
    means = {name: float(values.mean()) if values.size else None for name, values in applying.items()}
    return {"pairs": len(measures["probability_change"])} | means
