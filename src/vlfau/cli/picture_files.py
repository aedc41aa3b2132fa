"""What is kept of one picture besides the rows of the tables."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vlfau.drawing.faces import draw_faces, write_picture
from vlfau.drawing.heatmap import draw_heatmap_sheet
from vlfau.errors import ConfigError
from vlfau.inference.results import FaceResult
from vlfau.media.images import Picture

__all__ = ["heatmap_aus", "write_picture_files"]


def heatmap_aus(text: str, au_ids: Sequence[int]) -> tuple[int, ...]:
    """Read which AUs are to be drawn as heat maps.

    Args:
        text: Such as 12 or 6,12, or active.
        au_ids: Those that the model knows.

    Returns:
        The AUs; none for the active ones.

    Raises:
        ConfigError: It is no such list, or the model does not know an AU.
    """
    if text == "active":
        return ()
    words = [word.strip() for word in text.split(",")]
    wanted = [int(word) for word in words if word.isdecimal()]
    if len(wanted) < len(words) or not set(wanted) <= set(au_ids):
        raise ConfigError(
            f"--heatmap takes active, or numbers of action units such as 12 or 6,12, not '{text}'; "
            f"this model knows {', '.join(map(str, au_ids))}"
        )
    return tuple(dict.fromkeys(wanted))


def write_picture_files(
    claim: Callable[[str], Path],
    picture: Picture,
    faces: Sequence[FaceResult],
    *,
    note: str,
    heatmaps: Sequence[int] | None,
) -> None:
    """Draw a picture's faces, and where the model looked.

    Args:
        claim: Gives the path of a file of this picture by its ending, such as `.vlfau.jpg`.
        picture: The picture.
        faces: Its faces; without any nothing is drawn.
        note: A line for the foot of the drawing.
        heatmaps: AUs to draw as heat maps, none of them for each face's active ones; None draws no heat maps.

    Raises:
        InputError: A file cannot be written.
    """
    if not faces:
        return
    write_picture(claim(".vlfau.jpg"), draw_faces(picture, faces, note=note))
    if heatmaps is None:
        return
    for number, face in enumerate(faces, start=1):
        au_ids = heatmaps or [au.au_id for au in face.active_aus]
        if au_ids:
            place = "" if len(faces) == 1 else f".face{number}"
            write_picture(claim(f"{place}.heat.jpg"), draw_heatmap_sheet(face, au_ids=au_ids))
