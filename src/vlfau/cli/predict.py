"""`vlfau predict`: photos in, action units and words out."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vlfau.errors import InputError, NoFaceError

if TYPE_CHECKING:
    from vlfau.cli.record import Report
    from vlfau.inference.predictor import Predictor

__all__ = ["predict"]


def predict(
    photos: Annotated[list[Path], Parameter(name="PHOTO", negative=())],
    /,
    *,
    out: Path | None = None,
    model: str | None = None,
    describe: Literal["active", "every", "never"] = "active",
    beam_size: int = 3,
    gendered: Annotated[bool, Parameter(negative=())] = False,
    consistent: Annotated[bool, Parameter(negative=())] = False,
    max_faces: int | None = None,
    threads: int = 1,
    quiet: Annotated[bool, Parameter(alias="-q", negative=())] = False,
) -> int:
    """Say which action units act on the faces of photos, in numbers and in words.

    Without --out the results are only printed. A photo that cannot be read, or without a face, is reported
    and the others are still processed; the exit code is then 2.

    Args:
        photos: Pictures, or folders of pictures.
        out: Folder for results.csv, results.json and an annotated picture a photo.
        model: A bundle to use instead of the default one: its folder, or a name that vlfau models lists.
        describe: Which action units to put in words: active, every, or never.
        beam_size: How many wordings to weigh; 1 is fastest.
        gendered: Let the description guess a gender instead of saying "this person".
        consistent: Choose words for each action unit that agree with its state.
        max_faces: Keep only the largest faces of a photo.
        threads: Processor threads to use.
        quiet: Print no tables.
    """
    from vlfau.cli.record import Report
    from vlfau.inference.predictor import Predictor

    predictor = Predictor(
        model,
        threads=threads,
        describe=describe,
        beam_size=beam_size,
        gendered=gendered,
        consistent=consistent,
        max_faces=max_faces,
    )
    with Report(predictor.bundle.info, out=out, quiet=quiet) as report:
        files = list(_files(photos, report))
        for file in report.progress(files):
            try:
                _predict_file(file, predictor, report)
            except InputError as error:
                report.complain(error)
    return 2 if report.complaints else 0


def _files(photos: list[Path], report: "Report") -> Iterator[Path]:
    """Yield every file once; complain about folders without pictures."""
    from vlfau.inference.sources import expand_inputs

    seen: set[Path] = set()
    for photo in photos:
        try:
            files = expand_inputs([photo])
        except InputError as error:
            report.complain(error)
            continue
        yield from (file for file in files if file not in seen)
        seen.update(files)


def _predict_file(file: Path, predictor: "Predictor", report: "Report") -> None:
    from vlfau.inference.images import read_picture
    from vlfau.inference.sources import printable

    picture = read_picture(file)
    faces = predictor.predict(picture)
    report.add(file, picture, faces)
    if not faces:
        raise NoFaceError(
            f"picture {printable(file)} shows no face that could be found; take one with a larger or less covered face"
        )
