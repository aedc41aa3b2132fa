import signal
from pathlib import Path

import pytest

from tests.inference.tiny_bundle import write_tiny_bundle
from tests.video.clips import moving, numbered, write_video
from vlfau.faces import FaceFinder

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def _heeding_interrupts():
    """Heed SIGINT, which a process that a shell started in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def finder():
    return FaceFinder()


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def astronaut():
    """The photo of one astronaut, 512 x 512 pixels."""
    (path,) = EXAMPLES.glob("astronaut.*")
    return path


@pytest.fixture(scope="session")
def steps_mp4(tmp_path_factory):
    """Fifty numbered pictures, 25 a second, with frames that refer to later ones, and a key frame a second."""
    options = {"preset": "fast", "bf": "3", "g": "25", "sc_threshold": "0"}
    return write_video(tmp_path_factory.mktemp("videos") / "steps.mp4", numbered(50), rate=25, options=options)


@pytest.fixture(scope="session")
def face_mp4(tmp_path_factory):
    """One face that sways for a second."""
    return write_video(tmp_path_factory.mktemp("videos") / "face.mp4", moving(30))
