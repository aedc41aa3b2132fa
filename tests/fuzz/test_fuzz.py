"""A few damaged inputs of every kind, and an engine that notices; `make fuzz` tries thousands."""

import pytest

from tests.fuzz.engine import Engine, Limits
from tests.fuzz.kinds import SHARES, counts


def test_damaged_inputs_are_accepted_or_refused_with_an_error_of_ours(tmp_path):
    with Engine(tmp_path / "work", tmp_path / "kept") as engine:
        tallies = engine.run({kind: range(number) for kind, number in counts(120, list(SHARES)).items()})
    assert [failure for tally in tallies for failure in tally.failures] == []
    assert [tally.kind for tally in tallies] == list(SHARES)
    assert sum(tally.outcomes["accepted"] for tally in tallies) > 20
    assert sum(tally.outcomes["refused"] for tally in tallies) > 40


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("Raises", "raised"),
        ("RefusesSilently", "refused badly"),
        ("Hangs", "hung"),
        ("Dies", "died"),
        ("TakesMemory", "took memory"),
        ("TakesMemoryForAMoment", "took memory"),
        ("StartsPrograms", "executed"),
        ("ReadsPickles", "executed"),
        ("RefusesEverything", "not accepted undamaged"),
    ],
)
def test_whatever_else_happens_is_a_failure_whose_input_is_kept(tmp_path, kind, outcome):
    limits = Limits(seconds=60 if kind != "Hangs" else 0.5, memory=300 << 20)
    with Engine(tmp_path / "work", tmp_path / "kept", limits=limits) as engine:
        (tally,) = engine.run({f"misbehaving.{kind}": range(1)})
    (failure,) = tally.failures
    assert failure.outcome == outcome
    assert (failure.files / "input").exists()
