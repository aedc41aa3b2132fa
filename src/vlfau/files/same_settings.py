"""The one check that a run continues with the settings that it was started with, and the record of those settings."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vlfau.errors import InputError
from vlfau.files.atomic import LEFTOVERS, replacing
from vlfau.files.names import check_is_local, printable
from vlfau.files.records import parse_json

__all__ = [
    "CHOOSE_FOLDER",
    "START_OVER",
    "SettingsRecord",
    "check_same_settings",
    "refuse_foreign_folder",
    "start_or_resume_folder",
]

CHOOSE_FOLDER: Final = "restore the settings, or choose another folder"
"""What to do where a folder belongs to one run."""
START_OVER: Final = "restore the settings, or start over without resuming"
"""What to do where the next run may replace the files of the last."""

MAX_VALUE: Final = 200
"""Characters of a value that a message shows."""
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
    """Compare the settings that a run was started with and those with which it is to continue.

    Settings may be nested; `{"run": {"seed": 1}}` has the setting `run.seed`.

    Args:
        earlier: The settings of the earlier run, as read from JSON.
        now: The settings of this run, as JSON can hold them.
        what: What is resumed, such as a folder; the message begins with it.
        ways_out: What the user can do: `CHOOSE_FOLDER` or `START_OVER`.
        may_differ: Settings, or whole sections, on which no result depends.
        defaults: Values of settings that are newer than the earlier run and so missing there. A missing setting
            without a default counts as not given.
        error: The class of the error.

    Raises:
        InputError: A setting differs. The message names every one that does, with both values.

    >>> check_same_settings({"run": {"seed": 1}}, {"run": {"seed": 2}}, what="runs/a", ways_out=CHOOSE_FOLDER)
    Traceback (most recent call last):
    ...
    vlfau.errors.InputError: runs/a was started with run.seed 1 (now 2); restore the settings, or choose another folder
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
        raise error(f"{what} was started with {', '.join(differing)}; {ways_out}")


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


@dataclass(frozen=True, slots=True)
class SettingsRecord:
    """The settings that a run was started with, as JSON.

    Attributes:
        path: The file that holds them, such as settings.json.
        what: What was started with them, such as a folder; messages name it.
        ways_out: What the user can do if they differ or are damaged: `CHOOSE_FOLDER` or `START_OVER`.
        error: The class of the errors.
    """

    path: Path
    what: str
    ways_out: str
    error: type[InputError] = InputError

    def write(self, settings: Mapping[str, Any]) -> None:
        """Write the settings, whole or not at all.

        Raises:
            OutputError: They cannot be written.
        """
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2, default=str) + "\n", "utf-8")

    def read(self) -> dict[str, Any]:
        """Return the settings that the run was started with.

        Raises:
            FileNotFoundError: There is no such file.
            OSError: It cannot be read.
            InputError: It is damaged.
        """
        return self.parse(self.path.read_bytes())

    def parse(self, text: str | bytes) -> dict[str, Any]:
        """Return the settings that a text from the file holds.

        Raises:
            InputError: The text is damaged.
        """
        try:
            settings = parse_json(text)
        except ValueError as error:
            raise self.damaged(str(error)) from None
        if not isinstance(settings, dict):
            raise self.damaged("it holds no settings")
        return settings

    def check(self, settings: Mapping[str, Any], *, may_differ: Collection[str] = ()) -> None:
        """Make sure that the run was started with the settings that it is to have now.

        Args:
            settings: Those that it is to have.
            may_differ: Settings on which no result depends.

        Raises:
            FileNotFoundError: There is no such file.
            OSError: It cannot be read.
            InputError: A setting differs, or the file is damaged.
        """
        check_same_settings(
            self.read(), settings, what=self.what, ways_out=self.ways_out, may_differ=may_differ, error=self.error
        )

    def damaged(self, reason: str) -> InputError:
        """Return the error that says that the settings cannot be known."""
        return self.error(
            f"cannot tell which settings {self.what} was started with: {printable(self.path)} is damaged ({reason}); "
            f"{self.ways_out}"
        )


def start_or_resume_folder(
    folder: Path, settings: Mapping[str, Any], file: Path | None = None, *, may_differ: Collection[str] = ()
) -> None:
    """Start a folder of results, or make sure that it was started with the same settings.

    Args:
        folder: Is made if it does not exist. If it has no record of settings, it must be empty.
        settings: All that the results depend on, as JSON can hold it.
        file: The record of the settings, in the folder or in a subfolder of its own; None takes settings.json.
        may_differ: Settings on which no result depends.

    Raises:
        InputError: The folder cannot be written, or holds other files or results of other settings.
    """
    record = SettingsRecord(file or folder / "settings.json", what=printable(folder), ways_out=CHOOSE_FOLDER)
    refuse_foreign_folder(folder, record.path)
    try:
        if record.path.exists():
            record.check(settings, may_differ=may_differ)
            return
        record.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from None
    record.write(settings)


def refuse_foreign_folder(folder: Path, file: Path) -> None:
    """Make sure that a folder is new, empty, or has a record of settings.

    Args:
        folder: The folder, which need not exist.
        file: Its record of settings. What an interrupted start left beside it is ignored.

    Raises:
        InputError: The folder holds other files, cannot be read, or is a web address.
    """
    check_is_local(folder)
    try:
        if not file.exists() and any(_foreign_files(folder, file)):
            raise InputError(f"{printable(folder)} already contains other files; choose a new or empty folder")
    except OSError as error:
        raise _unusable(folder, error) from None


def _foreign_files(folder: Path, file: Path) -> Iterator[Path]:
    """Yield the files that neither this nor an interrupted start can have made."""
    for path in folder.rglob("*"):
        is_ours = path.match(LEFTOVERS) or (file.parent != folder and file.parent in path.parents)
        if not path.is_dir() and not is_ours:
            yield path


def _unusable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot use {printable(folder)} as a folder for results ({error.strerror or error}); choose a new or empty "
        "folder"
    )
