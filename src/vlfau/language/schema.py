"""What a text of a description file must be like; each check raises a `DescriptionError`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import ActionUnit
from vlfau.language.templates import Template
from vlfau.language.wording import Wording

__all__ = ["MAX_LOCAL_TOKENS", "MIN_GLOBAL", "MIN_LOCAL", "read_templates"]

MIN_LOCAL: Final = 4
MIN_GLOBAL: Final = 2
MAX_LOCAL_TOKENS: Final = 38

_LOCAL_FORM: Final = re.compile(r"[A-Z][a-z]*(,? [a-z]+)*\.( [A-Z][a-z]*(,? [a-z]+)*\.)*")
_GLOBAL_FORM: Final = re.compile(r"[a-z]+( [a-z]+)*")


def read_templates(
    table: Mapping[str, Any], key: str, unit: ActionUnit, wording: Wording, path: Path
) -> tuple[Template, ...]:
    """Return the checked texts of one key: `active`, `inactive` or `global`.

    Raises:
        DescriptionError: A text is missing or breaks the schema.
    """
    minimum = MIN_GLOBAL if key == "global" else MIN_LOCAL
    texts = table.get(key)
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise DescriptionError(f"{path}: '{key}' is missing or no list of texts; give at least {minimum}")
    if len(texts) < minimum:
        raise DescriptionError(f"{path}: '{key}' holds {len(texts)} texts, not {minimum} or more; add some")
    templates = tuple(map(Template, texts))
    for template in templates:
        _check_slots(template, key, unit, path)
        _check_form(template, key, path)
        _check_claims(template, wording, path)
        if key != "global" and template.max_tokens(wording) > MAX_LOCAL_TOKENS:
            raise DescriptionError(
                f"{path}: '{template.source}' can reach {template.max_tokens(wording)} tokens, "
                f"at most {MAX_LOCAL_TOKENS} fit; shorten it"
            )
    return templates


def _check_slots(template: Template, key: str, unit: ActionUnit, path: Path) -> None:
    numbers = [slot for slot in template.slots if slot.count("|") == 1]
    named = sorted(slot for slot in template.slots if slot not in numbers)
    unknown = set(named) - {"degree", "side"}
    if unknown:
        raise DescriptionError(
            f"{path}: '{template.source}' has the unknown slot '{unknown.pop()}'; "
            "use {degree}, {side} or {one|many}"
        )
    expected: list[str] = []
    if key != "inactive":
        expected = ["degree", "side"] if unit.sided else ["degree"]
    if named != expected:
        raise DescriptionError(
            f"{path}: '{template.source}' needs these slots once and no others: {expected or 'none'}; correct them"
        )
    if numbers and expected != ["degree", "side"]:
        raise DescriptionError(f"{path}: '{template.source}' has {{one|many}} but no {{side}}; write one form")


def _check_form(template: Template, key: str, path: Path) -> None:
    for core in template.cores():
        if key == "global":
            if not _GLOBAL_FORM.fullmatch(core) or "and" in core.split():
                raise DescriptionError(
                    f"{path}: '{template.source}' must be lower-case words without punctuation and without "
                    "'and'; rephrase it"
                )
        elif not _LOCAL_FORM.fullmatch(core):
            raise DescriptionError(
                f"{path}: '{template.source}' must be sentences of plain words and commas that begin with a "
                "capital and end with a full stop; rephrase it"
            )


def _check_claims(template: Template, wording: Wording, path: Path) -> None:
    claims = template.words() & wording.claim_words
    if claims:
        raise DescriptionError(
            f"{path}: '{template.source}' claims a degree or side with '{min(claims)}'; use a slot or drop it"
        )
