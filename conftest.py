"""Leaves out the doctests of parts whose extras are not installed, and cuts the network off from all tests.

What is printed is as wide as in a file. In parallel, each process computes with one thread, so that processes do not
compete for CPUs.
"""

import ipaddress
import os
import socket
from importlib.util import find_spec

import pytest

OPTIONAL = {"gradio": "src/vlfau/app/*", "ray": "src/vlfau/batch/*"}
collect_ignore_glob = [pattern for package, pattern in OPTIONAL.items() if find_spec(package) is None]

os.environ.pop("COLUMNS", None)  # pytest-xdist hands the width of the terminal to its processes
if "PYTEST_XDIST_WORKER" in os.environ:  # set by pytest-xdist; read by torch, NumPy and OpenCV when they are imported
    for variable in ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(variable, "1")


@pytest.fixture(scope="session", autouse=True)
def _without_network():
    """Let Python's sockets in this process reach this machine only."""

    def guarded(connect):
        def connect_here(self, address):
            if not _is_here(self.family, address):
                raise RuntimeError(f"a test reaches for the network: {address}")
            return connect(self, address)

        return connect_here

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        yield


def _is_here(family, address):
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"
