"""The engine: analyses pictures, videos and cameras one by one, writes results and reports progress."""

import logging
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, Literal, ParamSpec

from vlfau.errors import InputError, NoFaceError, OutputError, VideoError, VlfauError, first_line
from vlfau.files.names import printable
from vlfau.inference.bundle import load_bundle
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import PictureResult
from vlfau.media.addresses import NetworkCamera, is_address
from vlfau.media.analysed import ANALYSED_SUFFIXES, is_video
from vlfau.media.camera import is_live
from vlfau.media.frames import VideoFrame
from vlfau.media.images import read_picture
from vlfau.media.inputs import expand_inputs, matching, unread_files
from vlfau.runs.interrupts import ending_well
from vlfau.runs.live import STANDARD_OUTPUT, LiveOutput
from vlfau.runs.neutral_faces import Correction, clip_correction, neutral_faces
from vlfau.runs.observer import InputFailure, RunObserver, RunSummary
from vlfau.runs.options import AnalysisOptions, PredictOptions
from vlfau.runs.output_writer import OutputWriter
from vlfau.video.captions import DescribeFrames
from vlfau.video.smoothing import smoothed

__all__ = ["file_results", "run"]

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")

Frames = Generator[tuple[VideoFrame, PictureResult]]


def run(
    inputs: str | Path | Sequence[str | Path],
    options: PredictOptions | None = None,
    *,
    observer: RunObserver | None = None,
    **changes: Any,
) -> RunSummary:
    """Analyse pictures, videos, folders and cameras, and write the results to files, as `vlfau predict` does.

    An input that cannot be read, or without a face, is listed in the summary, and the others are still processed.
    The same call with `resume=True` resumes an interrupted run. In the main thread, Ctrl-C stops a camera without an
    error; a second Ctrl-C interrupts the run. An error raised by the observer ends the run too, and it can be resumed.

    ```python
    summary = vlfau.run(["study/", "interview.mp4"], out="results", table="study.parquet")
    print(summary, summary.errors)
    ```

    Args:
        inputs: Pictures, videos, folders of them, cameras such as camera:0, and, with the option `network`, addresses
            of network cameras.
        options: Options of the run; None takes the defaults.
        observer: Receives progress and results; None for none.
        **changes: Options by name, as in `PredictOptions`; they override `options`. A path may be text, a time a number
            of seconds.

    Returns:
        What was done.

    Raises:
        InputError: An option is invalid, an input is not a path, there is no such model, or results cannot be written.
        MissingExtraError: A package that an option needs is not installed.
    """
    options = PredictOptions.of(options, changes)
    given, addresses = _as_paths(inputs, network=options.network)
    options.check(given)
    observer = observer or RunObserver()
    bundle = load_bundle(options.model)
    if (chosen := options.with_known_runtime(bundle)) != options:
        observer.notice(f"{chosen.runtime} is the fastest runtime for this model on this machine")
    predictor = chosen.predictor(bundle)
    predictor.open_ahead()
    outputs = OutputWriter(chosen, bundle.info)
    correction = neutral_faces(chosen.baseline, predictor, face=chosen.face, notice=observer.notice)
    for name, address in addresses.items():
        observer.notice(f"{name} is {address.public}")
    for warning in (bundle.info.warning, bundle.info.words_warning if chosen.consistent and chosen.wants_words else ""):
        if warning:
            observer.notice(warning)
    try:
        live = LiveOutput(chosen.live, bundle.info, groups=chosen.groups, max_faces=chosen.max_faces)
        with live, outputs:
            running = _Run(
                predictor, chosen, addresses, outputs=outputs, live=live, observer=observer, correction=correction
            )
            running.process(given)
        for video in outputs.unfinished:
            observer.notice(f"only a part of {video} is in the tables: give it again, with --resume")
    except _ObserverFailed as failed:
        raise failed.error from failed.error.__cause__
    except KeyboardInterrupt:
        if outputs.can_resume:
            observer.notice("interrupted; run the same command with --resume to continue")
        raise
    return running.summary()


def file_results(
    predictor: Predictor,
    path: str | Path,
    options: AnalysisOptions,
    *,
    file: str,
    notice: Callable[[str], None] = lambda note: None,
) -> Generator[PictureResult]:
    """Analyse one of many files on one thread: yields one result for a picture, one per frame for a video.

    Args:
        predictor: The model and its settings.
        path: The file.
        options: Which frames of a video are analysed, and when faces are captioned.
        file: Name of the file in the results.
        notice: Called with what was done to a video before it could be analysed, such as deinterlacing.

    Raises:
        ImageError: The picture cannot be read.
        VideoError: The video cannot be read, or breaks off after some frames.
    """
    if not is_video(path):
        yield predictor.predict(read_picture(path), names=file)
        return
    from vlfau.video.stream import analysed  # Pictures do without PyAV.

    part, failures = options.part, list[VideoError]()
    reader = part.reader(path, threads=1)
    for note in reader.info.notes:
        notice(note)
    results = analysed(
        predictor,
        reader,
        file=file,
        describe=options.describe,
        in_threads=False,
        regions=part.regions,
        identities=part.identities,
    )
    with closing(results):
        frames = _until_failure(results, failures)
        for _, result in smoothed(frames, predictor.bundle.info.thresholds) if options.smooth else frames:
            yield result
    if failures:
        raise failures[0]


