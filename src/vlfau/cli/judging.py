"""Goes through the inputs of `vlfau predict`: judges each, shows it, and keeps it."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Literal

from vlfau.cli.interrupts import ending_well
from vlfau.cli.keeping import Keeper
from vlfau.cli.neutral import Correction, clip_correction
from vlfau.cli.screen import Screen
from vlfau.cli.streams import output_failure
from vlfau.cli.tables import face_table
from vlfau.cli.tally import Tally
from vlfau.cli.times import Part
from vlfau.cli.video_text import video_text
from vlfau.errors import InputError, NoFaceError, OutputError, VlfauError, first_line
from vlfau.files.names import printable
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import PictureResult
from vlfau.media.camera import camera_number
from vlfau.media.frames import VideoFrame
from vlfau.media.images import read_picture
from vlfau.media.inputs import PICTURE_SUFFIXES, expand_inputs
from vlfau.media.reader import VIDEO_SUFFIXES, VideoReader, is_video
from vlfau.video.stream import DescribeFrames, stream

__all__ = ["Judging"]

_MAX_EVENTS_SHOWN = 30
_log = logging.getLogger(__name__)

Frames = Generator[tuple[VideoFrame, PictureResult]]


class Judging:
    """One run over the inputs; an input that cannot be used is named, and the others are judged all the same.

    Args:
        predictor: Judges.
        screen: Shows.
        keeper: Keeps.
        part: Which frames of videos are wanted.
        describe: When faces of videos get words.
        baseline: What corrects the faces of videos, as `neutral_faces` gives it.

    Attributes:
        tally: What was done.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        screen: Screen,
        keeper: Keeper,
        part: Part,
        describe: DescribeFrames,
        baseline: Correction | Literal["clip"],
    ) -> None:
        self._predictor, self._screen, self._keeper = predictor, screen, keeper
        self._part, self._describe, self._baseline = part, describe, baseline
        self.tally = Tally()

    def run(self, inputs: Sequence[Path]) -> None:
        """Judge pictures, videos, cameras, and the pictures and videos in folders.

        Raises:
            InputError: Results cannot be written.
        """
        found = self._files(inputs)
        files = list(found)
        self._keeper.expect(found)
        are_alike = not any(map(is_video, files))
        for file in self._screen.inputs(files, is_timed=are_alike):
            if output_failure() is not None and not self._keeper.can_resume:
                return  # Nobody sees the results, and no file keeps them.
            if self._keeper.is_done(file, is_video=is_video(file)):
                self.tally.done_before += 1
            else:
                self._judge(file)

    def _files(self, inputs: Sequence[Path]) -> dict[Path, Path]:
        """Return every file once, with the input that names it; complain of folders that hold none."""
        found: dict[Path, Path] = {}
        for given in inputs:
            try:
                for file in expand_inputs([given], suffixes=PICTURE_SUFFIXES | VIDEO_SUFFIXES):
                    found.setdefault(file, given)
            except InputError as error:
                self._complain(given, error)
        return found

    def _judge(self, file: Path) -> None:
        """Judge an input; whatever is wrong with it ends this input alone."""
        try:
            if is_video(file):
                self._judge_video(file)
            else:
                self._judge_picture(file)
        except VlfauError:
            raise
        except Exception as error:
            _log.debug("unexpected error", exc_info=True)
            reason = f"{type(error).__name__}: {first_line(error)}"
            self._complain(file, InputError(f"{printable(file)} met an unexpected error ({reason}); please report it"))

    def _judge_picture(self, file: Path) -> None:
        try:
            picture = read_picture(file)
            faces = self._predictor.predict(picture)
        except InputError as error:
            self._complain(file, error)
            return
        self.tally.pictures += 1
        self.tally.faces += len(faces)
        name = printable(file)
        for number, face in enumerate(faces, start=1):
            title = f"{name}: face {number} of {len(faces)}"
            self._screen.print(face_table(face, title=title, width=self._screen.width))
        self._keeper.keep_picture(file, picture, faces)
        if not faces:
            self._complain(file, _no_face("picture", name))

    def _judge_video(self, file: Path) -> None:
        try:
            self._judge_frames(file)
        except OutputError:
            raise
        except InputError as error:
            self._complain(file, error)
        self._keeper.video_finished(file)

    def _judge_frames(self, file: Path) -> None:
        began = time.monotonic()
        frames = 0
        correct = self._correction(file)
        is_camera = camera_number(str(file)) is not None
        with (
            ending_well() if is_camera else nullcontext(lambda: False) as is_to_end,
            self._keeper.video_files(file) as files,
            closing(self._frames(file, self._describe, file.name)) as judged,
        ):
            for frame, uncorrected in judged:
                result = correct(uncorrected)
                files.add(frame, result)
                self._keeper.keep_row(result)
                frames += 1
                if is_to_end():
                    break
        if not frames:
            return
        self.tally.videos += 1
        self.tally.frames += frames
        self.tally.faces += len(files.tracks)
        self.tally.video_s += time.monotonic() - began
        name = printable(file)
        if self._screen.is_terminal:
            self._screen.print(video_text(name, files.summary, max_lines=_MAX_EVENTS_SHOWN))
        else:
            self._screen.print(f"{name}: {files.summary}")
        if not files.tracks:
            self._complain(file, _no_face("video", name))

    def _correction(self, file: Path) -> Correction:
        if self._baseline != "clip":
            return self._baseline
        with closing(self._frames(file, "never", f"{file.name} at rest", is_first_look=True)) as judged:
            return clip_correction((result for _, result in judged), self._predictor.bundle.info)

    def _frames(self, file: Path, describe: DescribeFrames, title: str, *, is_first_look: bool = False) -> Frames:
        """Yield the frames of a video; what ends them early is complained of, unless a second look will tell it."""
        part = self._part
        try:
            reader = None if camera_number(str(file)) is not None else VideoReader(file)
            length_s = None if reader is None else reader.info.duration_s
            ends_s = [end_s for end_s in (part.end_s, length_s) if end_s is not None]
            total_s = max(min(ends_s) - part.start_s, 0.0) if ends_s else None
            judged = stream(
                self._predictor,
                file,
                every_s=part.every_s,
                start_s=part.start_s,
                end_s=part.end_s,
                describe=describe,
            )
            with closing(judged), self._screen.frames(title, total_s) as show:
                for frame, result in judged:
                    yield frame, result
                    show(frame.time_s - part.start_s)
        except InputError as error:
            if not is_first_look:
                self._complain(file, error)

    def _complain(self, file: Path, error: InputError) -> None:
        self.tally.errors += 1
        self._screen.complain(error)
        self._keeper.list_error(file, error)


def _no_face(kind: str, name: str) -> NoFaceError:
    return NoFaceError(f"{kind} {name} shows no face that could be found; take one with a larger or less covered face")
