"""Texts on faces by any explainer, as JSON lines, matched to the frames of a manifest or the pictures of a folder.

One line per face; every field but the picture may be missing, and other fields are ignored:

    {"image": "frames/1.jpg", "text": "She smiles.", "AU12_text": "AU 12 is active.", "AU12_state": true,
     "AU12_intensity": 2.8, "AU12_side": "left"}

`text` is about the face, `AU12_text` about one AU, and state, intensity and side are what the explainer itself decided.
The tables of `vlfau predict` (results.jsonl) have this form; their pictures are called `file`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from vlfau.data.describe import image_name
from vlfau.data.manifest import read_manifest
from vlfau.errors import DescriptionError
from vlfau.evaluation.counterfactuals import Pair, read_pairs
from vlfau.facs import AUState, all_au_ids
from vlfau.files.records import parse_json
from vlfau.language.claims import MAX_CHARACTERS
from vlfau.media.inputs import expand_inputs
from vlfau.tables.stated import stated_aus

__all__ = ["FaceText", "Faces", "read_faces", "read_texts"]

_AU_TEXT: Final = re.compile(r"AU([0-9]{1,4})_text")


@dataclass(frozen=True, slots=True)
class FaceText:
    """What an explainer says of one face.

    Attributes:
        image: The picture, as the line names it.
        text: The text on the face; None without one.
        au_texts: The texts on single AUs, by number.
        states: The states that the explainer decided, by number.
        other_aus: Numbers of AUs with a text that vlfau does not know; these texts are not read.
    """

    image: str
    text: str | None
    au_texts: Mapping[int, str]
    states: Mapping[int, AUState]
    other_aus: tuple[int, ...] = ()


@dataclass(frozen=True)
class Faces:
    """The faces that texts are about.

    Attributes:
        labels: The known states of each face, by its picture's path; empty for pictures without labels.
        subjects: The person of each face.
        pairs: Pairs of faces that differ in one AU.
    """

    labels: Mapping[str, Mapping[int, AUState]]
    subjects: Mapping[str, str]
    pairs: tuple[Pair, ...] = ()

    def key(self, image: str) -> str | None:
        """Return the face that a line's picture means: the only one whose path ends like it."""
        name = image.replace("\\", "/").lstrip("./")
        if name in self.subjects:
            return name
        found = [
            key
            for key in self._by_name.get(name.rpartition("/")[2], ())
            if f"/{name}".endswith(f"/{key}") or f"/{key}".endswith(f"/{name}")
        ]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[str]]:
        names: dict[str, list[str]] = {}
        for path in self.subjects:
            names.setdefault(path.rpartition("/")[2], []).append(path)
        return names


def read_faces(path: Path) -> Faces:
    """Read the faces of a manifest, with `pairs.csv` beside it, or of a folder of pictures, which has no labels.

    In a folder, every picture counts as another person.

    Raises:
        InputError: The manifest is invalid, or the folder has no picture.
    """
    if path.is_dir():
        names = [each.relative_to(path).as_posix() for each in expand_inputs([path])]
        return Faces({}, {name: name for name in names})
    manifest = read_manifest(path, pictures=False)
    labels, subjects = {}, {}
    for frame in manifest.frames:
        image = image_name(manifest, frame)
        subjects[image] = frame.subject_id
        states = zip(manifest.au_ids, frame.states, strict=True)
        labels[image] = {au_id: state for au_id, state in states if state is not None}
    table = path.with_name("pairs.csv")
    pairs = tuple(pair for pair in read_pairs(table) if pair.image in subjects) if table.is_file() else ()
    subjects |= {pair.partner: subjects[pair.image] for pair in pairs}
    return Faces(labels, subjects, pairs)


def read_texts(path: Path, faces: Faces) -> tuple[dict[str, FaceText], int]:
    """Read a file of texts.

    Args:
        path: JSON lines.
        faces: The faces that they are about.

    Returns:
        The texts by face, and the number of lines on other pictures or on further faces of a picture.

    Raises:
        DescriptionError: A line is not as described above, or none is about these faces; the message names it.
    """
    found: dict[str, FaceText] = {}
    others = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                said = _face_text(line, f"{path}, line {number}") if line.strip() else None
                key = faces.key(said.image) if said else None
                if said and key and key not in found:
                    found[key] = said
                else:
                    others += said is not None
    except OSError as error:
        raise DescriptionError(f"texts {path} can't be opened ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DescriptionError(f"texts {path} are not UTF-8 ({error}); write them again") from error
    if not found:
        raise DescriptionError(
            f"no line of {path} is about one of the {len(faces.subjects)} faces; its 'image' must be the path of a "
            f"picture, such as '{next(iter(faces.subjects))}'"
        )
    return found, others


def _face_text(line: str, place: str) -> FaceText | None:
    """Return what a line says; None for the header of a table."""
    try:
        record = parse_json(line)
    except ValueError as error:
        raise DescriptionError(f"{place} is not JSON ({error}); write one JSON object per line") from None
    if not isinstance(record, dict):
        raise DescriptionError(f"{place} is not a JSON object; write one with 'image' and 'text'")
    if record.get("kind") in {"header", "footer"}:
        return None
    image = record.get("image", record.get("file"))
    if not isinstance(image, str) or not image:
        raise DescriptionError(f"{place} names no picture; give its path as 'image'")
    text = record.get("text")
    au_texts = {au_id: record[f"AU{au_id}_text"] for au_id in all_au_ids() if record.get(f"AU{au_id}_text") is not None}
    for value in (text, *au_texts.values()):
        if value is not None and not isinstance(value, str):
            raise DescriptionError(f"{place}: a text is {value!r}; write it as a string")
        if value is not None and len(value) > MAX_CHARACTERS:
            raise DescriptionError(f"{place}: a text has {len(value):,} characters; shorten it to {MAX_CHARACTERS:,}")
    try:
        return FaceText(image, text, au_texts, stated_aus(record), tuple(_other_aus(record)))
    except ValueError as error:
        raise DescriptionError(f"{place}: {error}") from None


def _other_aus(record: Mapping[str, Any]) -> Iterator[int]:
    for key, value in record.items():
        named = _AU_TEXT.fullmatch(key)
        if named and value is not None and int(named[1]) not in all_au_ids():
            yield int(named[1])
