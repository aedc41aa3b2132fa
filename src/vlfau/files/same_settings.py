"""The one check that long work is resumed under the settings it was begun with."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from vlfau.errors import InputError
from vlfau.files.atomic import LEFTOVERS, replacing
from vlfau.files.records import parse_json

__all__ = ["check_same_settings", "claim_folder"]

MAX_VALUE: Final = 200
_ABSENT: Final = object()


def check_same_settings(
    earlier: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    what: str,
    ways_out: str,
    may_differ: Collection[str] = (),
    defaults: Mapping[str, Any] | None = None,
    error: type[InputError] = InputError,
) -> None:
    """Compare the settings of an earlier run with those of the run that is to continue it.

    Settings may be nested; `{"run": {"seed": 1}}` has the setting `run.seed`.

    Args:
        earlier: The settings of the earlier run, as read from JSON.
        now: The settings of this run, as JSON can hold them.
        what: What is resumed, such as a folder; the message begins with it.
        ways_out: What the user can do, such as "restore them, or choose another folder".
        may_differ: Settings, or whole sections, on which no result depends.
        defaults: What a setting counts as where the earlier run does not have it, for settings that are newer than the
            run. Without a default it counts as not given.
        error: The class of the error.

    Raises:
        InputError: A setting differs. The message names every one that does, with both values.

    >>> check_same_settings({"run": {"seed": 1}}, {"run": {"seed": 2}}, what="runs/a", ways_out="restore it")
    Traceback (most recent call last):
    ...
    vlfau.errors.InputError: runs/a was begun with run.seed 1 (now 2); restore it
    """
    before = dict(_flat(earlier))
    # JSON turns tuples to lists and paths to texts, as it did when the earlier settings were written.
    after = dict(_flat(json.loads(json.dumps(now, default=str))))
    missing = dict(_flat(json.loads(json.dumps(defaults or {}, default=str))))
    differing = []
    for name in {**after, **before}:
        if any(name == free or name.startswith(f"{free}.") for free in may_differ):
            continue
        old, new = before.get(name, missing.get(name, _ABSENT)), after.get(name, _ABSENT)
        if old != new and not (_is_nothing(old) and _is_nothing(new)):
            differing.append(f"{name} {_shown(old)} (now {_shown(new)})")
    if differing:
        raise error(f"{what} was begun with {', '.join(differing)}; {ways_out}")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_nothing(value: Any) -> bool:
    return value is _ABSENT or value is None or value in ("", [])


def _shown(value: Any) -> str:
    if _is_nothing(value):
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= MAX_VALUE:
        return text
    return f"{text[: MAX_VALUE // 2]} ... {text[-MAX_VALUE // 2 :]}"


def claim_folder(folder: Path, settings: Mapping[str, Any], file: Path | None = None) -> None:
    """Begin a folder of results, or find that it was begun with the same settings.

    Args:
        folder: Is made if it does not exist; a new one must be empty.
        settings: All that the results depend on, as JSON can hold it.
        file: Keeps the settings, in the folder or in a folder of its own there; None takes settings.json.

    Raises:
        InputError: The folder cannot be written, holds other things, or results of other settings.
    """
    file = file or folder / "settings.json"
    try:
        if not file.exists():
            if next(_strangers(folder, file), None) is not None:
                raise InputError(f"{folder} holds other things already; choose a new or empty folder")
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary:
                temporary.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
            return
        before = parse_json(file.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{folder} cannot be used ({error.strerror}); choose a new or empty folder") from None
    except ValueError:
        raise InputError(f"{file} is damaged; choose a new or empty folder") from None
    if not isinstance(before, dict):
        raise InputError(f"{file} is no file of settings; choose a new or empty folder")
    check_same_settings(before, settings, what=str(folder), ways_out="give the same settings, or choose another folder")


def _strangers(folder: Path, file: Path) -> Iterator[Path]:
    """Give the files that neither this nor an interrupted beginning can have made."""
    for path in folder.rglob("*"):
        is_ours = path.match(LEFTOVERS) or (file.parent != folder and file.parent in path.parents)
        if not path.is_dir() and not is_ours:
            yield path
