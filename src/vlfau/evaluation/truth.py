"""How true texts on faces are, whoever wrote them: against the labels, against the explainer's own states, and alone.

Every text is read by `vlfau.language.claims`. Shares come with 95 % intervals from a bootstrap over subjects.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from vlfau.evaluation.au_metrics import DRAWS, interval_of
from vlfau.evaluation.counterfactuals import Pair
from vlfau.evaluation.truth_texts import Faces, FaceText
from vlfau.facs import AUState, Side
from vlfau.language.claims import Claim, read_claims
from vlfau.language.note_parser import parse_note
from vlfau.language.templates import ONE_SIDE

__all__ = ["MEASURES", "Share", "truth_scores"]

MEASURES: Final[Mapping[str, str]] = {
    "readable": "texts that claim anything about an AU",
    "contradictory": "texts that disagree with themselves",
    "true": "claims that the labels bear out",
    "active_true": "claims that an AU acts: it does",
    "inactive_true": "claims that an AU does not act: it does not",
    "degree_exact": "true claims with a degree: it is the coded one",
    "degree_close": "true claims with a degree: at most one letter off",
    "side_true": "true claims with a side: it is the coded one",
    "coverage": "acting AUs that the text names",
    "hallucinated": "AUs that it names as acting and that do not",
    "unlabelled": "claims about AUs without a label",
    "story": "faces whose texts all say what the explainer decided: states, degrees, sides",
    "consistent": "claims that agree with the state that the explainer decided",
    "consistent_degree": "claims with a degree: it is that of the explainer's intensity",
    "consistent_side": "claims with a side: it is the explainer's",
    "flips": "pairs: the switched AU is named where it acts, and only there",
    "others_unchanged": "pairs: nothing else that the texts name changes",
}
"""What each share is a share of."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share, with what it was counted from.

    Attributes:
        value: 0 to 1; None if there is nothing to count.
        interval: 95 %, over subjects; None with fewer than two people.
        count: What it is a share of.
    """

    value: float | None
    interval: tuple[float, float] | None
    count: int


@dataclass(frozen=True)
class _Read:
    """The claims of a face's texts."""

    said: FaceText

    @cached_property
    def of_face(self) -> tuple[Claim, ...]:
        return read_claims(self.said.text).claims if self.said.text else ()

    @cached_property
    def all(self) -> tuple[Claim, ...]:
        texts = (read_claims(text).claims for text in self.said.au_texts.values())
        return tuple(dict.fromkeys((*self.of_face, *(claim for claims in texts for claim in claims))))

    @property
    def named(self) -> frozenset[int]:
        """The AUs that are said to act."""
        return frozenset(claim.au_id for claim in self.all if claim.active)


class _Counts:
    """Hits and chances of each measure, by subject."""

    def __init__(self) -> None:
        self._hits: dict[str, Counter[str]] = {name: Counter() for name in MEASURES}
        self._chances: dict[str, Counter[str]] = {name: Counter() for name in MEASURES}

    def add(self, subject: str, name: str, hit: bool) -> None:
        self._chances[name][subject] += 1
        self._hits[name][subject] += hit

    def share(self, name: str, *, seed: int) -> Share:
        subjects = sorted(self._chances[name])
        counts = np.array([(self._hits[name][each], self._chances[name][each]) for each in subjects], float)
        if not subjects:
            return Share(None, None, 0)
        hits, chances = counts.sum(0)
        interval = None
        if len(subjects) > 1:
            even = np.full(len(subjects), 1 / len(subjects))
            drawn = np.random.default_rng(seed).multinomial(len(subjects), even, size=DRAWS) @ counts  # (R, 2)
            interval = interval_of(drawn[:, 0] / drawn[:, 1])
        return Share(float(hits / chances), interval, int(chances))


