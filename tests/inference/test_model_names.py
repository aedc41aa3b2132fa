import os
import shutil

import pytest

from vlfau.cli import main
from vlfau.errors import BundleError
from vlfau.inference.bundle import bundle_folders, load_bundle, model_folder


@pytest.fixture
def library(tmp_path, tiny_bundle, monkeypatch):
    """Two folders of bundles, one of them with a damaged one."""
    for place in ("a/small", "b/small", "b/other", "b/default"):
        shutil.copytree(tiny_bundle.folder, tmp_path / place)
    monkeypatch.setenv("VLFAU_MODELS", os.pathsep.join(str(tmp_path / part) for part in ("a", "none", "b")))
    return tmp_path


def test_bundles_are_found_by_name_and_the_first_of_a_name_counts(library):
    found = bundle_folders()
    assert found["small"] == library / "a" / "small"
    assert found["other"] == library / "b" / "other"
    assert "weights" in found["default"].parts
    assert load_bundle("other").info.name == "tiny"


def test_a_folder_goes_before_a_name(library, monkeypatch):
    monkeypatch.chdir(library / "b")
    assert model_folder("other").resolve() == library / "b" / "other"


def test_an_unknown_name_is_refused_with_those_there_are(library):
    with pytest.raises(BundleError, match="no model of this name; choose among default, small, other"):
        load_bundle("large")


def test_a_name_that_is_too_long_for_a_path_is_refused_like_any_other():
    with pytest.raises(BundleError, match="no model of this name"):
        load_bundle("x" * 5000)


def test_the_command_refuses_a_web_address_as_a_model(astronaut, capsys):
    assert main(["predict", str(astronaut), "--model", "https://example.org/a/model"]) == 2
    assert (
        "https://example.org/a/model is a web address, and vlfau downloads nothing; download the model and give its"
        in (capsys.readouterr().err.replace("\n", " "))
    )


def test_the_command_lists_models_and_reports_damaged_ones(library, capsys):
    (library / "b" / "other" / "model.json").write_text("{", encoding="utf-8")
    assert main(["models"]) == 2
    said = capsys.readouterr()
    assert "small" in said.out
    assert "other" not in said.out.partition("Folder")[2].replace(str(library), "")
    assert "is not JSON" in said.err.replace("\n", " ")
