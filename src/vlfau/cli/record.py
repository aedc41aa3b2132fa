"""What a user sees and keeps of a run of `vlfau predict`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.progress import Progress

from vlfau.cli.console import error_console, output_console, print_error, print_notice
from vlfau.cli.tables import face_table
from vlfau.errors import InputError
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.images import Picture
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.inference.sources import ANNOTATED_SUFFIX, printable

__all__ = ["Report", "annotated_name", "synthetic_warning"]

_SECONDS_BETWEEN_WRITES: Final = 30.0


def synthetic_warning(info: BundleInfo) -> str:
    """Return the line that a model of synthetic faces owes its user; empty for other models."""
    if not info.is_synthetic:
        return ""
    return f"model {info.name} {info.version} learned its AUs from synthetic faces only; don't rely on its results"


def annotated_name(file: Path, taken: set[str]) -> str:
    """Return a name for a photo's annotated picture that no other photo of the run has, and take it.

    >>> taken = set()
    >>> annotated_name(Path("a/me.jpg"), taken), annotated_name(Path("b/me.png"), taken)
    ('me.vlfau.jpg', 'me-2.vlfau.jpg')
    """
    stem, number = printable(file.stem), 1
    name = stem
    # Some file systems do not tell capitals from small letters.
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.casefold())
    return name + ANNOTATED_SUFFIX


class Report:
    """Prints results, and keeps them in a folder.

    The tables are written now and then and at the end, also when the run is interrupted; each replaces its
    predecessor whole.

    Args:
        info: The model that is used.
        out: Folder for the files; None keeps nothing.
        quiet: Print no tables.

    Attributes:
        complaints: How many inputs could not be used.
    """

    def __init__(self, info: BundleInfo, *, out: Path | None, quiet: bool) -> None:
        self.info, self.out, self.quiet = info, out, quiet
        self.complaints = 0
        self._pictures: list[PictureResult] = []
        self._names: set[str] = set()
        self._console = output_console()
        self._progress = Progress(console=error_console(), transient=True, redirect_stdout=False, redirect_stderr=False)
        self._last_write = time.monotonic()

    def __enter__(self) -> Self:
        """Make the folder, and say what the user should know of the model."""
        if self.out is not None:
            try:
                self.out.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"cannot make the folder {self.out} ({error.strerror}); choose another") from None
        warning = synthetic_warning(self.info)
        if warning:
            print_notice(warning, title="note", style="yellow")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what there is."""
        if self._progress.live.is_started:
            self._progress.stop()
        self._write_tables()

    def progress(self, files: Sequence[Path]) -> Iterator[Path]:
        """Yield the files, with a progress bar if there are several and someone watches."""
        if len(files) < 2 or not self._progress.console.is_terminal:
            yield from files
            return
        self._progress.start()
        yield from self._progress.track(files, description="Photos")

    def add(self, file: Path, picture: Picture, faces: Sequence[FaceResult]) -> None:
        """Print and keep the result of one picture.

        Raises:
            InputError: A file cannot be written.
        """
        self._pictures.append(PictureResult(printable(file), tuple(face.without_arrays() for face in faces)))
        if not self.quiet:
            self._print_tables(file, faces)
        if self.out is not None and faces:
            from vlfau.inference.drawing import draw_faces, write_picture

            drawing = draw_faces(picture, faces, note=synthetic_warning(self.info))
            write_picture(self.out / annotated_name(file, self._names), drawing)
        if time.monotonic() - self._last_write > _SECONDS_BETWEEN_WRITES:
            self._write_tables()

    def complain(self, error: InputError) -> None:
        """Say which input could not be used, and count it."""
        self.complaints += 1
        with self._undisturbed():
            print_error(str(error))

    def _print_tables(self, file: Path, faces: Sequence[FaceResult]) -> None:
        with self._undisturbed():
            for number, face in enumerate(faces, start=1):
                self._console.print(face_table(face, title=f"{printable(file)}: face {number} of {len(faces)}"))

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Take the progress bar off the screen while something else is printed."""
        was_shown = self._progress.live.is_started
        if was_shown:
            self._progress.stop()
        yield
        if was_shown:
            self._progress.start()

    def _write_tables(self) -> None:
        if self.out is None or not self._pictures:
            return
        from vlfau.inference.writers import write_csv, write_json

        write_csv(self.out / "results.csv", self._pictures, model=self.info)
        write_json(self.out / "results.json", self._pictures, model=self.info)
        self._last_write = time.monotonic()
