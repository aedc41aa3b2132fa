"""Write the pages of the API reference, which mkdocstrings fills from the docstrings; part of `make docs`."""

import logging
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import griffe

DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
INTERNAL = {"cli", "files"}
"""Packages that nobody calls from Python: they have no page."""


class FencedDoctests(griffe.Extension):
    """Shows the doctests of docstrings as code: mkdocstrings loads this by the name in docs_site.toml."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Put a fence around every block that starts with a prompt."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)


class Problems(logging.Handler):
    """Keeps what griffe warns of: files that it can't read, docstrings that don't fit what they document."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        self.messages.append(record.getMessage())


def write_reference(source: Path, folder: Path) -> list[str]:
    """Write a page for the names of `vlfau` itself, one for each public part of the package, and their index.

    Args:
        source: The folder that holds the package.
        folder: Where the pages go.

    Returns:
        Their names.
    """
    problems = Problems()
    logging.getLogger("griffe").addHandler(problems)
    package = griffe.load(
        "vlfau", search_paths=[str(source)], allow_inspection=False, extensions=griffe.load_extensions(FencedDoctests)
    )
    if not isinstance(package, griffe.Module):
        sys.exit(f"{source}: expected the package vlfau")
    parts = [part for name, part in sorted(package.modules.items()) if is_public(name)]
    pages = {"README": "\n".join(index_lines(package, parts)), "vlfau": "\n".join(part_lines(package))}
    pages |= {part.path: "\n".join(part_lines(part)) for part in parts}
    for part in [package, *parts]:
        parse_docstrings([part[name] for name in exported(part)] or [part])
    if problems.messages:
        sys.exit("\n".join(["The docstrings have problems:", *problems.messages]))
    folder.mkdir()
    for name, text in pages.items():
        folder.joinpath(f"{name}.md").write_text(text, encoding="utf-8")
    return [f"{name}.md" for name in pages]


def index_lines(package: griffe.Module, parts: Iterable[griffe.Module]) -> Iterator[str]:
    """Tell what can be imported from `vlfau`, and what its parts are for."""
    yield "# API reference\n\nWhat most programs need can be imported from `vlfau`:\n\n| name | |\n|---|---|"
    yield from (f"| [`{name}`](vlfau.md#vlfau.{name}) | {summary(package[name])} |" for name in exported(package))
    yield "\nThe rest is imported from the part that it belongs to:\n\n| part | |\n|---|---|"
    yield from (f"| [`{part.path}`]({part.path}.md) | {summary(part)} |" for part in parts)
    yield ""


def part_lines(part: griffe.Module) -> Iterator[str]:
    """Tell what a part of the package offers: the names that it lists, else all that its modules define."""
    if names := exported(part):
        yield directive(part, 1, names)
    elif modules := [module for name, module in sorted(part.modules.items()) if is_public(name)]:
        yield directive(part, 1, [])
        yield from (directive(module, 2) for module in modules)
    else:
        yield directive(part, 1)


def directive(module: griffe.Module, level: int, members: Sequence[str] | None = None) -> str:
    """Ask mkdocstrings for a module: its docstring and these members, or all that are public."""
    lines = [f"::: {module.path}", "    options:", f"      heading_level: {level}", "      show_root_full_path: true"]
    if members is not None:
        lines.append(f"      members: {list(members)}")
    return "\n".join(lines) + "\n"


def parse_docstrings(things: Iterable[griffe.Object | griffe.Alias]) -> None:
    """Parse the docstrings of these and of all that is defined in them; griffe warns of what does not fit."""
    for thing in things:
        found = thing.final_target if isinstance(thing, griffe.Alias) else thing
        if found.docstring:
            found.docstring.parse("google")
        parse_docstrings(member for member in found.members.values() if isinstance(member, griffe.Object))


def exported(module: griffe.Module) -> list[str]:
    """List the public names that a module gives in `__all__`."""
    return [str(name) for name in module.exports or [] if is_public(str(name))]


def summary(thing: griffe.Object | griffe.Alias) -> str:
    """Read the first line of a docstring."""
    if thing.docstring is None:
        sys.exit(f"{thing.path}: no docstring; the API reference needs one")
    return thing.docstring.value.splitlines()[0]


def is_public(name: str) -> bool:
    """Tell whether a name belongs into the reference."""
    return not name.startswith("_") and name not in INTERNAL
