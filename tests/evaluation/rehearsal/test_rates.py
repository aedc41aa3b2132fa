import pytest

from tests.evaluation.rehearsal.made_up import NETWORK, rates
from vlfau.evaluation import EvalOptions
from vlfau.evaluation.rehearsal import rate_settings, read_kept
from vlfau.evaluation.rehearsal.costs import Kept, write_kept


def test_rates_are_found_again_under_the_same_settings_alone(toy_config, tmp_path):
    settings = rate_settings(toy_config(), EvalOptions())
    write_kept(tmp_path, Kept(settings, {NETWORK: rates()}))
    assert read_kept(tmp_path, rate_settings(toy_config("run.max_epochs=9", "data.fold=2"), EvalOptions())) == {
        NETWORK: rates()
    }
    for other in ("run.batch_size=3", "model.hidden_dim=16", "run.precision=bf16-mixed", "data.aus=[1, 4]"):
        assert read_kept(tmp_path, rate_settings(toy_config(other), EvalOptions())) == {}
    assert read_kept(tmp_path, rate_settings(toy_config(), EvalOptions(batch_size=3))) == {}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"settings": {}, "rates": {"a": 1}, "format": 1}', "\x00\xff"])
def test_a_damaged_file_tells_nothing_and_stops_nothing(toy_config, tmp_path, content):
    (tmp_path / "rehearsal.json").write_text(content)
    assert read_kept(tmp_path, rate_settings(toy_config(), EvalOptions())) == {}
    assert read_kept(tmp_path / "absent", {}) == {}
