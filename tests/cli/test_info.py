from tests.inference.tiny_bundle import write_tiny_bundle
from vlfau.cli import main


def test_info_shows_aus_versions_and_origin(tiny_bundle, capsys):
    assert main(["info", "--model", str(tiny_bundle.folder)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for expected in (
        "Lip Corner Puller",
        "zygomaticus major",
        "0.25",
        "onnxruntime",
        "Apache-2.0",
        "f1_macro  0.5",
    ):
        assert expected in printed.out


def test_info_warns_of_a_model_of_synthetic_faces(tmp_path, capsys):
    write_tiny_bundle(tmp_path / "bundle", training={"synthetic": True})
    assert main(["info", "--model", str(tmp_path / "bundle")]) == 0
    assert "learned its AUs from synthetic faces only" in capsys.readouterr().err


def test_a_wrong_bundle_is_named(tmp_path, capsys):
    assert main(["info", "--model", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path} is neither a bundle nor a checkpoint" in error
    assert error.count("\n") == 1
