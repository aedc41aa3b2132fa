import csv

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlfau.training.config import read_config

AUS = (1, 4, 12, 25)


def draw_face(active, rng, *, both, woman):
    """A picture in which every active AU, side and gender is a blob of its own colour at its own place."""
    picture = Image.fromarray(rng.integers(60, 120, (112, 112, 3), dtype=np.uint8))
    drawing = ImageDraw.Draw(picture)
    blobs = {1: (40, 10, "red"), 4: (10, 40, "yellow"), 12: (60, 60, "cyan"), 25: (40, 90, "white")}
    chosen = [blobs[au_id] for au_id in active]
    chosen += [(20, 60, "cyan")] if both else []
    chosen += [(84, 4, "green")] if woman else []
    for left, top, colour in chosen:
        drawing.ellipse((left, top, left + 24, top + 18), fill=colour)
    return picture


def add_landmark(manifest):
    """Give every frame of a manifest a landmark, at one place."""
    header, *rows = manifest.read_text().splitlines()
    manifest.write_text("\n".join([header + ",landmark_1_x,landmark_1_y", *(row + ",50,60" for row in rows)]) + "\n")


def write_toy(folder):
    """Write 16 drawn faces of four subjects, and a configuration that trains a small Swin on them; return its file."""
    rng = np.random.default_rng(0)
    rows = []
    for index in range(16):
        active = [au_id for bit, au_id in enumerate(AUS) if index >> bit & 1]
        labels = {f"AU{au_id}": int(au_id in active) for au_id in AUS}
        side = ("left" if index % 3 else "both") if 12 in active else ""
        parity = index.bit_count() % 2
        draw_face(active, rng, both=side == "both", woman=parity == 0).save(folder / f"{index}.png")
        subject = 2 * (index >> 3) + parity  # so that every AU is active in both folds
        rows.append(
            {"image": f"{index}.png", "subject": subject, "fold": parity + 1, "gender": "FM"[parity]}
            | labels
            | {"AU12_side": side}
        )
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    path = folder / "toy.yaml"
    path.write_text(
        f"""
data: {{manifest: manifest.csv, fold: null, aligned_size: 112, keep_in_memory: true, gender_dropout: 0,
       synthetic: true, description: drawn faces}}
model: {{backbone: swin_tiny_patch4_window7_224, crop_size: 112, combined_dim: 32, feature_dim: 32, hidden_dim: 64,
        embedding_dim: 32, backbone_options: {{embed_dim: 12, depths: [1, 1, 1, 1], num_heads: [1, 1, 2, 2]}}}}
augmentation: {{flip: 0, cutout: 0, paraphrases: false}}
optimiser: {{learning_rate: 5.0e-3, weight_decay: 0, warmup_steps: 10, gradient_clip: 1.0}}
run: {{output: {folder / "run"}, max_epochs: 2, batch_size: 16, num_workers: 0, accelerator: cpu}}
"""
    )
    return path


@pytest.fixture
def toy_file(tmp_path):
    """The file of a configuration that trains a small Swin on 16 drawn faces of four subjects."""
    return write_toy(tmp_path)


@pytest.fixture
def toy_config(toy_file):
    """Return a function that reads that configuration, with changes."""
    return lambda *overrides: read_config(toy_file, overrides)