def truth_scores(faces: Faces, texts: Mapping[str, FaceText], *, seed: int = 0) -> dict[str, Any]:
    """Score texts on faces.

    Args:
        faces: The faces, with their labels if there are any.
        texts: The texts by face; faces without one are counted.
        seed: Random seed of the bootstrap.

    Returns:
        `faces`, `texts` (numbers), `silent` (pictures without a text), `not_labelled` and `not_in_catalogue` (numbers
        of claims by AU), and `shares`: a `Share` for each of `MEASURES`.
    """
    counts, read = _Counts(), {key: _Read(said) for key, said in texts.items()}
    unlabelled: Counter[int] = Counter()
    unknown: Counter[int] = Counter()
    for key, each in read.items():
        add = _adder(counts, faces.subjects[key])
        unknown.update(each.said.other_aus)
        for text in filter(None, (each.said.text, *each.said.au_texts.values())):
            found = read_claims(text)
            add("readable", bool(found.claims) or parse_note(text).no_action)
            add("contradictory", bool(found.contradictions))
            unknown.update(found.unknown_aus)
        if each.said.states:
            add("story", _one_story(each))
            for claim in each.all:
                state = each.said.states.get(claim.au_id)
                if state is not None:
                    _compare(add, claim, state)
        labels = faces.labels.get(key)
        if labels is not None:
            unlabelled.update(_against_labels(add, each, labels))
    for pair in faces.pairs:
        if pair.image in read and pair.partner in read:
            _score_pair(_adder(counts, faces.subjects[pair.image]), pair, read[pair.image], read[pair.partner])
    return {
        "faces": len(faces.subjects),
        "texts": sum((each.said.text is not None) + len(each.said.au_texts) for each in read.values()),
        "silent": len(faces.subjects) - len(read),
        "not_labelled": dict(sorted(unlabelled.items())),
        "not_in_catalogue": dict(sorted(unknown.items())),
        "shares": {name: counts.share(name, seed=seed) for name in MEASURES},
    }


def _adder(counts: _Counts, subject: str) -> Any:
    return lambda name, hit: counts.add(subject, name, hit)


def _against_labels(add: Any, each: _Read, labels: Mapping[int, AUState]) -> Iterator[int]:
    """Compare the claims with the labels; yield the AUs of claims without one."""
    for claim in each.all:
        state = labels.get(claim.au_id)
        add("unlabelled", state is None)
        if state is None:
            yield claim.au_id
            continue
        true = _is_true(claim, state)
        add("true", true)
        add("active_true" if claim.active else "inactive_true", true)
        if claim.active and state.active:
            if claim.intensity and state.intensity:
                add("degree_exact", claim.intensity == state.intensity)
                add("degree_close", abs(claim.intensity - state.intensity) <= 1)
            if claim.side and state.side:
                add("side_true", claim.side == state.side)
    for au_id, state in labels.items():
        if state.active:
            add("coverage", au_id in each.named)
        if au_id in each.named:
            add("hallucinated", not state.active)


def _is_true(claim: Claim, state: AUState) -> bool:
    if claim.active or not state.active:
        return claim.active == state.active
    # "The left corner does not rise" is true of a smile on the right.
    return claim.side in ONE_SIDE and state.side not in {None, Side.BOTH, claim.side}


def _compare(add: Any, claim: Claim, state: AUState) -> None:
    """Compare a claim with what the explainer itself decided."""
    add("consistent", _is_true(claim, state))
    if claim.active and state.active:
        if claim.intensity and state.intensity:
            add("consistent_degree", claim.intensity == state.intensity)
        if claim.side and state.side:
            add("consistent_side", claim.side == state.side)


def _one_story(each: _Read) -> bool:
    """Return whether all texts of a face say the explainer's own states, no others, and leave none out."""
    states = each.said.states
    # A table without sides cannot be disagreed with about them.
    sided = any(state.side for state in states.values())
    for au_id, text in each.said.au_texts.items():
        if au_id in states and _bare(read_claims(text).claims, sided) != {_claim_of(states[au_id])}:
            return False
    if each.said.text is None:
        return True
    active = {_claim_of(state) for state in states.values() if state.active}
    said = _bare(each.of_face, sided)
    counted = parse_note(each.said.text).more
    return said <= active and len(said) + counted == len(active)


def _bare(claims: Iterable[Claim], sided: bool) -> set[Claim]:
    """Return claims, without their sides unless these count."""
    return {claim if sided else replace(claim, side=None) for claim in claims}


def _claim_of(state: AUState) -> Claim:
    return Claim(state.au_id, state.active, state.intensity, state.side)


def _score_pair(add: Any, pair: Pair, frame: _Read, partner: _Read) -> None:
    with_it, without = (partner, frame) if pair.partner_has_it else (frame, partner)
    add("flips", pair.au_id in with_it.named and pair.au_id not in without.named)
    add("others_unchanged", _but(with_it.named, pair.au_id) == _but(without.named, pair.au_id))


def _but(au_ids: Iterable[int], left_out: int) -> frozenset[int]:
    return frozenset(au_ids) - {left_out}
