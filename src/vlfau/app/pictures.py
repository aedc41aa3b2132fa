"""Answers about uploaded pictures: their faces, and files to download."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from vlfau.app.result_tables import write_tables
from vlfau.app.site import Site
from vlfau.app.uploads import PublicError, Upload, for_visitors, received
from vlfau.app.visitors import is_gone
from vlfau.drawing.faces import draw_faces
from vlfau.drawing.theme import PICTURE_QUALITY
from vlfau.inference.captioner import Describe
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.images import Picture

__all__ = ["PictureAnswer", "PicturesAnswer", "ShownFace", "answer_pictures"]


@dataclass(frozen=True, slots=True, eq=False)
class PictureAnswer:
    """A picture and its result.

    Attributes:
        name: The visitor's name for it.
        picture: The picture.
        result: Its faces.
    """

    name: str
    picture: Picture
    result: PictureResult


@dataclass(frozen=True, slots=True, eq=False)
class ShownFace:
    """A face as the page keeps and names it; its crop is compressed, because every visitor's faces stay in memory.

    Attributes:
        number: Its number in its picture, from 1.
        count: Number of faces in the picture.
        picture: The picture's name; empty if there is only one picture.
    """

    number: int
    count: int
    picture: str
    _result: FaceResult
    _crop: bytes

    @classmethod
    def keep(cls, face: FaceResult, number: int = 1, count: int = 1, picture: str = "") -> Self:
        """Return a face to keep."""
        file = io.BytesIO()
        Image.fromarray(face.crop).save(file, "JPEG", quality=PICTURE_QUALITY, subsampling=0)
        measured = None if face.measured is None else face.measured.without_pixels()
        small = replace(face.measured_by(measured), crop=face.crop[:0])
        return cls(number, count, picture, small, file.getvalue())

    @property
    def face(self) -> FaceResult:
        """Its result, with its crop and attention maps."""
        with Image.open(io.BytesIO(self._crop)) as crop:
            return replace(self._result, crop=np.asarray(crop))

    @property
    def title(self) -> str:
        """What the page calls it, such as "Face 2" or "Face 2, group.jpg"."""
        return f"Face {self.number}{self.picture and f', {self.picture}'}"


@dataclass(frozen=True, slots=True, eq=False)
class PicturesAnswer:
    """Pictures that were analysed together.

    Attributes:
        answers: Those that could be read.
        errors: What is wrong with the others, for the visitor.
        files: The tables by suffix, and `.jpg` or `.zip`: the annotated pictures.
    """

    answers: Sequence[PictureAnswer]
    errors: Sequence[str]
    files: Mapping[str, Path]

    @property
    def faces(self) -> list[ShownFace]:
        """All faces, in the order of the pictures, each picture's largest first."""
        is_one = len(self.answers) == 1
        return [
            ShownFace.keep(face, number, len(answer.result.faces), "" if is_one else answer.name)
            for answer in self.answers
            for number, face in enumerate(answer.result.faces, 1)
        ]


def answer_pictures(
    site: Site, payloads: Sequence[Any], *, consistent: bool, describe: Describe, progress: Callable[..., Any]
) -> PicturesAnswer:
    """Analyse uploaded pictures, and write their tables and annotated pictures.

    Args:
        site: The page.
        payloads: The uploads, as described by the request.
        consistent: Whether captions must agree with the states of the AUs.
        describe: Which AUs get captions.
        progress: Gradio's progress function, which takes a fraction; called for several pictures.

    Raises:
        PublicError: No picture could be read; the message may be shown.
    """
    with for_visitors():
        uploads = [received(payload, site.folder) for payload in payloads]
        stem = uploads[0].stem if len(uploads) == 1 else "pictures"
    answers: list[PictureAnswer] = []
    errors: list[str] = []
    with (
        for_visitors(),
        site.disk.new_folder(site.limits.max_upload_bytes) as folder,
        write_tables(folder, stem, site.model) as tables,
    ):
        for number, upload in enumerate(uploads):
            if is_gone():
                raise PublicError("the visitor has left")
            if len(uploads) > 1:
                progress(number / len(uploads), desc="Looking at the pictures")
            try:
                answer = _answer_one(site, upload, consistent=consistent, describe=describe)
            except PublicError as error:
                errors.append(str(error))
                continue
            tables.add(answer.result)
            answers.append(answer)
        if not answers:
            raise PublicError(" ".join(errors))
        drawings = [_draw(answer, folder, number) for number, answer in enumerate(answers, 1) if answer.result.faces]
        files = {**tables.paths, **_packed(drawings, folder)}
    return PicturesAnswer(answers, errors, files)


def _answer_one(site: Site, upload: Upload, *, consistent: bool, describe: Describe) -> PictureAnswer:
    with for_visitors(upload):
        picture, result = site.predictor.picture(upload, consistent=consistent, describe=describe)
    return PictureAnswer(upload.name, picture, result)


def _draw(answer: PictureAnswer, folder: Path, number: int) -> Path:
    """Write an annotated picture."""
    note = "" if answer.result.model is None else answer.result.model.warning
    stem = Upload(folder, answer.name).stem
    path = folder / f"{stem}.vlfau.jpg"
    if path.exists():  # Two uploads have the same name.
        path = folder / f"{stem}-{number}.vlfau.jpg"
    Image.fromarray(draw_faces(answer.picture, answer.result.faces, note=note)).save(path, quality=PICTURE_QUALITY)
    return path


def _packed(drawings: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Return one annotated picture as it is, and several as an archive."""
    if len(drawings) == 1:
        return {".jpg": drawings[0]}
    if not drawings:
        return {}
    path = folder / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:  # JPEGs do not get smaller.
        for drawing in drawings:
            archive.write(drawing, drawing.name)
            drawing.unlink()
    return {".zip": path}
