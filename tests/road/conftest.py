"""The stages of the walk, each made once for all tests."""

import pytest

from tests.road.releases import make_bp4d, make_disfa
from tests.road.walking import config, settings, vlfau

MAKERS = {"bp4d": make_bp4d, "disfa": make_disfa}


@pytest.fixture(scope="package")
def place(tmp_path_factory):
    """The folder in which everything happens."""
    return tmp_path_factory.mktemp("road")


@pytest.fixture(scope="package", params=list(MAKERS))
def name(request):
    """The data set."""
    return request.param


@pytest.fixture(scope="package")
def release(name, place):
    """A lab's copy of a data set."""
    return MAKERS[name](place / "raw" / name)


@pytest.fixture(scope="package")
def manifest(name, release, place):
    """What `vlfau prepare` makes of it."""
    out = place / "data" / name
    vlfau("prepare", name, release.folder, out, "--size", 112)
    return out / "manifest.csv"


@pytest.fixture(scope="package")
def runs(name, manifest, place):
    """Three folds, trained and evaluated by the shipped configuration."""
    out = place / "runs" / name / "crossval"
    vlfau("crossval", config(name), "--out", out, "--name", "ours", "--frames", 2, *settings(manifest))
    return out


@pytest.fixture(scope="package")
def ablation(name, manifest, place):
    """The five variants of Table 4, on three folds each."""
    out = place / "runs" / name / "ablation"
    vlfau("ablate", config(name), "--out", out, "--name", "parts", "--frames", 2, *settings(manifest))
    return out
