"""What the package asks of others, and what the lock file fixes."""

import re
import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
NOT_LOCKED = {"convert", "cuda", "directml", "docs", "release"}


def requirements(lines):
    """Those for other packages than this one."""
    return [each for each in map(Requirement, lines) if each.name != "vlfau"]


REQUIRED = requirements(
    [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"], *chain.from_iterable(EXTRAS.values())]
)


def test_every_requirement_has_a_lower_and_an_upper_bound():
    unbounded = [str(each) for each in REQUIRED if sorted(bound.operator for bound in each.specifier) != ["<", ">="]]
    assert unbounded == []


def test_a_package_has_the_same_bounds_wherever_it_is_named():
    bounds = {}
    for requirement in REQUIRED:
        assert bounds.setdefault(requirement.name, requirement.specifier) == requirement.specifier, requirement.name


def test_the_lock_file_fixes_every_requirement_within_its_bounds_by_checksum():
    text = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
    locked = {}
    for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)((?:.*\\\n)+.*)", text, re.MULTILINE):
        assert "--hash=sha256:" in rest, name
        locked.setdefault(canonicalize_name(name), []).append(version)
    extras = [line for extra, lines in EXTRAS.items() if extra not in NOT_LOCKED for line in lines]
    for requirement in requirements([*PROJECT["project"]["dependencies"], *extras]):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not locked; call: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement.name
