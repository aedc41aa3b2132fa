import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.batch.running import process_here
from tests.video.clips import moving, truncated, write_video
from vlfau.runs.options import ArchiveOptions


@dataclass(frozen=True)
class MadeArchive:
    """Two videos, one that breaks off, one that is none, and three pictures of which one is damaged."""

    folder: Path
    names: tuple[str, ...]


@pytest.fixture(scope="session")
def archive(tmp_path_factory, astronaut):
    folder = tmp_path_factory.mktemp("archive")
    long = write_video(folder / "long.mp4", moving(24, (320, 180)))
    write_video(folder / "short ü.mp4", moving(6, (320, 180)))
    whole = write_video(folder / "whole.mp4", moving(40, (320, 180)), faststart=True, options={"g": "5"})
    truncated(whole, 0.6, folder / "cut.mp4")
    whole.unlink()
    (folder / "none.mp4").write_text("no video")
    shutil.copy(astronaut, folder / "face.png")
    Image.new("RGB", (300, 200), "grey").save(folder / "grey.png")
    (folder / "torn.png").write_bytes(astronaut.read_bytes()[:5000])
    assert long.stat().st_size > 0
    return MadeArchive(folder, tuple(sorted(path.name for path in folder.iterdir())))


@pytest.fixture(scope="session")
def options(tiny_bundle):
    return ArchiveOptions(model=str(tiny_bundle.folder))


@pytest.fixture(scope="session")
def undisturbed(archive, options, tmp_path_factory):
    """The progress and the folder of a run in this process."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    return process_here(archive.folder, out, options), out
