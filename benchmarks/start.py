"""Start-up time and memory: imports, the command, and the first picture."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.material import EXAMPLE
from benchmarks.processes import Process, run_python
from benchmarks.rows import Row

__all__ = ["measure"]

TURNS = 7
LIBRARIES = "import av, cv2, numpy, onnxruntime, PIL, rich"


def measure() -> Iterator[Row]:
    """Yield the seconds of whole processes, and the share of importing the libraries."""
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "python -c pass": ["-c", "pass"],
            "import vlfau": ["-c", "import vlfau"],
            "import of the libraries": ["-c", LIBRARIES],
            "vlfau --version": ["-m", "vlfau", "--version"],
            "vlfau predict PICTURE, without captions": ["-m", "vlfau", "predict", str(EXAMPLE), "--describe", "never"],
            "vlfau predict PICTURE, with captions": ["-m", "vlfau", "predict", str(EXAMPLE)],
            "the same, with output files": ["-m", "vlfau", "predict", str(EXAMPLE), "--out", str(Path(folder) / "out")],
        }
        runs: dict[str, list[Process]] = {what: [] for what in commands}
        for turn in range(1 + TURNS):
            for what, arguments in commands.items():
                process = run_python(arguments)
                if turn:  # The first one writes bytecode.
                    runs[what].append(process)
    seconds = {what: np.quantile([run.seconds for run in each], [0.5, 0.25, 0.75]) for what, each in runs.items()}
    for what, each in runs.items():
        median, lower, upper = seconds[what]
        memory_mb = max(run.memory_mb for run in each)
        yield Row(what, f"{median:.2f} s ({lower:.2f} to {upper:.2f}), {memory_mb:.0f} MB")
    ratio = seconds["import of the libraries"][0] / seconds["vlfau predict PICTURE, without captions"][0]
    yield Row("share of the libraries' imports in a first picture", f"{ratio:.2f}", ratio)
