import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def script():
    """The script that writes the measured part of the model card."""
    path = Path(__file__).parents[1] / "scripts" / "model_card.py"
    spec = importlib.util.spec_from_file_location("model_card", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counterfactuals_stand_beside_chance_and_words_of_the_grammar_have_no_bleu(script):
    pairs = {"state_flips": 0.7, "flips_alone": 0.44, "no_other_changes": 0.7, "others_unchanged": 0.97}
    chance = {"state_flips": 0.8, "flips_alone": 0.05, "no_other_changes": 0.06, "others_unchanged": 0.7}
    scores = {"words": {"consistent_bleu4": 0.95, "local_bleu4": 0.94}, "truth": {}}
    rows = script.words(
        {"test": {**scores, "counterfactuals": {**pairs, "chance": chance}}, "wild": scores}
    ).splitlines()
    assert "| Local words: BLEU-4 | 94.0 | 94.0 |" in rows
    assert not any("consistent" in row for row in rows)
    place = rows.index("| Counterfactual pairs: the state flips and no other AU's does | 44.0 |  |")
    assert rows[place + 1] == "| of unrelated faces (chance) | 5.0 |  |"
    assert sum("chance" in row for row in rows) == 4
