import pytest

from vlfau.errors import ConfigError
from vlfau.training import read_config


def write(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file_and_changes_win(tmp_path):
    path = write(tmp_path, "data: {manifest: frames.csv}\nstem: {weights: swin.pth}\nrun: {max_epochs: 3}\n")
    config = read_config(path, ["run.max_epochs=2", "model.dair=false", "data.aus=[1, 12]", "stem.weights=null"])
    assert config.data.manifest == tmp_path / "frames.csv"
    assert config.stem.weights is None
    assert (config.run.max_epochs, config.model.dair, config.data.au_ids()) == (2, False, (1, 12))
    assert read_config(path).stem.weights == tmp_path / "swin.pth"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: {manifest: a.csv, folds: 1}", "key 'data.folds'"),
        ("data: {manifest: a.csv}\nmodle: {}", "key 'modle'"),
        ("data: {}", "key 'data.manifest'"),
        ("data: {manifest: a.csv}\nrun: {max_epochs: many}", r"key 'run.max_epochs': .*found 'many'"),
        ("data: {manifest: a.csv}\nrun: {precision: 8}", "key 'run.precision'"),
        ("- a list", "must be a mapping"),
        ("data: {manifest: [", r"configuration .*\.yaml is not YAML \("),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_wrong_change_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml can't be opened"):
        read_config(tmp_path / "absent.yaml")
    path = write(tmp_path, "data: {manifest: a.csv}")
    with pytest.raises(ConfigError, match="write section.key=value"):
        read_config(path, ["max_epochs"])
    with pytest.raises(ConfigError, match="goes into 'manifest', which is a value"):
        read_config(path, ["data.manifest.path=1"])
    with pytest.raises(ConfigError, match="not a set of AUs; choose among bp4d, disfa"):
        read_config(path, ["data.aus=dp4d"]).data.au_ids()
