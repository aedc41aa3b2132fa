"""What several kinds have in common."""

from pathlib import Path
from typing import Any

from tests.fuzz.mutate import Rng, damaged_bytes, damaged_text, pick


class FileKind:
    """A kind whose inputs are damaged copies of one of its undamaged files."""

    def __init__(self, seeds: Path, touched: Path) -> None:
        self.seeds, self.touched = seeds, touched
        self._contents: dict[str, bytes] = {}

    def write(self, folder: Path, rng: Rng | None) -> Path:
        names = self._names()
        name = names[0] if rng is None else pick(rng, names)
        path = folder / self.name_of(name)
        path.write_bytes(self._contents[name] if rng is None else self.damage(name, self._contents[name], rng))
        return path

    def name_of(self, seed: str) -> str:
        """Return what an input is called that comes from a file."""
        return seed

    def damage(self, name: str, content: bytes, rng: Rng) -> bytes:
        return damaged_bytes(content, rng)

    def _names(self) -> list[str]:
        if not self._contents:
            files = sorted(path for path in self.seeds.iterdir() if not path.name.startswith(".m"))
            self._contents = {path.name: path.read_bytes() for path in files}
        return list(self._contents)


class TextKind(FileKind):
    """A kind whose inputs are damaged copies of text files."""

    separators = ",:=[]{}\" '\n"

    def damage(self, name: str, content: bytes, rng: Rng) -> bytes:
        if rng.random() < 0.15:
            return damaged_bytes(content, rng)
        return damaged_text(content.decode(), rng, self.separators)


class Payload:
    """Pickles to a program that writes a file; to be put where data are expected."""

    def __init__(self, touched: Path) -> None:
        self._touched = touched

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self._touched), "w"))
