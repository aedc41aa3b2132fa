"""Runs that belong together are continued on the same data, and never on people of the test fold."""

import pytest

from vlfau.errors import ConfigError, ManifestError
from vlfau.evaluation.ablation import ablate
from vlfau.evaluation.crossval import crossval
from vlfau.evaluation.tested import Scope
from vlfau.training import train

SILENT = ("run.max_epochs=1", "model.local_language=false", "model.global_language=false")


def rows_of(manifest):
    return [line.split(",") for line in manifest.read_text().splitlines()]


def write(manifest, rows):
    manifest.write_text("\n".join(map(",".join, rows)) + "\n")


def test_a_cross_validation_is_not_continued_on_another_manifest(toy_config, tmp_path):
    config = toy_config(*SILENT)
    scores = crossval(config, tmp_path / "out", scope=Scope(describe=False))
    assert crossval(config, tmp_path / "out", scope=Scope(describe=False)) == scores
    rows = rows_of(config.data.manifest)
    write(config.data.manifest, [rows[0], *rows[2:]])
    with pytest.raises(ConfigError, match=r"fold1 was started with content of data\.manifest"):
        crossval(config, tmp_path / "out", scope=Scope(describe=False))


def test_folds_that_share_a_person_are_refused_before_anything_is_written(toy_config, tmp_path):
    config = toy_config(*SILENT, "data.fold=1")
    rows = rows_of(config.data.manifest)
    rows[1][rows[0].index("fold")] = "2"
    write(config.data.manifest, rows)
    calls = (
        lambda: train(config),
        lambda: crossval(config, tmp_path / "out"),
        lambda: ablate(config, tmp_path / "out", seeds=[1], folds=[1]),
    )
    for call in calls:
        with pytest.raises(
            ManifestError, match="subject '0' in the folds 2 and 1; folds exclude each other by subject"
        ):
            call()
    assert not config.run.output.exists()
