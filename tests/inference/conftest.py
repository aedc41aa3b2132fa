from pathlib import Path

import pytest

from tests.inference.tiny_bundle import write_tiny_bundle

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def astronaut():
    """The photo of one astronaut, 512 x 512 pixels."""
    (path,) = EXAMPLES.glob("astronaut.*")
    return path
