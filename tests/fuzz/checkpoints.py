"""Checkpoints: what they say of themselves, and their weights."""

import io
import json
import pickle
import shutil
import struct

import torch

from tests.fuzz.bases import Payload, TextKind
from tests.fuzz.mutate import damaged_bytes, damaged_values, pick
from vlfau.language import Vocabulary
from vlfau.model import ModelConfig, build_vlfau
from vlfau.training import Checkpoint, load_checkpoint, save_checkpoint

AU_IDS = (1, 12)
VOCABULARY = Vocabulary.for_aus(AU_IDS)
MODEL = ModelConfig(
    backbone="swin_tiny_patch4_window7_224",
    backbone_options={"embed_dim": 12, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2]},
    crop_size=112,
    combined_dim=16,
    feature_dim=8,
    hidden_dim=8,
    embedding_dim=8,
)
SILENT = ModelConfig(
    backbone="facemesh",
    crop_size=64,
    combined_dim=16,
    feature_dim=8,
    local_language=False,
    global_language=False,
    landmarks=3,
    mirrored=True,
)


class _Checkpoints(TextKind):
    def prepare(self):
        for name, config in (("silent", SILENT), ("speaking", MODEL)):
            network = build_vlfau(config, num_aus=2, vocabulary_size=len(VOCABULARY))
            metadata = Checkpoint(
                config, AU_IDS, tuple(VOCABULARY.to_list()), 1, 128, {"synthetic": True}, {"f1_macro": 0.5}, (0.5, 0.4)
            )
            save_checkpoint(self.seeds / name, network, metadata)

    def write(self, folder, rng):
        name = "silent" if rng is None or rng.random() < 0.7 else "speaking"
        path = shutil.copytree(self.seeds / name, folder / name)
        if rng is not None:
            self.change(path, rng)
        return path

    def read(self, path):
        network, metadata = load_checkpoint(path)
        assert network.num_aus == len(metadata.au_ids)
        assert not network.training
        assert metadata.thresholds_of(metadata.au_ids).shape == (len(metadata.au_ids),)


class Papers(_Checkpoints):
    def change(self, path, rng):
        file = path / "checkpoint.json"
        if rng.random() < 0.7:
            file.write_text(json.dumps(damaged_values(json.loads(file.read_bytes()), rng)), "utf-8", "surrogatepass")
        else:
            file.write_bytes(self.damage(file.name, file.read_bytes(), rng))


class Weights(_Checkpoints):
    """Weights with broken bits, another head, or a pickle with a program in their place."""

    def change(self, path, rng):
        file = path / "model.safetensors"
        content = file.read_bytes()
        chance = rng.random()
        if chance < 0.2:
            file.write_bytes(self._pickled(rng))
        elif chance < 0.7:
            (size,) = struct.unpack("<Q", content[:8])
            head = damaged_values(json.loads(content[8 : 8 + size]), rng)
            text = json.dumps(head).encode("utf-8", "surrogatepass")
            size = pick(rng, (len(text), len(text), len(text), 0, 2**31, 2**63))
            file.write_bytes(struct.pack("<Q", size) + text + content[8 + len(text) :])
        else:
            file.write_bytes(damaged_bytes(content, rng))

    def _pickled(self, rng):
        payload = Payload(self.touched)
        buffer = io.BytesIO()
        match int(rng.integers(3)):
            case 0:
                pickle.dump(payload, buffer)
            case 1:
                torch.save({"weights": payload}, buffer)
            case _:
                torch.save({"weights": payload}, buffer, _use_new_zipfile_serialization=False)
        return buffer.getvalue()
