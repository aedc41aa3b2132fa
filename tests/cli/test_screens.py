"""Every command with standard streams that fail: it ends without a traceback, and its files are written."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.every_command import COMMANDS, World, command_names, make_world, train_world
from tests.prepare.conftest import jpeg, make_ckplus, make_disfaplus, photo
from tests.prepare.test_lists import PATHS, make_lists
from tests.training.conftest import write_toy
from vlfau.cli import main

__all__ = ["jpeg", "make_ckplus", "make_disfaplus", "make_lists", "photo"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and /dev/full")

REDIRECTIONS = ("> /dev/full", "2> /dev/full", "| head -1", ">&-", "2>&-", "> /dev/full 2>&1", ">&- 2>&-")
FAST = [name for name, command in COMMANDS.items() if not command.needs_training]
SLOW = [name for name in COMMANDS if name not in FAST]


@pytest.fixture(scope="module")
def world(tmp_path_factory, tiny_bundle, astronaut) -> World:
    folder = tmp_path_factory.mktemp("world")
    (folder / "toy").mkdir()
    return make_world(folder, write_toy(folder / "toy"), tiny_bundle.folder, astronaut)


@pytest.fixture(scope="module")
def trained(world) -> World:
    train_world(world)
    return world


@pytest.fixture
def out(tmp_path, request):
    """An empty folder; for `prepare`, with releases beside it."""
    if "prepare" in request.node.name:
        request.getfixturevalue("make_ckplus")({"S005/001": {12: 3}, "S010/002": {1: 2}, "S011/001": {4: 1}})
        request.getfixturevalue("make_disfaplus")({(f"SN00{number}", "A1"): [{12: 2}, {}] for number in (1, 3, 4)})
        request.getfixturevalue("make_lists")(PATHS)
    folder = tmp_path / "out"
    if not {"prepare", "export"} & set(request.node.name.replace("[", " ").split()):
        folder.mkdir()
    return folder


@contextmanager
def broken(stdout: str, stderr: str) -> Iterator[None]:
    """Give this process other standard streams: "full", "closed" or "none"."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _stream(stdout), _stream(stderr)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.close()
        sys.stdout, sys.stderr = before


def _stream(kind: str):
    if kind == "none":
        return None
    if kind == "full":
        return Path("/dev/full").open("w", encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8")


def words_of(name: str, world: World, out: Path) -> list[str]:
    return [*name.split(), *map(str, COMMANDS[name].words(world, out))]


def written(name: str, out: Path) -> list[str]:
    return [file for file in COMMANDS[name].writes if (out / file).exists()]


def test_the_list_of_commands_is_complete():
    assert set(command_names()) == {*COMMANDS, "app"}


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize(
    ("stdout", "stderr", "code"), [("full", "full", 1), ("closed", "closed", 0), ("none", "none", 1)]
)
def test_files_are_written_when_the_screen_is_gone(world, out, name, stdout, stderr, code):
    with broken(stdout, stderr):
        ended = main(words_of(name, world, out))
    assert ended == code
    assert written(name, out) == list(COMMANDS[name].writes)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [*FAST, *SLOW])
@pytest.mark.parametrize("redirection", REDIRECTIONS)
def test_no_command_cares_about_its_screen(trained, out, name, redirection, tmp_path):
    script = f'"$@" {redirection}; echo "code: ${{PIPESTATUS[0]}}" >> {tmp_path}/code'
    command = ["bash", "-c", script, "bash", sys.executable, "-m", "vlfau", *words_of(name, trained, out)]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception ignored" not in done.stderr
    lost = any(each in redirection for each in ("> /dev/full", ">&-")) and not redirection.startswith("2")
    assert (tmp_path / "code").read_text() == f"code: {int(lost)}\n", done.stderr
    assert written(name, out) == list(COMMANDS[name].writes)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gradio") is None, reason="the page is not installed (extra app)")
@pytest.mark.parametrize("redirection", ["> /dev/full", "2> /dev/full", ">&- 2>&-"])
def test_the_page_is_served_without_a_screen(world, redirection, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = f'exec "$@" {redirection}'
    command = ["bash", "-c", script, "bash", sys.executable, "-m", "vlfau", "app"]
    command += ["--port", str(port), "--model", str(world.model)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert _answers(f"http://127.0.0.1:{port}/", server)
        finally:
            server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=60)
    assert "Traceback" not in said


def _answers(address: str, server: subprocess.Popen) -> bool:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(address, timeout=5) as page:
                return page.status == 200
        except OSError:
            time.sleep(0.2)
    return False
