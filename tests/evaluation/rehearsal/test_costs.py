import pytest

from tests.evaluation.rehearsal.made_up import NETWORK, rates, work
from vlfau.data.manifest import read_manifest
from vlfau.evaluation.crossval import crossval, fold_configs
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal import DataCount, estimate_cost, rate_settings, read_rates, workloads
from vlfau.evaluation.rehearsal.costs import SavedRates, disk_need, step_seconds, write_rates
from vlfau.evaluation.rehearsal.network_timer import NetworkTimer
from vlfau.evaluation.rehearsal.resources import folder_size
from vlfau.evaluation.tested import Scope


def test_a_cost_is_work_times_rate():
    cost = estimate_cost(work(), rates(), num_workers=2)
    assert cost.training == 100 * 2.0 + 5 * 3.0
    assert cost.validation == 500 * 0.1
    assert cost.evaluation == 50 * 0.05 + 7.0
    assert cost.describing == 20 * (0.4 + 0.01)
    assert cost.total == pytest.approx(215 + 50 + 9.5 + 8.2)
    assert estimate_cost(work(), rates(speak=None), num_workers=2).describing == 0


def test_loading_counts_where_it_is_slower_than_the_step_or_done_in_between():
    assert step_seconds(rates(load=0.1), 1) == 2.0  # 10 faces in 1 s, while the step takes 2
    assert step_seconds(rates(load=0.6), 2) == 3.0
    assert step_seconds(rates(load=0.1), 0) == 3.0


def test_the_disk_that_is_foretold_is_what_the_runs_leave(toy_config, tmp_path):
    # Wider than the toy, so that the weights outweigh the names of tensors and settings.
    wide = "model.backbone_options={embed_dim: 48, depths: [1, 1, 2, 1], num_heads: [1, 1, 2, 2]}"
    config = toy_config("run.max_epochs=1", wide)
    out = tmp_path / "cv"
    works = workloads(
        fold_configs(config, out, [1, 2]), out, DataCount.of(read_manifest(config.data.manifest)), Scope()
    )
    timer = NetworkTimer(fold_configs(config, out, [1])[0], EvalOptions())
    timer.time_captioning(2, 1)
    sizes = timer.disk_sizes()
    need = disk_need(works, {works[0].network: rates(sizes=sizes)}) - sizes.checkpoint - sizes.resume
    crossval(config, out, scope=Scope(described_frames=2))
    assert need == pytest.approx(folder_size(out), rel=0.05)
    assert sizes.checkpoint == pytest.approx(folder_size(out / "fold1" / "checkpoint"), rel=0.02)
    assert sizes.resume == pytest.approx((out / "fold1" / "last.ckpt").stat().st_size, rel=0.02)


def test_rates_are_found_again_under_the_same_settings_alone(toy_config, tmp_path):
    settings = rate_settings(toy_config(), EvalOptions())
    write_rates(tmp_path, SavedRates(settings, {NETWORK: rates()}))
    assert read_rates(tmp_path, rate_settings(toy_config("run.max_epochs=9", "data.fold=2"), EvalOptions())) == {
        NETWORK: rates()
    }
    for other in ("run.batch_size=3", "model.hidden_dim=16", "run.precision=bf16-mixed", "data.aus=[1, 4]"):
        assert read_rates(tmp_path, rate_settings(toy_config(other), EvalOptions())) == {}
    assert read_rates(tmp_path, rate_settings(toy_config(), EvalOptions(batch_size=3))) == {}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"settings": {}, "rates": {"a": 1}, "format": 1}', "\x00\xff"])
def test_a_damaged_file_tells_nothing_and_stops_nothing(toy_config, tmp_path, content):
    (tmp_path / "rehearsal.json").write_text(content)
    assert read_rates(tmp_path, rate_settings(toy_config(), EvalOptions())) == {}
    assert read_rates(tmp_path / "absent", {}) == {}
