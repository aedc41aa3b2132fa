"""What an evaluation left: arrays, captions, scores."""

import io
import json
import pickle
import zipfile

import numpy as np

from tests.evaluation.made_up import made_up
from tests.fuzz.bases import FileKind, Payload, TextKind
from tests.fuzz.mutate import damaged_bytes, damaged_text, pick
from vlfau.evaluation.predictions import Predictions as Read
from vlfau.evaluation.scores import read_scores, write_json

FILES = ("answers.npz", "captions.jsonl")


class Predictions(FileKind):
    def prepare(self):
        answers = made_up(
            (1, 12),
            [[0.1, 0.9], [0.6, 0.2], [0.5, 0.5]],
            local=[("a", "b")] * 3,
            whole=("c",) * 3,
            consistent=[("d", "e")] * 3,
        )
        answers.save(self.seeds)

    def write(self, folder, rng):
        contents = {name: (self.seeds / name).read_bytes() for name in FILES}
        if rng is not None and rng.random() < 0.3:
            contents["captions.jsonl"] = damaged_text(contents["captions.jsonl"].decode(), rng)
        elif rng is not None:
            contents["answers.npz"] = self._arrays(contents["answers.npz"], rng)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        return folder

    def _arrays(self, content, rng):
        if rng.random() < 0.4:
            return damaged_bytes(content, rng)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        name = pick(rng, list(parts))
        match int(rng.integers(4)):
            case 0:
                parts[name] = damaged_bytes(parts[name], rng, 2)
            case 1:
                parts[name] = self._pickled(rng)
            case 2:
                del parts[name]
            case _:
                shape = pick(rng, ((0,), (3,), (3, 2), (2, 3), (3, 2, 1, 1), (1, 1, 1)))
                kind = pick(rng, (np.float32, np.int64, np.complex64, np.bool_, "U5", "S3", "M8[s]", np.float16))
                parts[name] = _saved(np.zeros(shape, kind))
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            for key, value in parts.items():
                archive.writestr(key, value)
        return written.getvalue()

    def _pickled(self, rng):
        payload = Payload(self.touched)
        return _saved(np.array([payload], object)) if rng.random() < 0.5 else pickle.dumps(payload)

    def read(self, path):
        answers = Read.load(path)
        assert answers.au_probs.shape == (len(answers), len(answers.au_ids))
        assert len(answers.described()) <= len(answers)


CONTENT = {
    "data": {"description": "drawn faces", "synthetic": True, "au_set": None},
    "network": {"backbone": "resnet10t", "epoch_choice": "last"},
    "au_ids": [1, 12],
    "fold": 1,
    "frames": 8,
    "subjects": 2,
    "threshold": 0.5,
    "f1_per_au": {"1": 0.25, "12": None},
    "f1_macro": 0.25,
    "intervals": {"f1_macro": [0.1, 0.4], "f1_per_au": {"1": [0.1, 0.4], "12": None}},
    "truth": {"local_agrees_with_predicted": 0.5},
}


class Scores(TextKind):
    def prepare(self):
        write_json(self.seeds / "scores.json", CONTENT)

    def read(self, path):
        path.rename(path.with_name("scores.json"))
        scores = read_scores(path.parent)
        assert json.dumps(scores.to_dict())
        assert set(scores.f1_per_au) == set(scores.au_ids)


def _saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
