import csv

import pytest

from tests.prepare.conftest import jpeg, make_bp4d, photo
from vlfau.cli import main
from vlfau.cli.preparing import prepare_manifest, prepared_sample
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError
from vlfau.facs import AU_SETS
from vlfau.training.config import read_config

__all__ = ["jpeg", "make_bp4d", "photo"]

SUBJECTS = ("F007", "M011", "F001")  # of the folds 1, 2 and 3


@pytest.fixture
def raw(make_bp4d):
    """A release with one subject of every fold; AU 12 is active in every other frame, all AUs in the last."""
    frames = {number: {12: number % 2} for number in range(5)} | {5: dict.fromkeys(AU_SETS["bp4d"], 1)}
    return make_bp4d({(subject, "T1"): frames for subject in SUBJECTS})


@pytest.fixture
def config_file(tmp_path):
    """A small network on that data set, which is not prepared yet."""
    path = tmp_path / "bp4d.yaml"
    path.write_text(
        """
data: {manifest: data/bp4d/manifest.csv, aus: bp4d, aligned_size: 64, description: BP4D}
model: {backbone: swin_tiny_patch4_window7_224, crop_size: 56, combined_dim: 16, feature_dim: 16, hidden_dim: 16,
        embedding_dim: 16, backbone_options: {embed_dim: 12, depths: [1, 1, 1, 1], num_heads: [1, 1, 2, 2]}}
run: {max_epochs: 1, batch_size: 4, num_workers: 0, accelerator: cpu}
"""
    )
    return path


def test_a_raw_data_set_is_prepared_once(raw, config_file, tmp_path, capsys):
    config = read_config(config_file)
    prepare_manifest(config, raw, 1)
    assert config.data.manifest == tmp_path / "data" / "bp4d" / "manifest.csv"
    frames = read_manifest(config.data.manifest, AU_SETS["bp4d"]).frames
    assert [(frame.subject_id, frame.fold) for frame in frames][::6] == [("F001", 3), ("F007", 1), ("M011", 2)]
    before = config.data.manifest.stat().st_mtime_ns
    prepare_manifest(config, tmp_path / "absent", 1)
    assert config.data.manifest.stat().st_mtime_ns == before
    assert "exists, so nothing is prepared" in capsys.readouterr().err


def test_a_sample_is_prepared_elsewhere_and_the_whole_is_counted_by_its_labels(raw, config_file):
    config = read_config(config_file)
    with prepared_sample(config, raw, 1) as sample:
        frames = read_manifest(sample.manifest).frames
        assert {frame.subject_id for frame in frames} == set(SUBJECTS)
        assert len(frames) == 9  # of every person the first, the first with AU 12, and the one with all AUs
        assert 0 < sample.seconds < 60
        folder = sample.manifest.parent
    assert not folder.exists()
    assert not config.data.manifest.exists()
    assert [(each.fold, each.subjects, each.frames) for each in sample.counts.folds] == [
        (1, 1, 6),
        (2, 1, 6),
        (3, 1, 6),
    ]
    assert sample.counts.folds[0].positives[AU_SETS["bp4d"].index(12)] == 3


def test_data_sets_that_cannot_be_prepared_are_refused_with_the_way_out(raw, config_file):
    with pytest.raises(ConfigError, match=r"knows bp4d and disfa \(data\.aus\), not \[1, 12\]; call `vlfau prepare`"):
        prepare_manifest(read_config(config_file, ["data.aus=[1, 12]"]), raw, 1)
    with pytest.raises(ConfigError, match=r"writes a file manifest\.csv, and data\.manifest is .*frames\.csv"):
        prepare_manifest(read_config(config_file, ["data.manifest=frames.csv"]), raw, 1)


@pytest.mark.slow
def test_one_command_leads_from_the_raw_folders_to_the_tables(raw, config_file, tmp_path, capsys):
    words = [str(config_file), "--prepare", str(raw), "--out", str(tmp_path / "runs"), "--frames", "2"]
    assert main(["crossval", *words, "--rehearse", "--minutes", "0.1"]) == 0
    said = capsys.readouterr().out
    assert "The real run should succeed." in said
    assert "preparing" in said
    assert not (tmp_path / "data").exists()
    assert main(["crossval", *words, "--report", str(tmp_path / "results")]) == 0
    said = capsys.readouterr()
    assert "by the rehearsal," in said.err
    for name in ("table2-bp4d-f1", "table3-bp4d-accuracy"):
        with (tmp_path / "results" / "tables" / f"{name}.csv").open(newline="") as file:
            assert any(row[0] == "runs (ours)" for row in csv.reader(file))
    ablation = [*words[:3], "--out", str(tmp_path / "ablation"), "--frames", "2", "--variants", "1,5"]
    assert main(["ablate", *ablation, "--report", str(tmp_path / "results4")]) == 0
    text = (tmp_path / "results4" / "tables" / "table4-ablation.md").read_text(encoding="utf-8")
    assert "(5) MARL + LLGA + GLGA, ablation (ours" in text
