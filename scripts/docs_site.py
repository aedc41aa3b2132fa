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
from pathlib import Path

from docs_reference import write_reference

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
PAGES = BUILD / "docs"
STARTS = ("README.md", "CHANGELOG.md")
LINK = re.compile(r"(?<=\]\()[^)#:\s]+(?=[)#])")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
REFERENCE = '"reference/README.md"'


def main() -> None:
    """Gather the pages, write the reference, build the site."""
    shutil.rmtree(PAGES, ignore_errors=True)
    gather()
    reference = write_reference(ROOT / "src", PAGES / "reference")
    configuration = fill_navigation([f"reference/{page}" for page in reference])
    BUILD.joinpath("zensical.toml").write_text(configuration, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", "build/zensical.toml"]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


def fill_navigation(reference: list[str]) -> str:
    """Read the site's configuration, and put the pages of the reference into its navigation."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    if REFERENCE not in text:
        sys.exit(f"docs_site.toml: expected {REFERENCE} in the navigation, in the place of the API reference")
    text = text.replace(REFERENCE, ", ".join(f'"{page}"' for page in reference))
    for page in re.findall(r'"([^"]+\.md)"', text):
        if not PAGES.joinpath(page).is_file():
            sys.exit(
                f"docs_site.toml: the navigation names {page}, which does not exist or which no other page links to"
            )
    return text


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


if __name__ == "__main__":
    main()
