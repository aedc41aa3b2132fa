"""Verified facts put into other words by a language model, which may add nothing; see `vlfau.language.narration`."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vlfau.errors import InputError
from vlfau.facs import AUState, all_au_ids, predicted_state
from vlfau.files.records import parse_json
from vlfau.language.narration import Facts, Narrative, check_narrative
from vlfau.measures.definitions import definitions_of_au
from vlfau.measures.measuring import Measurement
from vlfau.runs.chat_server import ChatServer
from vlfau.tables.stated import stated_aus
from vlfau.video.summary import clock

__all__ = ["INSTRUCTIONS", "NarratedFace", "as_json", "facts_of_table", "facts_of_video", "narrate"]

INSTRUCTIONS: Final = """\
You turn verified observations of a face into two to five plain English sentences, as one colleague writes to another.
Only rephrase what is given. Add no movement, side, degree, number, cause, feeling, intention or advice; do not guess.
Keep the degrees (minimally, slightly, markedly, strongly, maximally) and the sides (the subject's own left and right).
Name every active movement. Answer with these sentences alone: no heading, list, question or greeting."""


MOST_MEASUREMENTS: Final = 2
"""Measurements that are told of an AU."""


@dataclass(frozen=True, slots=True)
class NarratedFace:
    """A face of a table, or of a video.

    Attributes:
        source: The picture or video, and the face's number.
        facts: What is known of it.
    """

    source: Mapping[str, Any]
    facts: Facts


def narrate(facts: Facts, server: ChatServer) -> Narrative:
    """Let a language model put facts into words, and strike what they do not support.

    Nothing but the lines of the facts is sent: no picture and no name.

    Raises:
        ServerError: The server does not answer, or not as its interface says.
    """
    return check_narrative(server.answer(INSTRUCTIONS, "\n".join(facts.lines())), facts)


def facts_of_table(path: Path) -> Iterator[NarratedFace]:
    """Yield the facts of every face of a table in JSON lines, as `vlfau predict` writes.

    The measurements of the active AUs that `--measurements` writes are added to the facts, and so is a field
    `measurements`, a list of texts.

    Raises:
        InputError: The file is not such a table; the message names the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip() and (face := _face_of(line, f"{path}, line {number}")) is not None:
                    yield face
    except OSError as error:
        raise InputError(f"{path} can't be opened ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error}); give a results.jsonl of `vlfau predict`") from error


def facts_of_video(path: Path) -> list[NarratedFace]:
    """Return the facts of every face of a table of events, NAME.events.csv, as `vlfau predict` writes for a video.

    Raises:
        InputError: The file is not such a table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        events = [(int(row["face"]), _event_state(row), _event_line(row)) for row in rows]
    except OSError as error:
        raise InputError(f"{path} can't be opened ({error.strerror}); check the path") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path} is not a table of events ({error}); give a NAME.events.csv of `vlfau predict`"
        ) from None
    return [
        NarratedFace(
            {"file": path.name, "face": face},
            Facts(
                tuple(state for number, state, _ in events if number == face),
                tuple(line for number, _, line in events if number == face),
            ),
        )
        for face in sorted({number for number, _, _ in events})
    ]


def _face_of(line: str, place: str) -> NarratedFace | None:
    """Return the face of a line; None for a header."""
    try:
        record = parse_json(line)
        if not isinstance(record, dict):
            raise ValueError("it is no JSON object")
        if record.get("kind") in {"header", "footer"}:
            return None
        states = stated_aus(record)
        if not states:
            raise ValueError("it has no state of an AU, such as AU12_state")
        further = record.get("measurements") or []
        if not isinstance(further, list) or not all(isinstance(each, str) for each in further):
            raise ValueError("its measurements are no list of texts")
        lines = (*_measured(record, states), *further)
    except ValueError as error:
        raise InputError(f"{place} can't be used ({error}); give a results.jsonl of `vlfau predict`") from None
    source = {key: record[key] for key in ("file", "image", "frame", "face") if record.get(key) is not None}
    return NarratedFace(source, Facts(tuple(states.values()), lines))


def _measured(record: Mapping[str, Any], states: Mapping[int, AUState]) -> Iterator[str]:
    """Yield the measurements of the active AUs that a row of a table holds, those outside the resting range first."""
    for au_id in (state.au_id for state in states.values() if state.active):
        found = [
            Measurement(definition, value, *(_value(record, f"{definition.name}_{side}") for side in ("left", "right")))
            for definition in definitions_of_au(au_id)
            if (value := _value(record, definition.name)) is not None
        ]
        telling = sorted(found, key=lambda each: each.differs is None)[:MOST_MEASUREMENTS]
        yield from (f"AU {au_id} is seen in: {each.text}" for each in telling)


def _value(record: Mapping[str, Any], name: str) -> float | None:
    """Return a number of a row; None for an empty cell."""
    value = record.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}, expected a number")
    return float(value)


def _event_state(row: Mapping[str, str]) -> AUState:
    au_id = int(row["au"])
    if au_id not in all_au_ids():
        raise ValueError(f"AU {au_id} is unknown")
    level = row.get("peak_intensity")
    return predicted_state(au_id, True, float(level) if level else None)


def _event_line(row: Mapping[str, str]) -> str:
    onset, offset, apex = (clock(float(row[key])) for key in ("onset_s", "offset_s", "apex_s"))
    return f"AU {row['au']} acts from {onset} to {offset}, strongest at {apex}"


def as_json(face: NarratedFace, narrative: Narrative) -> str:
    """Return a face and its narrative as one line of JSON."""
    struck = [{"sentence": each.sentence, "reason": each.reason} for each in narrative.struck]
    return json.dumps(
        {
            **face.source,
            "text": narrative.text,
            "struck": struck,
            "missing": list(narrative.missing),
            "is_own": narrative.is_own,
        },
        ensure_ascii=False,
    )