def _until_failure(frames: Frames, failures: list[VideoError]) -> Frames:
    """Yield the frames before a video breaks off: those that wait to be smoothed are not lost."""
    try:
        yield from frames
    except VideoError as error:
        failures.append(error)


def _as_paths(inputs: object, *, network: bool) -> tuple[list[Path], dict[Path, NetworkCamera]]:
    """Return all inputs as paths. Network cameras are called network:1, network:2, ...: an address is no path."""
    paths: list[Path] = []
    addresses: dict[Path, NetworkCamera] = {}
    for given in inputs if isinstance(inputs, Iterable) and not isinstance(inputs, str | bytes) else [inputs]:
        if not isinstance(given, str | os.PathLike):
            raise InputError(
                f"expected the path of a file or folder, or a list of them, got {type(given).__name__}; give pixels to "
                "Predictor.predict"
            )
        path = Path(given)
        if isinstance(given, str) and is_address(given):
            if not network:
                raise InputError(
                    f"{NetworkCamera(given).public} is an address; to read a camera of the network, add --network "
                    "(network=True in Python)"
                )
            path = Path(f"network:{len(addresses) + 1}")
            addresses[path] = NetworkCamera(given)
        paths.append(path)
    return paths, addresses


class _ObserverFailed(BaseException):  # No Exception, which would be taken for an error of an input.
    """Carries an observer's error out of the run."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class _Run:
    """A run over the inputs."""

    def __init__(
        self,
        predictor: Predictor,
        options: PredictOptions,
        addresses: Mapping[Path, NetworkCamera],
        *,
        outputs: OutputWriter,
        live: LiveOutput,
        observer: RunObserver,
        correction: Correction | Literal["clip"],
    ) -> None:
        self._predictor, self._outputs, self._observer = predictor, outputs, observer
        self._addresses, self._live = addresses, live
        self._is_printed = STANDARD_OUTPUT in options.live
        self._part, self._describe, self._correction = options.part, options.describe, correction
        self._smooth, self._thresholds = options.smooth, predictor.bundle.info.thresholds
        self._pictures = self._videos = self._frames = self._faces = self._done_before = 0
        self._errors: list[InputFailure] = []
        self._skipped: dict[Path, str] = {}
        self._began, self._video_s = time.monotonic(), 0.0

    def process(self, inputs: Sequence[Path]) -> None:
        """Analyse every input; one that cannot be used is reported, and the others are still analysed."""
        found = self._expanded(inputs)
        self._outputs.begin(found, self._skipped)
        if self._outputs.begins_anew:
            self._tell(self._observer.notice, "found an interrupted run; starting over (use --resume to continue it)")
        self._tell(self._observer.run_started, list(found))
        for file in found:
            self._tell(self._observer.input_started, file)
            if not (self._observer.wants_more or self._outputs.can_resume):
                break  # Results are neither shown nor written.
            if self._outputs.is_done(file):
                self._done_before += 1
            else:
                self._analyse(file)
        self._tell(self._observer.run_ended)

    def summary(self) -> RunSummary:
        """Return the summary of the run."""
        listed = self._outputs.errors
        return RunSummary(
            pictures=self._pictures,
            videos=self._videos,
            frames=self._frames,
            faces=self._faces,
            errors=tuple(self._errors),
            skipped=self._skipped,
            done_before=self._done_before,
            elapsed_s=time.monotonic() - self._began,
            video_s=self._video_s,
            outputs=self._outputs.paths,
            errors_file=listed.path if listed is not None and len(listed) else None,
        )

    def _expanded(self, inputs: Sequence[Path]) -> dict[Path, Path]:
        """Return every file once, with the input that contains it; report empty folders."""
        found: dict[Path, Path] = {}
        for given in (path for pattern in inputs for path in matching(pattern)):
            try:
                for file in expand_inputs([given], suffixes=ANALYSED_SUFFIXES):
                    found.setdefault(file, given)
            except InputError as error:
                self._fail(given, error)
            if given.is_dir() and (unread := unread_files(given, suffixes=ANALYSED_SUFFIXES)):
                self._skipped.update(unread)
                self._tell(self._observer.skipped, given, unread)
        return found

    def _analyse(self, file: Path) -> None:
        """Analyse an input; its errors end only this input."""
        try:
            if is_video(file):
                self._analyse_video(file)
            else:
                self._analyse_picture(file)
        except VlfauError:
            raise
        except Exception as error:
            _log.debug("unexpected error", exc_info=True)
            reason = f"{type(error).__name__}: {first_line(error)}"
            self._fail(file, InputError(f"unexpected error with {printable(file)} ({reason}); please report it"))

    def _analyse_picture(self, file: Path) -> None:
        name = printable(file)
        try:
            picture = read_picture(file)
            result = self._predictor.predict(picture, names=name)
            if self._correction != "clip":
                result = self._correction.compared(result)
        except InputError as error:
            self._fail(file, error)
            return
        self._pictures += 1
        self._faces += len(result.faces)
        self._live.send(result)
        self._tell(self._observer.picture_done, name, result.faces)
        self._outputs.write_picture(file, picture, result)
        if not result.faces:
            self._fail(file, _no_face("picture", name))

    def _analyse_video(self, file: Path) -> None:
        try:
            self._analyse_frames(file)
        except OutputError:
            raise
        except InputError as error:
            self._fail(file, error)
        self._outputs.finish_video(file)

    def _analyse_frames(self, file: Path) -> None:
        began = time.monotonic()
        correct = self._video_correction(file)
        with (
            ending_well() if is_live(str(file)) else nullcontext(lambda: False) as is_to_end,
            self._outputs.video_files(file) as files,
            closing(self._results(file, self._describe, file.name)) as results,
        ):
            corrected = self._sent((frame, correct(result)) for frame, result in results)
            for frame, result in smoothed(corrected, self._thresholds) if self._smooth else corrected:
                self._outputs.write_frame(file, frame, result, files)
                if is_to_end() or (self._is_printed and not self._observer.wants_more):
                    break
        if report := self._live.report():
            self._tell(self._observer.notice, report)
        if not files.frames:
            return
        self._videos += 1
        self._frames += files.frames
        self._faces += len(files.tracks)
        self._video_s += time.monotonic() - began
        name = printable(file)
        self._tell(self._observer.video_done, name, files.summary)
        if not files.tracks:
            self._fail(file, _no_face("video", name))

    def _sent(self, results: Iterable[tuple[VideoFrame, PictureResult]]) -> Frames:
        """Pass results on, and send them to live listeners at once: smoothing holds them back."""
        for frame, result in results:
            self._live.send(result, frame)
            yield frame, result

    def _video_correction(self, file: Path) -> Correction:
        if self._correction != "clip":
            return self._correction
        with closing(self._results(file, "never", f"{file.name} at rest", is_first_look=True)) as results:
            return clip_correction((result for _, result in results), self._predictor.bundle.info)

    def _results(self, file: Path, describe: DescribeFrames, title: str, *, is_first_look: bool = False) -> Frames:
        """Yield the frames of a video; report an early end, unless a second pass will report it."""
        from vlfau.video.stream import analysed  # Pictures do without PyAV.

        part = self._part
        try:
            reader = part.reader(self._addresses.get(file, file))
            if reader.info.notes and not is_first_look:
                self._tell(self._observer.notice, f"{printable(file)}: {'; '.join(reader.info.notes)}")
            results = analysed(
                self._predictor,
                reader,
                describe=describe,
                file=printable(file),
                regions=part.regions,
                identities=part.identities,
            )
            self._tell(self._observer.video_started, title, self._length_s(reader.info.duration_s))
            try:
                with closing(results):
                    for frame, result in results:
                        yield frame, result
                        self._tell(self._observer.frame_done, frame.time_s - part.start_s)
            finally:
                self._tell(self._observer.video_ended)
        except InputError as error:
            if not is_first_look:
                self._fail(file, error)

    def _length_s(self, whole_s: float | None) -> float | None:
        """Return the length of the analysed part of a video; None if unknown."""
        ends_s = [end_s for end_s in (self._part.end_s, whole_s) if end_s is not None]
        return max(min(ends_s) - self._part.start_s, 0.0) if ends_s else None

    def _tell(self, method: Callable[_P, None], *what: _P.args, **named: _P.kwargs) -> None:
        """Tell the observer something; its own errors are not those of an input, and end the run."""
        try:
            method(*what, **named)
        except Exception as error:
            raise _ObserverFailed(error) from error

    def _fail(self, file: Path, error: InputError) -> None:
        self._errors.append(InputFailure(file, type(error).__name__, str(error)))
        self._tell(self._observer.failed, file, error)
        self._outputs.list_error(file, error)


def _no_face(kind: str, name: str) -> NoFaceError:
    return NoFaceError(f"no face found in {kind} {name}; use one with a larger or less covered face")
