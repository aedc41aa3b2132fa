"""Starts the page as a process of its own, as a user does, and talks to it."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

START = """
import json, signal, sys
from vlfau.app.server import serve
from vlfau.app.site import PageLimits
from vlfau.runs.options import ModelOptions
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # The tests may have been started with nohup.
serve(host="127.0.0.1", port=0, options=ModelOptions(),
      limits=PageLimits(**json.loads(sys.argv[1])),
      ready=lambda url: print(url, flush=True))
"""
PATIENCE_S = 300


@dataclass
class Page:
    """A running page.

    Attributes:
        url: Its address, with a slash at the end.
        process: Of the server.
        temporary: The folder that holds its temporary folder.
        log: What the server says of errors.
    """

    url: str
    process: subprocess.Popen
    temporary: Path
    log: Path

    @property
    def folder(self):
        (folder,) = self.temporary.glob("vlfau-app-*")
        return folder

    def resident_mb(self):
        """The memory of the server."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def disk_mb(self):
        """The size of the files of visitors."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):
                total += path.stat().st_size if path.is_file() else 0
        return total / 1e6

    def stop(self, number=signal.SIGTERM):
        """End the server, by default as `docker stop` does; return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


def few_files(most):
    """Return the command that limits the files which the next one may open."""
    return [] if most is None else ["bash", "-c", f'ulimit -n {most} && exec "$@"', "bash"]


def start_page(temporary, *, environment=None, max_files=None, **limits):
    """Start a page with the default model; it takes 2 MB and 4 seconds.

    Args:
        temporary: The folder for its temporary folder and its log.
        environment: Further environment variables.
        max_files: How many files the page may open; None leaves the system's limit.
        limits: Limits of the page.
    """
    limits = {"max_upload_mb": 2, "max_video_s": 4, "waiting": 40} | limits
    log = temporary / "log.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*few_files(max_files), sys.executable, "-c", START, json.dumps(limits)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"} | (environment or {}),
        )
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if select.select([process.stdout], [], [], 1)[0]:
            return Page(process.stdout.readline().strip(), process, temporary, log)
    process.kill()
    process.communicate()
    raise RuntimeError(f"the page does not start: {log.read_text()}")
