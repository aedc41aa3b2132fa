"""Training: the full network compared with its bare stem, data loading, and two processes compared with one."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.learning import joint_module, optimiser_of, training_step
from benchmarks.rows import Row
from benchmarks.timing import time_in_turns
from vlfau.data.dataset import Batch, FrameDataset, collate
from vlfau.data.manifest import read_manifest
from vlfau.data.transforms import Augmentation, AugmentationConfig
from vlfau.facs import AU_SETS
from vlfau.language import Vocabulary
from vlfau.model import ModelConfig, build_vlfau
from vlfau.synthetic import DatasetSettings, generate

__all__ = ["measure"]

AU_IDS = AU_SETS["bp4d"]
BATCH = 8
REPEATS = 3
NUM_LOADED = 256
CONFIG = Path("configs/bp4d-like.yaml")
SHORT_RUN, LONG_RUN = 1, 5
"""Numbers of epochs; the difference excludes start-up and the single validation."""


def measure() -> Iterator[Row]:
    """Yield one row per measurement."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = generate(Path(folder) / "faces", DatasetSettings("bp4d-like", 12, 4, 8, 256, seed=1))
        batch, faces_per_second = _load(manifest)
        yield Row("loading and augmenting faces of 256 pixels, one process", f"{faces_per_second:.0f} faces/s")
        yield from _steps(batch)
        yield from _processes(manifest)


def _load(manifest: Path) -> tuple[Batch, float]:
    """Return a batch, and the faces per second that one process loads from disk."""
    vocabulary = Vocabulary.for_aus(AU_IDS)
    frames = FrameDataset(
        read_manifest(manifest, AU_IDS),
        vocabulary,
        crop_size=224,
        aligned_size=256,
        augmentation=Augmentation(AugmentationConfig(), crop_size=224),
    )
    loader: DataLoader[Batch] = DataLoader(
        frames,  # type: ignore[arg-type]
        batch_size=BATCH,
        collate_fn=lambda samples: collate(samples, pad_id=vocabulary.pad_id),
    )
    batches = iter(loader)
    batch = next(batches)
    start, count = time.perf_counter(), 0
    while count < NUM_LOADED:
        count += len(next(batches).faces)
    return batch, count / (time.perf_counter() - start)


def _steps(batch: Batch) -> Iterator[Row]:
    """Compare a training step of the paper's configuration with one of its stem as a bare classifier."""
    torch.manual_seed(0)
    vocabulary = Vocabulary.for_aus(AU_IDS)
    network = build_vlfau(ModelConfig(), num_aus=len(AU_IDS), vocabulary_size=len(vocabulary))
    module = joint_module(network, AU_IDS)
    bare = timm.create_model("swin_base_patch4_window7_224", pretrained=False, num_classes=len(AU_IDS))
    pixels = (batch.faces.float() - 127) / 64

    def bare_loss() -> Tensor:
        return F.binary_cross_entropy_with_logits(bare(pixels), batch.occurrence)

    def joint_loss() -> Tensor:
        return module.training_losses(batch).total()

    steps = {
        "bare": training_step(optimiser_of(bare), bare_loss),
        "full": training_step(optimiser_of(module), joint_loss),
    }
    times = time_in_turns(steps, repeats=REPEATS)
    threads = torch.get_num_threads()
    yield Row(f"training step of {BATCH} faces, bare Swin-B, {threads} thread(s)", str(times["bare"]))
    yield Row(f"training step of {BATCH} faces, full network, {threads} thread(s)", str(times["full"]))
    yield Row(
        "full over bare (goal 1.5 at most)",
        f"{times['full'].median / times['bare'].median:.2f}",
        times["bare"].median / times["full"].median,
    )
    yield Row("training speed", f"{BATCH / times['full'].median:.1f} faces/s")


def _processes(manifest: Path) -> Iterator[Row]:
    """Compare two processes of one thread each with a single one, on the same frames per epoch."""
    seconds = {devices: _epoch(manifest, devices) for devices in (1, 2)}
    for devices, each in seconds.items():
        yield Row(f"an epoch of {CONFIG.stem}, {devices} process(es) of one thread", f"{each:.1f} s")
    ratio = seconds[1] / seconds[2]
    yield Row("one process over two (goal 1.6 at least)", f"{ratio:.2f}", ratio)


def _epoch(manifest: Path, devices: int) -> float:
    times = []
    for epochs in (SHORT_RUN, LONG_RUN):
        with tempfile.TemporaryDirectory() as folder:
            settings = {
                "data.manifest": manifest,
                "data.aligned_size": 128,
                "run.output": f"{folder}/run",
                "run.max_epochs": epochs,
                "run.validate_every_epochs": epochs,
                "run.batch_size": 16,
                "run.accelerator": "cpu",
                "run.devices": devices,
                "run.strategy": "ddp" if devices > 1 else "auto",
            }
            changes = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
            start = time.perf_counter()
            command = [sys.executable, "-m", "vlfau", "train", str(CONFIG), *changes]
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
    return float(np.diff(times)[0]) / (LONG_RUN - SHORT_RUN)
