"""What a run keeps: its tables, its list of errors, and the folder with the files of each input."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from vlfau.cli.file_names import output_name
from vlfau.cli.outputs import OutputFolder
from vlfau.cli.picture_files import write_picture_files
from vlfau.cli.predict_options import KeepOptions
from vlfau.cli.unfinished import RunFile, Settings
from vlfau.cli.video_files import VideoFiles
from vlfau.errors import ConfigError, InputError, OutputError
from vlfau.files.atomic import remove_leftovers
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.images import Picture
from vlfau.media.reader import is_video
from vlfau.tables.errors_file import ErrorsFile
from vlfau.tables.write import TableWriter, open_sink

__all__ = ["Keeper"]


class Keeper:
    """Keeps results in files, if the user wants any.

    Drawings are written before rows, and rows in the order of the inputs: what has rows is done. If nothing at all
    could be judged, earlier tables stay as they were.

    Args:
        options: What is to be kept.
        model: The model that is used.
        settings: Everything on which the files depend, by option.
        heatmaps: AUs to draw in pictures, as `write_picture_files` takes them.

    Attributes:
        errors: The list of errors; None without any file.
        begins_anew: Whether an interrupted run was found and is given up.
    """

    def __init__(
        self, options: KeepOptions, model: BundleInfo, *, settings: Settings, heatmaps: Sequence[int] | None
    ) -> None:
        self._options, self._model, self._heatmaps = options, model, heatmaps
        self._tables = _table_paths(options)
        self._run = RunFile(self._tables[0], settings) if self._tables else None
        self._note = model.warning
        self._opened = ExitStack()
        self._sinks: list[TableWriter] = []
        self._folder: OutputFolder | None = None
        self._names: dict[Path, Path] = {}
        self._is_empty = True
        self.errors: ErrorsFile | None = None
        self.begins_anew = False

    @property
    def can_resume(self) -> bool:
        """Whether an interrupted run can be gone on with."""
        return bool(self._tables)

    @property
    def places(self) -> list[Path]:
        """The folder and the tables that the user named."""
        return [*([self._options.out] if self._options.out else []), *self._options.table]

    def __enter__(self) -> Self:
        """Open the tables.

        Raises:
            InputError: A file cannot be written, or the interrupted run had other options.
            MissingExtraError: Parquet needs pyarrow.
        """
        if self._run is None:
            return self
        out, resume = self._options.out, self._options.resume
        errors_file = _errors_path(out, self._tables)
        if any(path.absolute() == errors_file.absolute() for path in self._tables):
            raise ConfigError(f"this run lists its errors in {printable(errors_file)}; choose another name for --table")
        overwrite = self._options.overwrite
        with ExitStack() as opened:
            if out is not None:
                self._folder = OutputFolder(out, resume=resume, overwrite=overwrite)
                opened.callback(self._folder.close)
            if resume:
                self._run.check()
            self.begins_anew = self._run.exists() and not resume
            for path in self._tables:
                sink = open_sink(
                    path, model=self._model, format=self._options.format, resume=resume, overwrite=overwrite
                )
                self._sinks.append(opened.enter_context(sink))
            self.errors = opened.enter_context(ErrorsFile(errors_file, resume=resume, overwrite=overwrite))
            if out is not None:
                remove_leftovers(out)
            self._run.begin(resume=resume)
            opened.callback(self._run.close)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the tables, or leave them for another run to go on with."""
        if kind is None and self._is_empty and not any(sink.done for sink in self._sinks):
            for sink in self._sinks:
                sink.abandon()
        self._opened.__exit__(kind, error, traceback)
        if kind is None and self._run is not None:
            self._run.remove()

    def expect(self, files: Mapping[Path, Path]) -> None:
        """Give the inputs that will come the names of their files.

        Args:
            files: The inputs, each with what the user named: the file itself or a folder that holds it.

        Raises:
            OutputError: A file of an input could not be written without overwriting another.
        """
        if self._folder is None:
            return
        self._folder.protect(files)
        owners: dict[Path, Path] = {}
        for file, given in files.items():
            name = self._names[file] = output_name(given, file, parents=self._options.parents)
            if (other := owners.setdefault(name, file)) != file:
                raise OutputError(
                    f"{printable(other)} and {printable(file)} would write the same files {name} in "
                    f"{printable(self._folder.folder)}; keep their folders apart with --parents"
                )
            ending = ".summary.txt" if is_video(file) else ".vlfau.jpg"
            self._folder.check(name.with_name(f"{name.name}{ending}"), printable(file))

    def is_done(self, file: Path, *, is_video: bool) -> bool:
        """Say whether an earlier run did all that there is to do with an input."""
        if self._run is None:
            return False
        name = printable(file)
        if is_video:
            return self._run.has_finished(name) and all(name in sink.done for sink in self._sinks)
        is_listed = self.errors is not None and name in self.errors.files
        return is_listed or all(sink.is_done(file) for sink in self._sinks)

    def keep_picture(self, file: Path, picture: Picture, faces: Sequence[FaceResult]) -> None:
        """Keep what was found in a picture.

        Raises:
            InputError: A file cannot be written.
        """
        self._is_empty = False
        if (claim := self._claim(file)) is not None:
            write_picture_files(claim, picture, faces, note=self._note, heatmaps=self._heatmaps)
        self.keep_row(PictureResult(printable(file), tuple(faces)))

    def keep_row(self, result: PictureResult) -> None:
        """Write a picture or frame to the tables.

        Raises:
            InputError: A table cannot be written.
        """
        self._is_empty = False
        for sink in self._sinks:
            sink.write(result)

    def video_files(self, file: Path) -> VideoFiles:
        """Return what takes the frames of a video for its own files."""
        return VideoFiles(
            printable(file),
            self._model,
            claim=self._claim(file),
            options=self._options,
            note=self._note,
        )

    def video_finished(self, file: Path) -> None:
        """Remember that nothing of a video is left to do.

        Raises:
            OutputError: A table cannot be written.
        """
        if self._run is not None:
            for sink in self._sinks:
                sink.flush()
            self._run.finish(printable(file))

    def _claim(self, file: Path) -> Callable[[str], Path] | None:
        """Return what gives the path of an input's file by its ending; None without an output folder."""
        if (folder := self._folder) is None:
            return None
        name, owner = self._names[file], printable(file)
        return lambda ending: folder.claim(name.with_name(f"{name.name}{ending}"), owner)

    def list_error(self, file: Path, error: InputError) -> None:
        """List an input that could not be used.

        Raises:
            InputError: The list cannot be written.
        """
        if self.errors is not None:
            self.errors.add(file, error)


def _table_paths(options: KeepOptions) -> list[Path]:
    in_folder = [] if options.out is None else [options.out / "results.csv", options.out / "results.jsonl"]
    return list({path.absolute(): path for path in (*in_folder, *options.table)}.values())


def _errors_path(out: Path | None, tables: Sequence[Path]) -> Path:
    return tables[0].with_suffix(".errors.csv") if out is None else out / "errors.csv"
