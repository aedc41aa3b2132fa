"""Presets, joint expressions and correlations, from presets.toml and correlations.toml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.facs import AU_SETS, DEFAULT_AU_IDS, all_au_ids
from vlfau.files.entries import Entry, read_entries

__all__ = [
    "Correlations",
    "Joint",
    "Preset",
    "Presets",
    "correlations",
    "joints",
    "levels",
    "preset",
    "read_correlations",
    "read_presets",
]

MIN_EIGENVALUE = 1e-3


@dataclass(frozen=True)
class Joint:
    """A joint expression.

    Attributes:
        name: Name of the expression.
        weight: Frequency relative to the others.
        ranges: Smallest and largest intensity at the apex, by AU.
        one_sided: Whether its sided AUs are active on one side only.
        preset: The preset that plays it.
    """

    name: str
    weight: float
    ranges: Mapping[int, tuple[float, float]]
    one_sided: bool
    preset: str


@dataclass(frozen=True)
class Preset:
    """The kind of data set to generate; presets.toml explains the other fields.

    Attributes:
        au_ids: The AUs that the manifest labels.
        drawn_ids: The AUs that faces may show, ascending; the random numbers depend on them.
        rates: Share of frames in which an AU is present, by AU that may be shown.
    """

    name: str
    au_ids: tuple[int, ...]
    drawn_ids: tuple[int, ...]
    occurs_at: float
    women: int
    men: int
    components: str
    joints: tuple[str, ...]
    joint_share: float
    joint_missing: float
    joint_extra: float
    one_sided: float
    blinks: float
    rates: Mapping[int, float]


@dataclass(frozen=True)
class Presets:
    """The content of presets.toml.

    Attributes:
        levels: (5,) shares of the intensities A to E among frames at A or more.
        presets: The presets by name.
        joints: The joint expressions of all presets.
    """

    levels: tuple[float, ...]
    presets: Mapping[str, Preset]
    joints: tuple[Joint, ...]


@dataclass(frozen=True)
class Correlations:
    """Dependencies between AUs.

    Attributes:
        matrix: (N, N) correlation matrix, positive definite, in the order of the requested AUs.
        exclusive: Pairs of AUs that a face cannot show at the same time.
    """

    matrix: NDArray[np.float64]
    exclusive: tuple[tuple[int, int], ...]


def read_presets(path: Path | None = None) -> Presets:
    """Read presets and joint expressions.

    Raises:
        ConfigError: The file breaks its schema.
    """
    file = read_entries("presets.toml", path)
    joints = tuple(_joint(entry) for entry in file.tables("joint"))
    levels = file.content.get("levels")
    if not isinstance(levels, list) or len(levels) != 5 or not all(isinstance(share, float) for share in levels):
        raise file.error("levels", "a list of five shares, for A to E")
    names = [name for name in file.content if name not in {"joint", "levels"}]
    presets = {name: _preset(name, file.table(name), joints) for name in names}
    return Presets(tuple(levels), MappingProxyType(presets), joints)


def _preset(name: str, entry: Entry, every_joint: Sequence[Joint]) -> Preset:
    shares = ("joint_share", "joint_missing", "joint_extra", "one_sided", "blinks", "other")
    entry.only(["au_set", "drawn", "occurs_at", "women", "men", "components", "joints", "rates", *shares])
    drawable = {"default": DEFAULT_AU_IDS, "all": all_au_ids()}
    sets = {**drawable, **AU_SETS}
    drawn_ids = drawable[entry.text("drawn", drawable)]
    au_ids = sets[entry.text("au_set", sets)]
    if not set(au_ids) <= set(drawn_ids):
        raise entry.error("au_set", "a subset of the AUs that are drawn")
    groups = {joint.preset for joint in every_joint}
    played = entry.texts("joints", groups)
    if any(not set(joint.ranges) <= set(drawn_ids) for joint in every_joint if joint.preset in played):
        raise entry.error("joints", "joint expressions whose AUs are drawn")
    named = {row.au_id(): row.number("rate", 0.0, 1.0) for row in entry.tables("rates")}
    other = entry.number("other", 0, 1)
    return Preset(
        name=name,
        au_ids=au_ids,
        drawn_ids=drawn_ids,
        occurs_at=entry.number("occurs_at", 1, 5),
        women=entry.count("women"),
        men=entry.count("men"),
        components=entry.text("components"),
        joints=played,
        joint_share=entry.number("joint_share", 0, 1),
        joint_missing=entry.number("joint_missing", 0, 1),
        joint_extra=entry.number("joint_extra", 0, 1),
        one_sided=entry.number("one_sided", 0, 1),
        blinks=entry.number("blinks", 0, 1),
        rates=MappingProxyType({au_id: named.get(au_id, other) for au_id in drawn_ids}),
    )


def _joint(entry: Entry) -> Joint:
    entry.only(["name", "weight", "side", "aus", "preset"])
    ranges = {}
    for row in entry.tables("aus"):
        row.only(["number", "least", "most"])
        least = row.number("least", 0, 5)
        ranges[row.au_id()] = (least, row.number("most", least, 5))
    one_sided = entry.text("side", ["one", "both"], "both") == "one"
    weight, preset = entry.number("weight", 0, 100), entry.text("preset", default="wide")
    return Joint(entry.text("name"), weight, MappingProxyType(ranges), one_sided, preset)


def read_correlations(path: Path | None = None, au_ids: Sequence[int] | None = None) -> Correlations:
    """Read the correlations, and replace them by the nearest positive definite matrix.

    Args:
        path: A file to read instead of the package's own.
        au_ids: The AUs of the matrix; entries of the file for other AUs are ignored. None takes the whole catalogue.

    Raises:
        ConfigError: The file breaks its schema.
    """
    file = read_entries("correlations.toml", path)
    file.only(["pairs", "exclusive"])
    order = {au_id: index for index, au_id in enumerate(au_ids or all_au_ids())}
    matrix = np.eye(len(order))
    for entry in file.tables("pairs"):
        entry.only(["aus", "value"])
        pair, value = entry.au_pair(), entry.number("value", -1, 1)
        if set(pair) <= order.keys():
            first, second = (order[au_id] for au_id in pair)
            matrix[first, second] = matrix[second, first] = value
    values, vectors = np.linalg.eigh(matrix)
    matrix = vectors * np.maximum(values, MIN_EIGENVALUE) @ vectors.T
    scale = 1 / np.sqrt(np.diag(matrix))
    pairs = file.content.get("exclusive", [])
    exclusive = (Entry(file.file, "exclusive", {"aus": pair}).au_pair() for pair in pairs)
    return Correlations(matrix * scale * scale[:, None], tuple(pair for pair in exclusive if set(pair) <= order.keys()))


@cache
def _package_presets() -> Presets:
    return read_presets()


def preset(name: str) -> Preset:
    """Return a preset by name.

    Raises:
        ConfigError: There is no such preset.
    """
    presets = _package_presets().presets
    if name not in presets:
        raise ConfigError(f"there is no preset '{name}'; choose among {', '.join(presets)}")
    return presets[name]


def joints(preset_name: str) -> tuple[Joint, ...]:
    """Return the joint expressions that a preset plays."""
    played = preset(preset_name).joints
    return tuple(joint for joint in _package_presets().joints if joint.preset in played)


def levels() -> tuple[float, ...]:
    """Return the shares of the intensities A to E."""
    return _package_presets().levels


@cache
def correlations(au_ids: tuple[int, ...] | None = None) -> Correlations:
    """Return the package's correlations between some AUs, or between all AUs of the catalogue."""
    return read_correlations(au_ids=au_ids)
