"""Join manifests with the same columns to one.

    python scripts/join_manifests.py all.csv posed/manifest.csv wide/manifest.csv

Pictures are named relative to the new file. People of different data sets are different people, so their names begin
with the data set's folder.
"""

import csv
import os
import sys
from pathlib import Path

from vlfau.files.atomic import replacing


def main(out: Path, *paths: Path) -> None:
    """Write all rows of several manifests to one file."""
    columns: list[str] | None = None
    rows = []
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if columns is not None and reader.fieldnames != columns:
                raise SystemExit(f"{path} has other columns than {paths[0]}; draw both with presets of the same AUs")
            columns = list(reader.fieldnames or [])
            folder = Path(os.path.relpath(path.parent, out.parent)).as_posix()
            rows += [
                row | {"image": f"{folder}/{row['image']}", "subject": f"{path.parent.name}-{row['subject']}"}
                for row in reader
            ]
    with replacing(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} frames; {out} was written")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
