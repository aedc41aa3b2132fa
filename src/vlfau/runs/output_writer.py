"""Writes the output of a run: tables, the list of errors, and the files of each input."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from vlfau.drawing.anonymise import anonymised
from vlfau.drawing.faces import draw_faces, write_picture
from vlfau.drawing.heatmap import draw_heatmap_sheet
from vlfau.errors import ConfigError, InputError, OutputError
from vlfau.files.atomic import remove_leftovers
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.analysed import is_video
from vlfau.media.frames import VideoFrame
from vlfau.media.images import Picture
from vlfau.runs.options import PredictOptions
from vlfau.runs.output_folder import OutputFolder, output_name
from vlfau.runs.resume import ResumeFile
from vlfau.runs.video_files import VideoFiles
from vlfau.tables.errors_file import ErrorsFile, SkippedList
from vlfau.tables.write import TableWriter, open_sink
from vlfau.video.smoothing import steady

__all__ = ["OutputWriter"]


class OutputWriter:
    """Writes results to the requested files, if any.

    Drawings are written before rows, and rows in the order of the inputs, so an input with rows is finished. If nothing
    could be analysed, earlier tables remain unchanged.

    Args:
        options: Options of the run.
        model: Metadata of the model.

    Attributes:
        errors: The list of errors; None if no files are written.
        begins_anew: Whether an interrupted run was found and is discarded.
        unfinished: Videos that an interrupted run began and this one, at its end, was not given.

    Raises:
        ConfigError: Heat maps are requested for AUs that the model does not predict.
    """

    def __init__(self, options: PredictOptions, model: BundleInfo) -> None:
        self._options, self._model = options, model
        self._heatmaps = options.heatmap_aus(model.au_ids)
        self._tables = _table_paths(options)
        self._record = options.record()
        self._resume_file = ResumeFile(self._tables[0], self._record) if self._tables else None
        self._opened = ExitStack()
        self._sinks: list[TableWriter] = []
        self._folder: OutputFolder | None = None
        self._names: dict[Path, Path] = {}
        self._is_empty = True
        self._last_row: tuple[str, int | None] = ("", None)
        self._errors_path = _errors_path(options.out, self._tables) if self._tables else None
        self._waiting: list[tuple[Path, InputError]] = []
        self._has_begun = False
        self.errors: ErrorsFile | None = None
        self.begins_anew = False
        self.unfinished: tuple[str, ...] = ()

    @property
    def can_resume(self) -> bool:
        """Whether the run could be resumed if interrupted now."""
        return bool(self._tables)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The requested folder and tables."""
        return (*([self._options.out] if self._options.out else []), *self._options.table)

    def __enter__(self) -> Self:
        """Open the tables; nothing changes before `begin`.

        Raises:
            InputError: A file cannot be written, or the interrupted run had other options.
            MissingExtraError: Parquet needs pyarrow.
        """
        if self._resume_file is None:
            return self
        out, resume, overwrite = self._options.out, self._options.resume, self._options.overwrite
        errors_path = self._errors_path
        if errors_path is not None and any(path.absolute() == errors_path.absolute() for path in self._tables):
            raise ConfigError(f"this run lists its errors in {printable(errors_path)}; choose another name for --table")
        with ExitStack() as undoing:
            if out is not None:
                self._folder = OutputFolder(out, resume=resume, overwrite=overwrite)
                undoing.callback(self._folder.close)
            if resume:
                self._resume_file.check()
            for path in self._tables:
                sink = open_sink(
                    path,
                    model=self._model,
                    format=self._options.format,
                    groups=self._options.groups,
                    keep_doubtful=self._options.keep_doubtful or not self._options.quality,
                    options=self._record,
                    resume=resume,
                    overwrite=overwrite,
                )
                undoing.callback(sink.retract)
                if sink.earlier_options is not None:
                    self._resume_file.check_options(sink.path, sink.earlier_options)
                self._sinks.append(sink)
            self.begins_anew = self._resume_file.exists() and not resume
            undoing.pop_all()
        if self._folder is not None:
            self._opened.callback(self._folder.close)
        for sink in self._sinks:
            self._opened.enter_context(sink)
        self._opened.callback(self._resume_file.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the tables, or leave them to be resumed."""
        if not self._has_begun:
            for sink in self._sinks:
                sink.retract()
        elif kind is None and self._is_empty and not any(sink.done for sink in self._sinks):
            for sink in self._sinks:
                sink.abandon()
        self._opened.__exit__(kind, error, traceback)
        if kind is None and self._has_begun and self._resume_file is not None:
            earlier = {name: last for sink in self._sinks for name, last in sink.done.items()}
            self.unfinished = tuple(self._resume_file.end(earlier))

    def begin(self, files: Mapping[Path, Path], skipped: Mapping[Path, str]) -> None:
        """Assign output names to all inputs, and discard what an earlier run left, unless it is resumed.

        If this raises an error, nothing has changed.

        Args:
            files: The inputs, each with the path given by the user: the file itself or a folder that contains it.
            skipped: The files that are not read, and why.

        Raises:
            OutputError: A file of an input could not be written without overwriting another, or a list of errors or of
                skipped files cannot be written.
        """
        if self._folder is not None:
            self._assign_names(self._folder, files)
        if self._errors_path is None or self._resume_file is None:
            return
        resume, overwrite = self._options.resume, self._options.overwrite
        name = self._errors_path.name
        skipped_name = "skipped.csv" if name == "errors.csv" else name.replace(".errors.csv", ".skipped.csv")
        skipped_list = SkippedList(self._errors_path.with_name(skipped_name), skipped, overwrite=overwrite)
        self.errors = self._opened.enter_context(ErrorsFile(self._errors_path, resume=resume, overwrite=overwrite))
        for sink in self._sinks:
            sink.start()
        if self._options.out is not None:
            remove_leftovers(self._options.out)
        self._resume_file.begin(resume=resume)
        self._has_begun = True
        skipped_list.write()
        for file, error in self._waiting:
            self.errors.add(file, error)

    def _assign_names(self, folder: OutputFolder, files: Mapping[Path, Path]) -> None:
        folder.protect(files)
        owners: dict[Path, Path] = {}
        for file, given in files.items():
            name = self._names[file] = output_name(given, file, parents=self._options.parents)
            if (other := owners.setdefault(name, file)) != file:
                raise OutputError(
                    f"{printable(other)} and {printable(file)} would write the same files {name} in "
                    f"{printable(folder.folder)}; keep their folders apart with --parents"
                )
            ending = ".summary.txt" if is_video(file) else ".vlfau.jpg"
            folder.check(name.with_name(f"{name.name}{ending}"), printable(file))

    def is_done(self, file: Path) -> bool:
        """Return whether an earlier run finished an input."""
        if self._resume_file is None:
            return False
        name = printable(file)
        if is_video(file):
            has_finished = self._resume_file.has_finished
            return all(name in sink.done and has_finished(name, sink.done[name]) for sink in self._sinks)
        is_listed = self.errors is not None and name in self.errors.files
        return is_listed or all(sink.is_done(file) for sink in self._sinks)

    def write_picture(self, file: Path, picture: Picture, result: PictureResult) -> None:
        """Write the result of a picture.

        Raises:
            InputError: A file cannot be written.
        """
        self._is_empty = False
        if result.faces and (path_of := self._path_of(file)) is not None:
            self._write_crops(file, result)
            if self._options.anonymise:
                pixels, drawn = anonymised(picture.pixels, result, self._model.crop, reduction=picture.reduction)
                self._draw(path_of, replace(picture, pixels=pixels), drawn.faces)
            else:
                self._draw(path_of, picture, result.faces)
        self.write_row(result)

    def write_frame(self, file: Path, frame: VideoFrame, result: PictureResult, files: VideoFiles) -> None:
        """Write a frame of a video: its crops, drawings and rows.

        Raises:
            InputError: A file cannot be written.
        """
        shown = steady(result)
        self._write_crops(file, shown)
        if self._options.anonymise and self._folder is not None:
            pixels, drawn = anonymised(frame.pixels, shown, self._model.crop)
            files.add(replace(frame, pixels=pixels), drawn)
        else:
            files.add(frame, shown)
        self.write_row(result)

    def write_row(self, result: PictureResult) -> None:
        """Write a picture or frame to the tables.

        Raises:
            InputError: A table cannot be written.
        """
        self._is_empty = False
        for sink in self._sinks:
            sink.write(result)
        self._last_row = (result.file, result.frame)

    def video_files(self, file: Path) -> VideoFiles:
        """Return the writer of a video's own files."""
        wanted = {".events.csv", ".summary.txt"}
        wanted |= {".vlfau.mp4"} if self._options.annotate else set()
        wanted |= {".report.html"} if self._options.report else set()
        wanted |= {".eaf"} if self._options.elan else set()
        wanted |= {".timeline.png"} if self._options.timeline else set()
        return VideoFiles(
            printable(file),
            self._model,
            path_of=self._path_of(file),
            wanted=wanted,
            measurements=self._options.measurements,
            start_s=self._options.part.start_s,
        )

    def finish_video(self, file: Path) -> None:
        """Record that a video is finished.

        Raises:
            OutputError: A table cannot be written.
        """
        if self._resume_file is not None:
            for sink in self._sinks:
                sink.flush()
            name, (last_file, last_frame) = printable(file), self._last_row
            self._resume_file.finish(name, last_frame if last_file == name else None)

    def list_error(self, file: Path, error: InputError) -> None:
        """Add an input to the list of errors; before `begin` it waits.

        Raises:
            InputError: The list cannot be written.
        """
        if self.errors is not None:
            self.errors.add(file, error)
        else:
            self._waiting.append((file, error))

    def _path_of(self, file: Path) -> Callable[[str], Path] | None:
        """Return a function that maps a suffix to the path of an input's file; None without an output folder."""
        if (folder := self._folder) is None:
            return None
        name, owner = self._names[file], printable(file)
        return lambda ending: folder.claim(name.with_name(f"{name.name}{ending}"), owner)

    def _write_crops(self, file: Path, result: PictureResult) -> None:
        """Write the aligned faces of a picture, or of a frame of a video, as pictures."""
        if not self._options.crops or (folder := self._folder) is None:
            return
        name = self._names[file]
        for number, face in enumerate(result.faces, start=1):
            which = f"face{number if face.face_id is None else face.face_id}"
            if result.frame is None:
                path = name.with_name(f"{name.name}.{which}.crop.jpg")
            else:
                path = name.with_name(f"{name.name}.crops") / f"{which}-frame{result.frame:06d}.crop.jpg"
            write_picture(folder.claim(path, printable(file)), face.crop)

    def _draw(self, path_of: Callable[[str], Path], picture: Picture, faces: Sequence[FaceResult]) -> None:
        """Draw the faces of a picture, and attention heat maps."""
        drawing = draw_faces(picture, faces, note=self._model.warning, rulers=self._options.measurements)
        write_picture(path_of(".vlfau.jpg"), drawing)
        if self._heatmaps is None:
            return
        for number, face in enumerate(faces, start=1):
            au_ids = self._heatmaps or [au.au_id for au in face.active_aus]
            if au_ids:
                which = "" if len(faces) == 1 else f".face{number}"
                write_picture(path_of(f"{which}.heat.jpg"), draw_heatmap_sheet(face, au_ids=au_ids))


def _table_paths(options: PredictOptions) -> list[Path]:
    in_folder = [] if options.out is None else [options.out / "results.csv", options.out / "results.jsonl"]
    return list({path.absolute(): path for path in (*in_folder, *options.table)}.values())


def _errors_path(out: Path | None, tables: Sequence[Path]) -> Path:
    return tables[0].with_suffix(".errors.csv") if out is None else out / "errors.csv"
