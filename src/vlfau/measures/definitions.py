"""What is measured on a face: a data file with anatomy and source, checked when it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vlfau.errors import ConfigError
from vlfau.faces.pose import NUM_LANDMARKS, landmark_mirror
from vlfau.facs import all_au_ids
from vlfau.files.entries import Entry, read_entries

__all__ = ["EYE_UNIT", "Definition", "Direction", "Form", "definitions", "definitions_of_au", "read_definitions"]

EYE_UNIT: Final = "of the eye distance"
_KEYS: Final = (
    "name",
    "label",
    "form",
    "from",
    "to",
    "against",
    "sided",
    "unit",
    "meaning",
    "anatomy",
    "source",
    "words",
    "aus",
)
_MIN_CORNERS: Final = 3


class Form(StrEnum):
    """How a measurement is taken from landmarks; lengths are in distances between the eyes."""

    HEIGHT = "height"
    """How far the middle of some landmarks is above that of others."""
    WIDTH = "width"
    """The distance of two middles across the face."""
    RATIO = "ratio"
    """The distance of two middles, divided by that of two others."""
    SLOPE = "slope"
    """The angle of the line between two middles, in degrees: above 0 where it rises outwards."""
    AREA = "area"
    """The area of a polygon, in squared distances between the eyes."""
    UPRIGHT_FOLDS = "upright folds"
    """How much darker upright folds are than the skin beside them, in a polygon, in percent."""
    LEVEL_FOLDS = "level folds"
    """How much darker level folds are than the skin beside them, in a polygon, in percent."""

    @property
    def is_fold(self) -> bool:
        """Whether pixels are measured, not landmarks alone."""
        return self in {Form.UPRIGHT_FOLDS, Form.LEVEL_FOLDS}


class Direction(StrEnum):
    """Where an AU moves a measurement."""

    MORE = "more"
    LESS = "less"

    @property
    def sign(self) -> int:
        """1 or -1."""
        return 1 if self is Direction.MORE else -1


_UNITS: Final[Mapping[Form, tuple[str, int]]] = MappingProxyType(
    {
        Form.HEIGHT: (EYE_UNIT, 2),
        Form.WIDTH: (EYE_UNIT, 2),
        Form.SLOPE: ("degrees", 0),
        Form.AREA: ("of the squared eye distance", 3),
        Form.UPRIGHT_FOLDS: ("% darker than the skin beside them", 1),
        Form.LEVEL_FOLDS: ("% darker than the skin beside them", 1),
    }
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One measurement.

    Attributes:
        name: Its name in tables, such as `outer_brow_height`.
        label: Its name in sentences, such as "outer brows".
        form: How it is taken.
        points: Landmarks on the subject's own right, or in the middle: one list, or two or four whose middles count.
        sided: Whether the left side has its own, taken from the mirrored landmarks.
        unit: Of its values, in words.
        digits: Decimal places that mean something.
        meaning: What is measured, for someone with a ruler.
        anatomy: Which muscle moves it.
        source: What the FACS manual says.
        words: What a larger and a smaller value are called, such as "higher" and "lower".
        aus: Where each AU that it shows moves it, by FACS number.
    """

    name: str
    label: str
    form: Form
    points: tuple[tuple[int, ...], ...]
    sided: bool
    unit: str
    digits: int
    meaning: str
    anatomy: str
    source: str
    words: tuple[str, str]
    aus: Mapping[int, Direction]

    def amount(self, change: float) -> str:
        """Return a change in words, such as "8 % of the eye distance"."""
        if self.unit.startswith("of "):
            return f"{100 * change:.{max(self.digits - 2, 0)}f} % {self.unit}"
        number = f"{change:.{self.digits}f}"
        return f"{number} {self.unit.removesuffix('s') if number == '1' else self.unit}"

    def is_visible(self, change: float) -> bool:
        """Whether a change is not 0 when it is rounded as in sentences."""
        return round(abs(change), self.digits) > 0

    @property
    def mirrored_points(self) -> tuple[tuple[int, ...], ...]:
        """The landmarks on the subject's own left."""
        return tuple(tuple(map(landmark_mirror, group)) for group in self.points)


