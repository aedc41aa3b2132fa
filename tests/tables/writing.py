"""Writes a made-up run slowly, and says after each result that it took it: `python -m tests.tables.writing FILE`."""

import sys
import time
from pathlib import Path

from tests.tables.made_up import a_model, a_run
from vlfau.tables.write import open_sink

FRAMES = 60


def main():
    with open_sink(Path(sys.argv[1]), model=a_model(), resume=True, flush_rows=3) as sink:
        for result in a_run(FRAMES):
            sink.write(result)
            sys.stdout.write("took one\n")
            sys.stdout.flush()
            time.sleep(0.001)


if __name__ == "__main__":
    main()
