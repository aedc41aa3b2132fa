"""The descriptions that a model learned, stored with it in `descriptions.json`.

Later versions may correct the package's texts; a model keeps the texts that it learned. The file
has the content of the folder `descriptions`, as JSON:

    {"format": 1, "wording": {...}, "aus": {"1": {"active": [...], "inactive": [...], "global": [...]}, ...}}
"""

import json
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vlfau.errors import ConfigError, DescriptionError
from vlfau.facs import check_au_ids
from vlfau.files.atomic import replacing
from vlfau.files.records import parse_json
from vlfau.language.descriptions import Descriptions, check_distinct, default_descriptions, read_unit
from vlfau.language.vocabulary import Vocabulary
from vlfau.language.wording import read_wording

__all__ = ["DESCRIPTIONS_FILE", "MAX_BYTES", "read_descriptions", "read_model_descriptions", "write_descriptions"]

DESCRIPTIONS_FILE: Final = "descriptions.json"
_FORMAT: Final = 1
MAX_BYTES: Final = 1 << 19
"""Several times the size of the texts of all AUs."""


def write_descriptions(path: Path, descriptions: Descriptions) -> None:
    """Write descriptions to a file, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    text = json.dumps({"format": _FORMAT, **descriptions.document()}, indent=1)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def read_descriptions(path: Path) -> Descriptions:
    """Read a file of `write_descriptions`, of this version or an earlier one.

    Raises:
        DescriptionError: The file cannot be read, is too large, or breaks the schema of descriptions.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DescriptionError(f"{path} has more than {MAX_BYTES} bytes, too many; copy the model again")
        document = parse_json(content.decode("utf-8"))
    except OSError as error:
        raise DescriptionError(f"{path} cannot be read ({error.strerror}); copy the model again") from None
    except ValueError as error:
        raise DescriptionError(f"{path} is not JSON ({error}); copy the model again") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise DescriptionError(f"{path} has no descriptions of format {_FORMAT}; use the version that wrote it")
    units = document.get("aus")
    if document.keys() != {"format", "wording", "aus"} or not isinstance(units, dict):
        raise DescriptionError(f"{path} must have 'wording' and 'aus'; copy the model again")
    try:
        au_ids = check_au_ids([int(key) if key.isdecimal() else 0 for key in units])
    except (ConfigError, ValueError) as error:
        raise DescriptionError(f"{path}: {error}") from None
    wording = read_wording(document["wording"], path)
    read = {}
    for au_id, table in zip(au_ids, units.values(), strict=True):
        if not isinstance(table, dict):
            raise DescriptionError(f"{path}, AU{au_id}: expected lists of texts; copy the model again")
        read[au_id] = read_unit(table, au_id, wording, f"{path}, AU{au_id}")
    check_distinct({f"{path}, AU{au_id}": unit for au_id, unit in read.items()})
    return Descriptions(MappingProxyType(dict(sorted(read.items()))), wording)


def read_model_descriptions(
    folder: Path, au_ids: tuple[int, ...], vocabulary: Vocabulary, *, stored: bool
) -> Descriptions | None:
    """Return the descriptions that a model learned.

    Args:
        folder: Folder of the model.
        au_ids: The model's AUs.
        vocabulary: The model's words.
        stored: Whether the folder contains its descriptions. Models of earlier versions do not: they learned
            the package's texts of their time.

    Returns:
        The stored texts of its AUs. Without them, the package's own if the model has all their words, else None,
        since its texts are unknown.

    Raises:
        DescriptionError: The stored texts are damaged, or do not fit the model's AUs or words.
    """
    path = folder / DESCRIPTIONS_FILE
    descriptions = (read_descriptions(path) if stored else default_descriptions()).for_aus(au_ids)
    missing = sorted(set(Vocabulary.for_aus(au_ids, descriptions).tokens) - set(vocabulary.tokens))
    if not missing:
        return descriptions
    if stored:
        raise DescriptionError(f"{path} uses the word '{missing[0]}', which the model never learned; copy it again")
    return None
