"""The description of the package on an index: the README without links and pictures that only this repository has.

Hatchling calls it when it builds the package. An index shows the text alone, so a relative link would lead nowhere, and
the repository has no public address yet to which it could lead instead.
"""

import re
from pathlib import Path
from typing import Any

try:
    from hatchling.metadata.plugin.interface import MetadataHookInterface
except ModuleNotFoundError:  # Only the build has hatchling; tests call the function alone.
    MetadataHookInterface = object

_CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|mailto:)([^)]*)\)")


def without_relative_links(text: str) -> str:
    r"""Replace relative links by their text, and leave relative pictures out; code stays as it is.

    >>> without_relative_links("![A face](docs/a.jpg)\n\nSee [the FAQ](docs/faq.md) and [arXiv](https://arxiv.org).")
    'See the FAQ and [arXiv](https://arxiv.org).'
    """
    parts = _CODE.split(_PICTURE.sub("", text))
    # A link whose text is code spans a piece of code and its neighbours, so links are replaced in the whole afterwards.
    hidden = [part if index % 2 == 0 else f"\0{index}\0" for index, part in enumerate(parts)]
    plain = _LINK.sub(r"\1", "".join(hidden))
    return re.sub(r"\0(\d+)\0", lambda match: parts[int(match[1])], plain)


class PackageReadme(MetadataHookInterface):  # type: ignore[misc]  # The base is unknown without hatchling.
    """Sets the description of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": without_relative_links(text)}
