import csv

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_manifest(tmp_path):
    """Return a function that writes rows (dictionaries) and a picture for each, and gives the file's path."""

    def write(rows, *, size=128, pictures=True, name="manifest.csv"):
        rows = [{"image": f"{index:03d}.png", "subject": "S1", **row} for index, row in enumerate(rows)]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        rng = np.random.default_rng(0)
        for row in rows if pictures else ():
            pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / row["image"])
        return path

    return write
