"""The folder of a training run: its files, and the settings with which it can be resumed.

checkpoint/        the network that the run keeps (`EpochChoice`)
last.ckpt          the state from which the run is resumed
config.json        the settings, and digests of the files that the run reads
descriptions.json  the texts that the run learns; a later version that resumes the run uses them, too
tensorboard/       curves
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from vlfau.data.manifest import manifest_digest, read_manifest
from vlfau.errors import CheckpointError, ConfigError
from vlfau.files.atomic import replacing
from vlfau.files.same_settings import CHOOSE_FOLDER, SettingsRecord, check_same_settings
from vlfau.training.config import DataConfig, EpochChoice, RunConfig, TrainConfig

__all__ = [
    "CHECKPOINT_FOLDER",
    "CONFIG_FILE",
    "EARLIER_CHECKPOINT_FOLDER",
    "RESUME_FILE",
    "UNSAVED_FILE",
    "WholeCheckpointIO",
    "check_new_run",
    "check_same_run",
    "content_of",
    "write_config",
]


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a new checkpoint beside the old one, and replaces it in one step.

    Lightning itself copies from the system's temporary folder, which may be on another disk: a full disk or a kill
    would leave half a file in place of a whole one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            InputError: The file cannot be written.
        """
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(buffer.getbuffer())
        path.with_name(UNSAVED_FILE).unlink(missing_ok=True)

    def load_checkpoint(self, path: str | Path, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Read a checkpoint and verify its checksums; nothing in it is executed.

        Raises:
            CheckpointError: It is damaged.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is not None:
                    raise ValueError("wrong checksums")
            return super().load_checkpoint(path, *arguments, **{**options, "weights_only": True})
        except Exception as error:  # A damaged file can raise almost anything.
            raise CheckpointError(f"{path} is damaged; start without --resume in another run.output") from error


CHECKPOINT_FOLDER: Final = "checkpoint"
EARLIER_CHECKPOINT_FOLDER: Final = "best"
"""Its name in runs of earlier versions, in which the test fold always chose the epoch."""
RESUME_FILE: Final = "last.ckpt"
CONFIG_FILE: Final = "config.json"
UNSAVED_FILE: Final = ".unsaved"
"""Exists from the start of a run until its first state is written; until then it can only start over."""

DIGEST_LENGTH: Final = 16
CONTENT: Final = "content of "
FACES_PER_STEP: Final = "faces per step (run.batch_size x accumulate_batches x devices x num_nodes)"
MAY_DIFFER: Final = frozenset(
    {
        "data.description",
        "data.keep_in_memory",
        "run.accelerator",
        "run.accumulate_batches",  # together with the devices, as long as the faces per step stay
        "run.devices",
        "run.num_nodes",
        "run.num_workers",
        "run.output",
        "run.stop_after_epochs",
        "run.strategy",
        "run.threads",
    }
)
"""Settings that change how a run is computed, but not what it learns."""


def check_new_run(folder: Path) -> None:
    """Make sure that a new run overwrites nothing.

    Raises:
        ConfigError: The folder holds a run.
    """
    if (folder / RESUME_FILE).exists():
        raise ConfigError(f"{folder} holds a run already; continue it with --resume, or choose another run.output")
    if (folder / CHECKPOINT_FOLDER).exists() and not (folder / UNSAVED_FILE).exists():
        raise ConfigError(
            f"{folder} holds the {CHECKPOINT_FOLDER} of a run already, and no {RESUME_FILE} to continue from; choose "
            "another run.output"
        )


def check_same_run(config: TrainConfig, content: Mapping[str, str] | None = None) -> None:
    """Make sure that the run in `run.output`, if there is one, was started with the same settings.

    A setting that is newer than the run counts as its default there.

    Args:
        config: The settings now.
        content: Digests of the files that the settings name, from `content_of`; None compares their paths instead.

    Raises:
        ConfigError: A setting, or the content of a file that it names, differs.
        CheckpointError: The folder has a run whose settings are missing or damaged.
    """
    folder = config.run.output
    if not (folder / CONFIG_FILE).exists() and not (folder / RESUME_FILE).exists():
        return
    earlier = _read_config(folder)
    read_before = earlier.pop("content", None)
    now = asdict(config)
    may_differ = set(MAY_DIFFER)
    if config.run.epoch_choice is EpochChoice.LAST:
        may_differ.add("run.validate_every_epochs")
    if config.run.epoch_choice is not EpochChoice.HELD_OUT or config.data.validation is not None:
        may_differ.add("run.held_out_share")
    if read_before is not None and content is not None:
        for name in {*read_before, *content}:
            may_differ.add(name)  # the content counts, wherever the file lies
            earlier[CONTENT + name], now[CONTENT + name] = read_before.get(name), content.get(name)
    if earlier["run"].get("batch_size", config.run.batch_size) == config.run.batch_size:
        earlier[FACES_PER_STEP], now[FACES_PER_STEP] = _faces_per_step(earlier["run"]), _faces_per_step(now["run"])
    check_same_settings(
        earlier,
        now,
        what=str(folder),
        ways_out=CHOOSE_FOLDER,
        may_differ=may_differ,
        defaults=asdict(TrainConfig(data=DataConfig(config.data.manifest))),
        error=ConfigError,
    )


def content_of(config: TrainConfig) -> dict[str, str]:
    """Return digests of the files that a run reads besides pictures, by the setting that names the file.

    Raises:
        ManifestError: A manifest is wrong.
    """
    named = {
        "data.manifest": config.data.manifest,
        "data.validation": config.data.validation,
        "stem.weights": config.stem.weights,
    }
    # The runs of a cross-validation share large files: each is read once, unless it changes.
    files = tuple(
        (name, path, path.stat().st_mtime_ns, path.stat().st_size)
        for name, path in named.items()
        if path is not None and path.is_file()
    )
    return dict(_content(files, config.data.au_ids()))


@lru_cache(maxsize=4)
def _content(files: tuple[tuple[str, Path, int, int], ...], au_ids: tuple[int, ...] | None) -> dict[str, str]:
    content = {}
    for name, path, *_ in files:
        if name == "stem.weights":
            with path.open("rb") as file:
                content[name] = hashlib.file_digest(file, "sha256").hexdigest()[:DIGEST_LENGTH]
            continue
        manifest = read_manifest(path, au_ids, pictures=False)
        au_ids = manifest.au_ids
        content[name] = manifest_digest(manifest)
    return content


def write_config(config: TrainConfig, content: Mapping[str, str]) -> None:
    """Write the settings into the run's folder.

    Raises:
        InputError: They cannot be written.
    """
    _record(config.run.output).write(asdict(config) | {"content": dict(content)})


def _record(folder: Path) -> SettingsRecord:
    return SettingsRecord(folder / CONFIG_FILE, what=str(folder), ways_out=CHOOSE_FOLDER, error=CheckpointError)


def _read_config(folder: Path) -> dict[str, Any]:
    record = _record(folder)
    try:
        settings = record.read()
    except FileNotFoundError:
        raise CheckpointError(
            f"cannot tell which settings {folder} was started with: it holds a {RESUME_FILE} and no {CONFIG_FILE}; "
            f"restore {CONFIG_FILE}, or choose another folder"
        ) from None
    except OSError as error:
        raise record.damaged(str(error)) from None
    for section in [field.name for field in fields(TrainConfig)]:
        if not isinstance(settings.get(section), dict):
            raise record.damaged(f"section {section!r} is missing")
    if not isinstance(settings.get("content", {}), dict):
        raise record.damaged("section 'content' is no table")
    return settings


def _faces_per_step(run: Mapping[str, Any]) -> int | str:
    """Return the faces per optimiser step; a text where the number of devices is not a number, such as "auto"."""
    default = RunConfig()
    faces = 1
    for name in ("batch_size", "accumulate_batches", "num_nodes"):
        value = run.get(name, getattr(default, name))
        faces *= value if isinstance(value, int) else 1
    devices = run.get("devices", default.devices)
    return faces * devices if isinstance(devices, int) and devices > 0 else f"{faces} x devices {devices}"
