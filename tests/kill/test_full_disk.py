"""Commands whose disk is full say so; with room, the same command ends as if nothing had happened."""

import shutil
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from tests.cli.every_command import COMMANDS
from tests.kill.contents import CONTENTS
from tests.kill.disk import small_disk
from tests.kill.killing import files_of, kills_wanted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither tmpfs nor limits on the size of files"),
]
NAMES = [name for name, command in COMMANDS.items() if command.writes and not command.needs_releases]
GO_ON = {"predict": ("--resume",), "train": ("--continue",)}


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_with_room_again_a_command_ends_as_if_its_disk_had_never_been_full(request, disk, tmp_path, name):
    """There is no room at first; then it is drawn at random, below what the command needs."""
    if name == "batch" and find_spec("ray") is None:
        pytest.skip("ray is not installed (extra batch)")
    world = request.getfixturevalue("trained" if COMMANDS[name].needs_training else "world")
    out, log, rng = disk.folder / "out", tmp_path / "log", np.random.default_rng(5)
    contents = CONTENTS.get(name, files_of)

    def prepared():
        """The command, with an empty folder for it or what it needs in there."""
        shutil.rmtree(out, ignore_errors=True)
        words = [*name.split(), *COMMANDS[name].words(world, out)]
        out.mkdir(exist_ok=True)
        return words

    words = prepared()
    assert disk.run(words, log) == 0, log.read_text()[-3000:]
    expected = contents(out)
    needed = disk.used() if disk.is_mounted else max(map(len, files_of(out).values()))
    failures = 0
    for trial in range(kills_wanted()):
        words = prepared()
        begun = log.stat().st_size
        share = rng.uniform(0.02, 0.95) if trial or not disk.is_mounted else 0.0
        code = disk.run(words, log, room=int(needed * share))
        said = log.read_bytes()[begun:].decode("utf-8", "replace")
        assert "Traceback" not in said, said[-3000:]
        if code:
            failures += 1
            assert code in {1, 2}
            assert "error: " in said, said[-3000:]
            assert disk.run([*words, *GO_ON.get(name, ())], log) == 0, said[-3000:]
        found = contents(out)
        assert sorted(found) == sorted(expected), (trial, said[-1000:])
        assert [file for file in expected if found[file] != expected[file]] == [], trial
    assert failures, "the disk was never full"