def read_definitions(path: Path | None = None) -> tuple[Definition, ...]:
    """Read what is measured.

    Args:
        path: The file; None reads the package's own.

    Raises:
        ConfigError: The file cannot be read or is wrong; the message names the key.
    """
    file = read_entries("measurements.toml", path, room="measures")
    read = tuple(map(_definition, file.tables("measurement")))
    names = [each.name for each in read]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{file.file}: two measurements are called {name}; rename one")
    if lacking := [au_id for au_id in all_au_ids() if not any(au_id in each.aus for each in read)]:
        raise ConfigError(f"{file.file}: nothing is measured for AU {lacking[0]}; add a measurement")
    return read


@cache
def definitions() -> tuple[Definition, ...]:
    """Return what is measured, in the order of the tables."""
    return read_definitions()


@cache
def definitions_of_au(au_id: int) -> tuple[Definition, ...]:
    """Return the measurements that an AU moves."""
    return tuple(each for each in definitions() if au_id in each.aus)


def _definition(entry: Entry) -> Definition:
    entry.only(_KEYS)
    form = Form(entry.text("form", list(Form)))
    sided = entry.content.get("sided", False)
    if not isinstance(sided, bool):
        raise entry.error("sided", "true or false")
    if form is Form.RATIO:
        unit, digits = entry.text("unit"), 2
    elif "unit" in entry.content:
        raise entry.error("unit", f"no unit, for {form} has its own")
    else:
        unit, digits = _UNITS[form]
    name = entry.text("name")
    if not name.replace("_", "").isalnum() or name != name.lower():
        raise entry.error("name", "lower-case letters, figures and _")
    return Definition(
        name,
        entry.text("label"),
        form,
        _points(entry, form),
        sided,
        unit,
        digits,
        entry.text("meaning"),
        entry.text("anatomy"),
        entry.text("source"),
        _words(entry),
        _aus(entry.table("aus")),
    )


def _points(entry: Entry, form: Form) -> tuple[tuple[int, ...], ...]:
    polygon = form is Form.AREA or form.is_fold
    keys = ["from"] if polygon else ["from", "to"]
    groups = [_landmarks(entry, key) for key in keys]
    if polygon and len(groups[0]) < _MIN_CORNERS:
        raise entry.error("from", f"the landmarks of a polygon, {_MIN_CORNERS} or more")
    if unused := [key for key in ("to", "against") if key in entry.content and key not in {*keys, "against"}]:
        raise entry.error(unused[0], f"nothing, for {form} has a polygon only")
    if form is Form.RATIO:
        against = entry.content.get("against")
        if not isinstance(against, list) or len(against) != 2:
            raise entry.error("against", "two landmarks whose distance divides")
        groups += [(number,) for number in _landmarks(entry, "against")]
    elif "against" in entry.content:
        raise entry.error("against", "nothing, for only a ratio has it")
    return tuple(groups)


def _words(entry: Entry) -> tuple[str, str]:
    value = entry.content.get("words", ["larger", "smaller"])
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(word, str) and word for word in value):
        raise entry.error("words", "two words, for more and for less")
    more, less = value
    return more, less


def _landmarks(entry: Entry, key: str) -> tuple[int, ...]:
    value = entry.content.get(key)
    known = range(NUM_LANDMARKS)
    if not isinstance(value, list) or not value or not all(type(item) is int and item in known for item in value):
        raise entry.error(key, f"a list of landmarks of the mesh, 0 to {NUM_LANDMARKS - 1}")
    return tuple(value)


def _aus(entry: Entry) -> Mapping[int, Direction]:
    found: dict[int, Direction] = {}
    for key in entry.content:
        if not key.isdecimal() or int(key) not in all_au_ids():
            raise entry.error(key, "the number of an AU of the catalogue")
        found[int(key)] = Direction(entry.text(key, list(Direction)))
    if not found:
        raise entry.error("", "at least one AU")
    return found
