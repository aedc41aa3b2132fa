"""What training reads: pictures of faces, and the state that it goes on from."""

import io
import json
import pickle
import struct

import torch
from safetensors.torch import save_file

from tests.fuzz import pictures
from tests.fuzz.bases import FileKind, Payload
from tests.fuzz.manifests import HEAD
from tests.fuzz.mutate import damaged_bytes, damaged_values
from vlfau.data.dataset import FrameDataset
from vlfau.data.manifest import read_manifest
from vlfau.language import Vocabulary
from vlfau.model.stem import create_backbone
from vlfau.training.run_folder import WholeCheckpointIO

SIZE = 64


class Faces(pictures.Png):
    """Aligned faces; PNG is what the generator writes."""

    def prepare(self):
        for name, mode in (("rgb.png", "RGB"), ("alpha.png", "RGBA"), ("palette.png", "P"), ("high.png", "I;16")):
            pictures.drawing(SIZE, SIZE).convert("L" if mode == "I;16" else mode).convert(mode).save(self.seeds / name)

    def read(self, path):
        table = path.with_suffix(".csv")
        table.write_text(f"{HEAD}\n{path.name},S1,1,F,1,3,left,0,0,,1,\n", "utf-8")
        manifest = read_manifest(table)
        dataset = FrameDataset(manifest, Vocabulary.for_aus(manifest.au_ids), crop_size=48, aligned_size=56)
        assert dataset[0].face.shape == (3, 48, 48)


class LastState(FileKind):
    def prepare(self):
        self.state = {"epoch": 3, "state_dict": {"weight": torch.arange(300.0)}, "callbacks": {"best": 0.5}}
        WholeCheckpointIO().save_checkpoint(self.state, self.seeds / "last.ckpt")

    def damage(self, name, content, rng):
        if rng.random() < 0.3:
            buffer, payload = io.BytesIO(), Payload(self.touched)
            if rng.random() < 0.3:
                pickle.dump(payload, buffer)
            else:
                torch.save({"epoch": payload}, buffer, _use_new_zipfile_serialization=rng.random() < 0.5)
            return buffer.getvalue()
        return damaged_bytes(content, rng)

    def read(self, path):
        state = WholeCheckpointIO().load_checkpoint(path, weights_only=True)
        assert state["epoch"] == 3
        assert torch.equal(state["state_dict"]["weight"], torch.arange(300.0))


class StemFile(FileKind):
    """Weights to start a backbone from."""

    name, options = "swin_tiny_patch4_window7_224", {"embed_dim": 8, "depths": (1, 1, 1, 1), "num_heads": (1, 1, 1, 1)}

    def prepare(self):
        weights = create_backbone(self.name, crop_size=SIZE, options=self.options).network.state_dict()
        save_file(weights, self.seeds / "stem.safetensors")
        torch.save({"model": weights, "epoch": 3}, self.seeds / "stem.pth")

    def damage(self, name, content, rng):
        chance = rng.random()
        if chance < 0.2:
            buffer = io.BytesIO()
            torch.save({"model": {"weight": Payload(self.touched)}}, buffer)
            return buffer.getvalue()
        if chance < 0.6 and name.endswith(".safetensors"):
            (size,) = struct.unpack("<Q", content[:8])
            head = json.dumps(damaged_values(json.loads(content[8 : 8 + size]), rng)).encode("utf-8", "surrogatepass")
            return struct.pack("<Q", len(head)) + head + content[8 + size :]
        return damaged_bytes(content, rng)

    def read(self, path):
        network = create_backbone(self.name, crop_size=SIZE, weights=path, options=self.options).network
        assert all(bool(weight.isfinite().all()) for weight in network.parameters())
