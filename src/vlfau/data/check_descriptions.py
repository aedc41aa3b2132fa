"""Check that the texts of a described data set agree with its manifest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from vlfau.data.describe import image_name, labels, labels_of
from vlfau.data.manifest import Frame, Manifest
from vlfau.errors import DescriptionError
from vlfau.facs import AUState, action_unit, intensity_letter
from vlfau.files.records import parse_json
from vlfau.language import ParsedLocal, parse_global, parse_local
from vlfau.language.grammar import active_states

__all__ = ["Mismatch", "find_mismatches"]

_TRACE_KEY: Final = ', with "trace": true'


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between a file of descriptions and the manifest.

    Attributes:
        line: Line number, from 1; None for a frame that no line describes.
        problem: What differs.
    """

    line: int | None
    problem: str

    def __str__(self) -> str:
        """Return the difference as one line of text."""
        return self.problem if self.line is None else f"line {self.line}: {self.problem}"


def find_mismatches(
    manifest: Manifest, path: Path, progress: Callable[[int, int], None] | None = None
) -> Iterator[Mismatch]:
    """Parse every text of a file of descriptions back to states, and compare these with the manifest's.

    A global text may leave a known gender out, since it claims nothing that way. "At most a trace" is true of an AU
    that is absent, but "at rest" is not of one that may show a trace. Everything else must be equal.

    Args:
        manifest: The frames.
        path: The file of descriptions, made by `describe` or by hand.
        progress: Called with the number of lines done and the number of frames.

    Yields:
        The differences, by line; missing frames come last.

    Raises:
        DescriptionError: The file can't be read.
    """
    missing = {image_name(manifest, frame): frame for frame in manifest.frames}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                yield from (Mismatch(number, problem) for problem in _problems(manifest, missing, line))
                if progress is not None:
                    progress(number, len(manifest.frames))
    except OSError as error:
        raise DescriptionError(f"descriptions {path} can't be opened ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DescriptionError(f"descriptions {path} are not UTF-8 text ({error}); write them again") from error
    yield from (Mismatch(None, f"no line describes {image}") for image in missing)


def _problems(manifest: Manifest, missing: dict[str, Frame], line: str) -> Iterator[str]:
    """Yield what is wrong with a line, and remove its frame from the missing ones."""
    try:
        record = parse_json(line)
        frame = missing.pop(record["image"])
    except ValueError:
        yield "is not a JSON object"
        return
    except (KeyError, TypeError):
        yield "describes no frame of the manifest, or one that an earlier line describes"
        return
    for key, expected in labels(manifest, frame).items():
        if key != "aus" and record.get(key) != expected:
            yield f"{key} is {record.get(key)!r}, and {expected!r} in the manifest"
    entries = record.get("aus")
    if not isinstance(entries, dict) or entries.keys() != {str(au_id) for au_id in manifest.au_ids}:
        yield f"aus must have the keys {', '.join(map(str, manifest.au_ids))}"
        return
    for au_id, state in zip(manifest.au_ids, frame.states, strict=True):
        problem = _local_problem(state, entries[str(au_id)])
        if problem:
            yield f"AU {au_id}: {problem}"
    problem = _global_problem(frame, record.get("global"))
    if problem:
        yield f"global: {problem}"


def _local_problem(state: AUState | None, entry: object) -> str | None:
    if state is None:
        return None if entry is None else "must be null, since it is not annotated"
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        return "must have active, intensity, side and text"
    text = entry["text"]
    if entry != {**labels_of(state), "text": text}:
        return f"must be {_name(state)}, as in the manifest{_TRACE_KEY if state.trace else ''}"
    said = _read_local(text).state if _read_local(text).complete else None
    if said == state or said == replace(state, trace=not state.active):
        return None
    return f"the text says {_name(said)}, and the manifest {_name(state)}: {text!r}"


def _global_problem(frame: Frame, text: object) -> str | None:
    known = [state for state in frame.states if state is not None]
    if not known:
        return None if text is None else "must be null, since no AU is annotated"
    if not isinstance(text, str):
        return "must be a text"
    said, active = parse_global(text), active_states(known)
    if not said.complete:
        return f"the text can't be read: {text!r}"
    claim = truth = None
    if said.states != active:
        claim, truth = (", ".join(map(_name, states)) or "no AU" for states in (said.states, active))
    elif said.no_action and not said.trace and any(state.trace for state in known):
        claim, truth = "that no coded AU acts", "that one may show a trace"
    elif said.gender not in {None, frame.gender}:
        claim, truth = str(said.gender), str(frame.gender or "no gender")
    return f"the text says {claim}, and the manifest {truth}: {text!r}" if claim else None


def _name(state: AUState | None) -> str:
    """Return a state in a few words for a message.

    >>> _name(AUState(12, True, 3))
    'AU12 active at C'
    """
    if state is None:
        return "nothing readable"
    degree = f" at {intensity_letter(state.intensity)}" if state.intensity is not None else ""
    side = f" on {state.side}" if state.side is not None else ""
    trace = " with at most a trace" if state.trace else ""
    return f"{action_unit(state.au_id).label} {'active' if state.active else 'inactive'}{trace}{degree}{side}"


@lru_cache(maxsize=1 << 16)
def _read_local(text: str) -> ParsedLocal:
    """Parse a local text; the same few occur in thousands of frames."""
    return parse_local(text)
