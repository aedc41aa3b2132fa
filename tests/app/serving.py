"""Starts the page as a process of its own, as a user does, and talks to it."""

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
from vlfau.app.server import serve
from vlfau.app.site import PageLimits
from vlfau.runs.options import ModelOptions
serve(host="127.0.0.1", port=0, options=ModelOptions(),
      limits=PageLimits(max_upload_mb=2, max_video_s=4, waiting=40),
      ready=lambda url: print(url, flush=True))
"""
PATIENCE_S = 120


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

    def stop(self):
        """End the server as `docker stop` does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


def start_page(temporary, **environment):
    """Start a page with the default model; it takes 2 MB and 4 seconds."""
    log = temporary / "log.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"} | environment,
        )
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if select.select([process.stdout], [], [], 1)[0]:
            return Page(process.stdout.readline().strip(), process, temporary, log)
    process.kill()
    process.wait()
    raise RuntimeError(f"the page does not start: {log.read_text()}")
