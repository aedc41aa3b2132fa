"""Do the numbers, the words on each AU and the words on the face tell one story?

Every caption is read back and compared with the state, degree and side that the numbers say. Faces are drawn, and taken
from the folders that the environment variable VLFAU_PICTURES names (several with the system's path separator).
"""

import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from benchmarks.rows import Row

from vlfau.facs import AUState
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult
from vlfau.language import parse_local, parse_note
from vlfau.media.inputs import expand_inputs
from vlfau.synthetic import DatasetSettings, generate

__all__ = ["measure", "tells_one_story"]

PEOPLE: Final = 40
MOST_FACES: Final = 5000
"""Faces of a folder that are read at most."""
TIMED_FACES: Final = 20


def measure() -> Iterator[Row]:
    """Yield the share of faces whose texts all say what the numbers say."""
    predictor = Predictor(describe="every")
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), DatasetSettings("all-aus", PEOPLE, 2, 2, 192, seed=813), workers=os.cpu_count() or 1)
        yield from _rows(predictor, "drawn faces", Path(folder))
        time = f"{_milliseconds(predictor, Path(folder)):.1f} ms"
        yield Row(f"words for {len(predictor.au_ids)} AUs and the face", time)
    folders = os.environ.get("VLFAU_PICTURES", "")
    if not folders:
        yield Row("pictures", "skipped; name their folders in the variable VLFAU_PICTURES")
    for number, path in enumerate(filter(None, folders.split(os.pathsep)), start=1):
        yield from _rows(predictor, f"folder {number}", Path(path))


def tells_one_story(face: FaceResult) -> bool:
    """Return whether every caption of a face says the state, degree and side of its numbers, and nothing else."""
    for au in face.aus:
        read = parse_local(au.local_caption or "")
        if not read.complete or read.state is None or _said(read.state) != _said(au.facs_state):
            return False
    note = parse_note(face.global_caption or "")
    active = {au.au_id: au.facs_state for au in face.aus if au.facs_state.active}
    named = {state.au_id: _said(state) for state in note.states}
    return (
        note.complete
        and len(named) == len(note.states)
        and len(named) + note.more == len(active)
        and all(au_id in active and said == _said(active[au_id]) for au_id, said in named.items())
        and note.trace == (not active and any(au.facs_state.trace for au in face.aus))
        and note.no_action == (not active)
    )


def _said(state: AUState) -> tuple[object, ...]:
    """Return what a caption can say of a state."""
    return state.au_id, state.active, state.intensity, state.side, state.trace


def _rows(predictor: Predictor, name: str, folder: Path) -> Iterator[Row]:
    faces = list(islice(_faces(predictor, folder), MOST_FACES))
    told = [tells_one_story(face) for face in faces]
    active = [sum(au.facs_state.active for au in face.aus) for face in faces]
    words = [len((face.global_caption or "").split()) for face in faces]
    yield Row(f"{name}: one story", f"{sum(told)} of {len(told)} faces", float(np.mean(told)))
    yield Row(f"{name}: active AUs", f"{np.mean(active):.1f} per face, 0 to {max(active)}")
    yield Row(f"{name}: words in a note", f"{np.mean(words):.1f}, at most {max(words)}")


def _faces(predictor: Predictor, folder: Path) -> Iterator[FaceResult]:
    for path in expand_inputs([folder]):
        yield from predictor.predict(path)


def _milliseconds(predictor: Predictor, folder: Path) -> float:
    """Return the median time that all captions of a face take."""
    crops = [face.crop for face in islice(_faces(predictor, folder), TIMED_FACES)]
    scores = [predictor.score_crops(crop[None]) for crop in crops]
    seconds = []
    for each in scores:
        start = perf_counter()
        predictor.describe(each, [0])
        seconds.append(perf_counter() - start)
    return 1000 * float(np.median(seconds))
