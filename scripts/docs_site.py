"""Build the documentation and the API reference as a site: `make docs`.

The pages lie in build/docs as they do in the repository, so that the links between them stay as they are written.
Everything that the README links to is gathered, and so on from page to page. A link to a file that does not exist is an
error here; zensical's strict mode refuses links to pages, headings and names that do not exist.
"""

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
PAGES = BUILD / "docs"
STARTS = ("README.md", "CHANGELOG.md")
LINK = re.compile(r"(?<=\]\()[^)#:\s]+(?=[)#])")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
REFERENCE = '"reference/README.md"'
INTERNAL = {"cli", "files"}
"""What nobody calls from Python: it has no page."""


class FencedDoctests(griffe.Extension):
    """Shows the doctests of docstrings as code: mkdocstrings loads this by the name in docs_site.toml."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Put a fence around every block that starts with a prompt."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)


def main() -> None:
    """Gather the pages, write the reference, build the site."""
    shutil.rmtree(PAGES, ignore_errors=True)
    gather()
    configuration = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    if REFERENCE not in configuration:
        sys.exit(f"docs_site.toml: expected {REFERENCE} in the navigation, in the place of the API reference")
    pages = ", ".join(f'"{page}"' for page in write_reference())
    BUILD.joinpath("zensical.toml").write_text(configuration.replace(REFERENCE, pages), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", "build/zensical.toml"]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


def gather() -> None:
    """Copy the pages that can be reached from the README, and the files that they link to."""
    waiting, seen = list(STARTS), set(STARTS)
    while waiting:
        name = waiting.pop()
        source, target = ROOT / name, PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix not in {".md", ".ipynb"}:
            shutil.copyfile(source, target)
            continue
        text = notebook_page(source, target) if source.suffix == ".ipynb" else source.read_text(encoding="utf-8")
        target.with_suffix(".md").write_text(re.sub(r"\.ipynb(?=[)#])", ".md", text), encoding="utf-8")
        for link in LINK.findall(CODE.sub("", text)):
            linked = (source.parent / link).resolve()
            if (PAGES / name).parent.joinpath(link).is_file():
                continue  # A picture of the notebook.
            if not linked.is_file():
                sys.exit(f"{name}: the link {link} leads to no file")
            if (found := linked.relative_to(ROOT).as_posix()) not in seen:
                seen.add(found)
                waiting.append(found)


def notebook_page(source: Path, target: Path) -> str:
    """Tell a notebook with its output as Markdown; its pictures go beside the target."""
    parts: list[str] = []
    for cell in json.loads(source.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {"text/plain": output.get("text", [])})
            image = next((kind for kind in data if kind.startswith("image/")), None)
            if image:
                picture = target.with_name(f"{target.stem}-{len(parts)}.{image.removeprefix('image/')}")
                picture.write_bytes(base64.b64decode("".join(data[image])))
                parts.append(f"![Output]({picture.name})")
            elif "text/markdown" in data:
                parts.append("".join(data["text/markdown"]))
            else:
                parts.append(f"```text\n{''.join(data['text/plain']).rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def write_reference() -> list[str]:
    """Write a page for the names of `vlfau` itself, one for each public part of the package, and their index.

    Returns:
        The pages, as the navigation names them.
    """
    package = griffe.load("vlfau", search_paths=[str(ROOT / "src")], allow_inspection=False)
    if not isinstance(package, griffe.Module):
        sys.exit("src/vlfau: expected a package")
    parts = [part for name, part in sorted(package.modules.items()) if is_public(name)]
    pages = {"README": "\n".join(index_lines(package, parts)), "vlfau": directive(package, 1, package.exports or [])}
    pages |= {part.path: "\n".join(part_lines(part)) for part in parts}
    folder = PAGES / "reference"
    folder.mkdir()
    for name, text in pages.items():
        folder.joinpath(f"{name}.md").write_text(text, encoding="utf-8")
    return [f"reference/{name}.md" for name in pages]


def index_lines(package: griffe.Module, parts: list[griffe.Module]) -> Iterator[str]:
    """Tell what can be imported from `vlfau`, and what its parts are for."""
    yield "# API reference\n\nWhat most programs need can be imported from `vlfau`:\n\n| name | |\n|---|---|"
    names = [str(name) for name in package.exports or [] if is_public(str(name))]
    yield from (f"| [`{name}`](vlfau.md#vlfau.{name}) | {summary(package[name])} |" for name in names)
    yield "\nThe rest is imported from the part that it belongs to:\n\n| part | |\n|---|---|"
    yield from (f"| [`{part.path}`]({part.path}.md) | {summary(part)} |" for part in parts)
    yield ""


def part_lines(part: griffe.Module) -> Iterator[str]:
    """Tell what a part of the package offers: the names that it lists, else all that its modules define."""
    modules = [module for name, module in sorted(part.modules.items()) if is_public(name)]
    if part.exports or not modules:
        yield directive(part, 1, part.exports)
        return
    yield directive(part, 1, [])
    yield from (directive(module, 2, None) for module in modules)


def directive(module: griffe.Module, level: int, members: list[str | griffe.ExprName] | None) -> str:
    """Ask mkdocstrings for a module: its docstring and these members, or all that are public."""
    lines = [f"::: {module.path}", "    options:", f"      heading_level: {level}", "      show_root_full_path: true"]
    if members is not None:
        lines.append(f"      members: {[str(name) for name in members if is_public(str(name))]}")
    return "\n".join(lines) + "\n"


def summary(thing: griffe.Object | griffe.Alias) -> str:
    """Read the first line of a docstring."""
    if thing.docstring is None:
        sys.exit(f"{thing.path}: no docstring; the API reference needs one")
    return thing.docstring.value.splitlines()[0]


def is_public(name: str) -> bool:
    """Tell whether a name belongs into the reference."""
    return not name.startswith("_") and name not in INTERNAL


if __name__ == "__main__":
    main()
