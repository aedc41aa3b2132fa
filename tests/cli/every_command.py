"""Every command of the command line once, on inputs small enough to run all of them, and the files that each writes."""

import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from cyclopts import App

from tests.road.releases import make_bp4d, make_disfa
from vlfau.cli import _command_line, main


@dataclass(frozen=True)
class World:
    """What commands read; releases of CK+ and DISFA+ and lists lie beside the output folder.

    Attributes:
        folder: Where everything lies.
        model: A tiny bundle.
        config: A configuration that trains a small network on drawn faces.
    """

    folder: Path
    model: Path
    config: Path

    @property
    def manifest(self) -> Path:
        """The drawn faces."""
        return self.config.with_name("manifest.csv")

    @property
    def many(self) -> Path:
        """The same faces three times, as calibration needs many."""
        return self.config.with_name("many.csv")

    @property
    def checkpoint(self) -> Path:
        """A trained network that left out fold 1."""
        return self.folder / "run" / "checkpoint"

    @property
    def runs(self) -> Path:
        """A cross-validation."""
        return self.folder / "runs"

    @property
    def results(self) -> Path:
        """What a model says of a few pictures."""
        return self.folder / "results.jsonl"

    @property
    def pictures(self) -> Path:
        """Two photographs of a face."""
        return self.folder / "pictures"


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        words: Its words after the name, for the inputs and an output folder.
        writes: What is in the output folder afterwards.
        needs_training: Whether it trains, or reads what was trained, or takes as long.
        needs_releases: Whether it reads what lies beside the output folder.
    """

    words: Callable[[World, Path], Sequence[object]]
    writes: tuple[str, ...] = ()
    needs_training: bool = False
    needs_releases: bool = False


def make_world(folder: Path, config: Path, model: Path, photograph: Path) -> World:
    """Make the inputs of all commands that need no training."""
    world = World(folder, model, config)
    world.pictures.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(photograph, world.pictures / name)
    make_bp4d(folder / "bp4d")
    make_disfa(folder / "disfa")
    for path in config.parent.glob("*.png"):  # The drawn faces have no face that would be found.
        shutil.copy(photograph, folder / path.name)
    tables = ("--table", folder / "tool.csv", "--table", world.results)
    _run("predict", *folder.glob("*.png"), "--model", model, *tables, "-q")
    return world


def train_world(world: World) -> None:
    """Make the inputs of the others; takes half a minute."""
    head, *rows = world.manifest.read_text().splitlines(keepends=True)
    for number in range(3):
        for picture in sorted(world.manifest.parent.glob("*.png")):
            shutil.copy(picture, picture.with_name(f"{number}-{picture.name}"))
    copies = [f"{number}-{row}" for number in range(3) for row in rows]
    world.many.write_text(head + "".join(copies))
    few = ("--set", "run.max_epochs=1")
    _run("train", world.config, *few, "--set", "data.fold=1", "--set", f"run.output={world.folder / 'run'}")
    _run("crossval", world.config, *few, "--out", world.runs / "cv", "--name", "toy", "--frames", 2)


def _run(*words: object) -> None:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        done = main([*map(str, words)])
    assert done == 0, said.getvalue()


def _trained(out: Path) -> tuple[object, ...]:
    return "--out", out, "--name", "toy", "--frames", 2, "--set", "run.max_epochs=1"


PREPARED = ("manifest.csv", "skipped.csv", "report.md")
TRAINED = ("checkpoint/model.safetensors",)
COMMANDS = {
    "predict": Command(
        lambda world, out: (world.pictures, "--model", world.model, "--out", out),
        ("results.csv", "results.jsonl", "pictures/b.png.vlfau.jpg"),
    ),
    "batch": Command(
        lambda world, out: (world.pictures, out, "--model", world.model, "--workers", 1),
        ("files.csv",),
        needs_training=True,
    ),
    "prepare bp4d": Command(lambda world, out: (world.folder / "bp4d", out), PREPARED),
    "prepare disfa": Command(lambda world, out: (world.folder / "disfa", out, "--workers", 2), PREPARED),
    "prepare ckplus": Command(lambda world, out: (out.parent / "ckplus", out), PREPARED, needs_releases=True),
    "prepare disfaplus": Command(lambda world, out: (out.parent / "disfaplus", out), PREPARED, needs_releases=True),
    "prepare lists": Command(
        lambda world, out: (out.parent / "list", out, "--images", out.parent / "images"), PREPARED, needs_releases=True
    ),
    "synth": Command(
        lambda world, out: (out, "--subjects", 2, "--clips", 1, "--frames", 1, "--size", 64, "--workers", 2),
        ("manifest.csv",),
        needs_training=True,
    ),
    "describe": Command(lambda world, out: (world.manifest, out / "said.jsonl"), ("said.jsonl",)),
    "explain": Command(lambda world, out: (world.pictures / "a.png", "--model", world.model)),
    "truth": Command(lambda world, out: (world.folder, world.results, "--out", out / "truth.json"), ("truth.json",)),
    "narrate": Command(lambda world, out: (world.results,)),
    "landmarks": Command(
        lambda world, out: (shutil.copytree(world.manifest.parent, out / "toy") / world.manifest.name,),
        ("toy/manifest.csv",),
        needs_training=True,
    ),
    "train": Command(
        lambda world, out: (world.config, "--set", "run.max_epochs=1", "--set", f"run.output={out}"),
        TRAINED,
        needs_training=True,
    ),
    "calibrate": Command(
        lambda world, out: (world.checkpoint, world.many, out / "calibrated"), ("calibrated",), needs_training=True
    ),
    "evaluate": Command(
        lambda world, out: (world.checkpoint, world.manifest, "--out", out, "--frames", 2),
        ("scores.json", "answers.npz"),
        needs_training=True,
    ),
    "compare": Command(
        lambda world, out: (world.manifest, world.folder / "tool.csv", "--out", out), ("compare.json", "comparison.md")
    ),
    "crossval": Command(lambda world, out: (world.config, *_trained(out)), ("scores.json",), needs_training=True),
    "ablate": Command(
        lambda world, out: (world.config, *_trained(out), "--folds", 1, "--variants", 1), (), needs_training=True
    ),
    "compare-methods": Command(lambda world, out: (world.runs, out, "--no-time"), needs_training=True),
    "report": Command(lambda world, out: (world.runs, out), ("report.html",), needs_training=True),
    "export": Command(
        lambda world, out: (world.checkpoint, out / "bundle"), ("bundle/model.json",), needs_training=True
    ),
    "models": Command(lambda world, out: ()),
    "info": Command(lambda world, out: ("--model", world.model)),
}
"""By name; `app`, which never ends, is tested apart."""


def command_names(app: App | None = None, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the names of all commands that the command line has, such as "prepare bp4d"."""
    app = app or _command_line(())
    found = [name for name in app if not name.startswith("-")]
    for name in found:
        yield from command_names(app[name], (*before, name))
    if not found:
        yield " ".join(before)
