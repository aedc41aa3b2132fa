"""Prediction uses no network: here there is none."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.runs.running import csv_rows
from tests.video.clips import EXAMPLE, moving, write_video
from vlfau.inference.bundle import load_bundle

CUT_OFF = ("unshare", "--map-root-user", "--net")
ONLY_LOOPBACK = """
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
"""
REACHES_OUT = """
try:
    socket.create_connection(("192.0.2.1", 80), 1)
except OSError as error:
    print(error.errno)
"""
PREDICTS = """
import sys
from vlfau.cli import main
sys.exit(main(["predict", *sys.argv[1:]]))
"""
SERVES = """
import os, signal, urllib.request
from vlfau.app.server import serve
from vlfau.app.site import PageLimits
from vlfau.runs.options import ModelOptions

def look(url):
    print(urllib.request.urlopen(url, timeout=30).status)
    os.kill(os.getpid(), signal.SIGTERM)

serve(host="127.0.0.1", port=0, options=ModelOptions(), limits=PageLimits(), ready=look)
"""


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory):
    """Run a program in a namespace whose only network is the loopback; return what it printed."""
    if (
        shutil.which(CUT_OFF[0]) is None
        or subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets nobody make a namespace without a network (unshare -rn)")
    home = tmp_path_factory.mktemp("home")

    def run(program, *arguments):
        done = subprocess.run(
            [*CUT_OFF, sys.executable, "-c", ONLY_LOOPBACK + program, *map(str, arguments)],
            env=os.environ | {"HOME": str(home)},  # Nothing that was downloaded earlier lies there.
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_namespace_has_no_network(cut_off):
    assert int(cut_off(REACHES_OUT)) == errno.ENETUNREACH


@pytest.mark.parametrize("options", [("--describe", "every"), ("--free-words",)], ids=["words", "free words"])
def test_a_picture_is_described(cut_off, tmp_path, options):
    cut_off(PREDICTS, EXAMPLE, "--out", tmp_path, *options)
    (row,) = csv_rows(tmp_path / "results.csv")
    assert row["global_text"].startswith("This person ")


def test_a_video_is_followed(cut_off, tmp_path):
    video = write_video(tmp_path / "face.mp4", moving(6))
    cut_off(PREDICTS, video, "--out", tmp_path / "out")
    assert len(csv_rows(tmp_path / "out" / "results.csv")) == 6


def test_a_bundle_is_loaded_from_its_folder(cut_off, tmp_path):
    bundle = shutil.copytree(load_bundle().folder, tmp_path / "bundle")
    cut_off(PREDICTS, EXAMPLE, "--out", tmp_path / "out", "--model", bundle, "--describe", "never")
    assert len(csv_rows(tmp_path / "out" / "results.csv")) == 1


@pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed: pip install 'vlfau[app]'")
def test_the_page_starts(cut_off):
    assert cut_off(SERVES).split() == ["200"]


def test_a_test_that_reaches_for_the_network_fails():
    with socket.socket() as out:
        with pytest.raises(RuntimeError, match=r"a test reaches for the network: \('192\.0\.2\.1', 80\)"):
            out.connect(("192.0.2.1", 80))
        with pytest.raises(RuntimeError, match="reaches for the network"):
            out.connect_ex(("example.org", 80))


def test_a_test_may_talk_to_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), 1).close()
