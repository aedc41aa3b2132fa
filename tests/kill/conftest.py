import cv2
import pytest

from tests.cli.every_command import make_world, train_world
from tests.prepare.conftest import jpeg, make_bp4d, make_disfa, photo
from tests.training.conftest import toy_file, write_toy
from tests.video.clips import moving, write_video

__all__ = ["jpeg", "make_bp4d", "make_disfa", "photo", "toy_file"]


@pytest.fixture(scope="module")
def world(tmp_path_factory, tiny_bundle, astronaut):
    """What the commands read that need no training."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "toy").mkdir()
    return make_world(folder, write_toy(folder / "toy"), tiny_bundle.folder, astronaut)


@pytest.fixture(scope="module")
def trained(world):
    """What every command reads."""
    train_world(world)
    return world


@pytest.fixture
def inputs(tmp_path, astronaut):
    """Two photographs, a damaged one, and two videos."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    small = cv2.resize(cv2.imread(str(astronaut)), (256, 256), interpolation=cv2.INTER_AREA)
    for name in ("a1.png", "d.png"):
        cv2.imwrite(str(folder / name), small)
    (folder / "a2.png").write_bytes((folder / "a1.png").read_bytes()[:4000])
    write_video(folder / "b.mp4", moving(30, (320, 180)), rate=20)
    write_video(folder / "c.mkv", moving(20, (320, 180)), rate=10)
    return folder
