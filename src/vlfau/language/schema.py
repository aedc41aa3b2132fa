"""The rules for texts of description files; each check raises a `DescriptionError`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import ActionUnit
from vlfau.language.templates import Template
from vlfau.language.wording import Wording

__all__ = ["MAX_LOCAL_TOKENS", "read_templates"]

_MIN_LOCAL: Final = 4
_MIN_TRACE: Final = 3
_MIN_GLOBAL: Final = 2
MAX_LOCAL_TOKENS: Final = 38
_MAX_TEXTS: Final = 64
"""Maximum number of texts in one list: far more than anyone writes, and few enough to compare quickly."""

_MINIMA: Final = {"active": _MIN_LOCAL, "inactive": _MIN_LOCAL, "trace": _MIN_TRACE, "global": _MIN_GLOBAL}
_RESTING: Final = frozenset({"inactive", "trace"})
"""Keys whose texts name neither a degree nor a side, and so have no slot."""

_LOCAL_FORM: Final = re.compile(r"[A-Z][a-z]*(,? [a-z]+)*\.( [A-Z][a-z]*(,? [a-z]+)*\.)*")
_GLOBAL_FORM: Final = re.compile(r"[a-z]+( [a-z]+)*")


def read_templates(
    table: Mapping[str, Any], key: str, unit: ActionUnit, wording: Wording, source: str | Path
) -> tuple[Template, ...]:
    """Return the checked texts of one key: `active`, `inactive`, `trace` or `global`.

    Raises:
        DescriptionError: A text is missing or breaks the schema.
    """
    minimum = _MINIMA[key]
    texts = table.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise DescriptionError(f"{source}: '{key}' is missing or not a list of texts; give at least {minimum}")
    if len(texts) < minimum:
        raise DescriptionError(f"{source}: '{key}' holds {len(texts)} texts, not {minimum} or more; add some")
    if len(texts) > _MAX_TEXTS:
        raise DescriptionError(
            f"{source}: '{key}' holds {len(texts)} texts; at most {_MAX_TEXTS} are allowed, so drop some"
        )
    templates = tuple(map(Template, texts))
    for template in templates:
        _check_slots(template, key, unit, source)
        _check_form(template, key, source)
        _check_modifiers(template, wording, source)
        if key != "global" and template.max_tokens(wording) > MAX_LOCAL_TOKENS:
            raise DescriptionError(
                f"{source}: '{template.source}' can reach {template.max_tokens(wording)} tokens, "
                f"at most {MAX_LOCAL_TOKENS} fit; shorten it"
            )
    return templates


def _check_slots(template: Template, key: str, unit: ActionUnit, source: str | Path) -> None:
    numbers = [slot for slot in template.slots if slot.count("|") == 1]
    named = sorted(slot for slot in template.slots if slot not in numbers)
    unknown = set(named) - {"degree", "side"}
    if unknown:
        raise DescriptionError(
            f"{source}: '{template.source}' has the unknown slot '{unknown.pop()}'; "
            "use {degree}, {side} or {one|many}"
        )
    expected: list[str] = []
    if key not in _RESTING:
        expected = ["degree", "side"] if unit.sided else ["degree"]
    if named != expected:
        raise DescriptionError(
            f"{source}: '{template.source}' needs these slots once and no others: {expected or 'none'}; correct them"
        )
    if numbers and expected != ["degree", "side"]:
        raise DescriptionError(f"{source}: '{template.source}' has {{one|many}} but no {{side}}; write one form")


def _check_form(template: Template, key: str, source: str | Path) -> None:
    for core in template.cores:
        if key == "global":
            if not _GLOBAL_FORM.fullmatch(core) or "and" in core.split():
                raise DescriptionError(
                    f"{source}: '{template.source}' must be lower-case words without punctuation and without "
                    "'and'; rephrase it"
                )
        elif not _LOCAL_FORM.fullmatch(core):
            raise DescriptionError(
                f"{source}: '{template.source}' must be sentences of plain words and commas that begin with a "
                "capital and end with a full stop; rephrase it"
            )


def _check_modifiers(template: Template, wording: Wording, source: str | Path) -> None:
    modifiers = template.words & wording.modifier_words
    if modifiers:
        raise DescriptionError(
            f"{source}: '{template.source}' names a degree or side with '{min(modifiers)}'; use a slot or drop it"
        )
