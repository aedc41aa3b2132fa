import pytest

from vlfau.synthetic import Renderer, Subject
from vlfau.synthetic.components import components


@pytest.fixture(scope="session")
def renderer():
    return Renderer(256)


@pytest.fixture(scope="session")
def subjects():
    """Two women and two men without anything on the face."""
    chances = components("laboratory")
    return [Subject.sample(7, number, gender=gender, chances=chances) for number, gender in enumerate("FMFM")]
