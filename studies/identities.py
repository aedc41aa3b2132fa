"""How well drawn people are told apart by their looks, as `--identities` does."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from benchmarks.rows import Row

from vlfau.faces import FaceFinder
from vlfau.faces.identity import SAME_PERSON, IdentityNetwork, portrait
from vlfau.media.images import read_image
from vlfau.synthetic import DatasetSettings, generate

__all__ = ["measure"]

SETTINGS = DatasetSettings("wild", 24, 3, 6, 256, 0, False, False)
FRAME = "-0003.jpg"
"""One frame of each clip, so that the pictures of a person differ in pose, light and expression."""


def measure() -> Iterator[Row]:
    """Yield the shares of pairs of pictures that are judged wrongly."""
    finder, network = FaceFinder(), IdentityNetwork()
    with TemporaryDirectory() as folder:
        generate(Path(folder, "faces"), SETTINGS)
        embeddings = []
        for path in sorted(Path(folder, "faces", "frames").rglob("*.jpg")):
            picture = read_image(path)
            if path.name.endswith(FRAME) and (faces := finder.find(picture)):
                embeddings.append((path.parent.name, network([portrait(picture, faces[0])])[0]))
    same: list[bool] = []
    other: list[bool] = []
    for (one, first), (two, second) in combinations(embeddings, 2):
        (same if one == two else other).append(float(np.linalg.norm(first - second)) >= SAME_PERSON)
    yield Row("pictures of drawn people", str(len(embeddings)))
    yield Row("pairs of one person that are taken for two", f"{100 * np.mean(same):.1f} %")
    yield Row("pairs of two people that are taken for one", f"{100 - 100 * np.mean(other):.1f} %")
