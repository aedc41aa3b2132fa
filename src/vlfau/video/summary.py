"""A video in plain words: when each face was seen, and what it did.

    0:12.0, 360 frames, 1 face
    face 1  seen from 0:00.0 to 0:12.0  acts: Lip Corner Puller (AU 12) 31 %, Inner Brow Raiser (AU 1) 7 % of the time

    0:03.2 to 0:04.0  face 1  raises the inner and outer brows (AU 1C, 2B), strongest at 0:03.6
    0:08.3 to 0:12.0  face 1  pulls the lip corners up (AU 12D), strongest at 0:09.1, still so when last seen

    Letters give the greatest intensity: A trace, B slight, C marked, D severe, E maximum.

The letter after an AU is its intensity at the apex, from A to E, if the model gives intensities; a question mark says
that the AU could not be seen well enough. The verb phrases are those of the descriptions that the model learned.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from vlfau.facs import AUState, action_unit, intensity_letter, intensity_level
from vlfau.language import Descriptions
from vlfau.language.grammar import global_phrases
from vlfau.video.events import Event
from vlfau.video.tracks import Track

__all__ = ["DOUBTS", "LETTERS", "clock", "event_lines", "summary"]

LETTERS: Final = "Letters give the greatest intensity: A trace, B slight, C marked, D severe, E maximum."
DOUBTS: Final = "A question mark says that the AU could not be seen well enough (hidden, blurred, dark, small, turned)."
_SAME_S: Final = 0.3
"""Events share a line if they begin and end within this time of each other."""
_MIN_SHARE: Final = 0.005
"""Smaller shares round to 0 % and are left out."""


def summary(
    tracks: Sequence[Track],
    events: Iterable[Event],
    *,
    duration_s: float | None = None,
    frames: int | None = None,
    descriptions: Descriptions | None = None,
) -> str:
    """Summarise a video in lines of text.

    Args:
        tracks: The faces.
        events: Their events, from `find_events`.
        duration_s: The length of the video in seconds; None takes the span of the tracks.
        frames: Number of analysed frames; None counts those with a face.
        descriptions: The model's texts; None means the package's own.

    Returns:
        A head line, one line per face with the share of its time for which each AU was active, largest first, the lines
        of `event_lines`, and what their letters mean if there are any; each line ends with a line feed.
    """
    times = [time_s for track in tracks for time_s in track.time_s.tolist()]
    span_s = max(times) - min(times) if times else 0.0
    frames = len(set(times)) if frames is None else frames
    head = ", ".join(
        (clock(span_s if duration_s is None else duration_s), _count(frames, "frame"), _count(len(tracks), "face"))
    )
    events = list(events)
    lines = event_lines(events, descriptions=descriptions)
    note = [LETTERS] if any(event.peak_intensity is not None for event in events) else []
    note += [DOUBTS] if any(event.doubtful for event in events) else []
    parts = [[head, *map(_face_line, tracks)], lines, note]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def event_lines(
    events: Iterable[Event], *, within_s: float = _SAME_S, descriptions: Descriptions | None = None
) -> list[str]:
    """Describe events in words, with one line for each event or group of simultaneous events of a face.

    Where AUs of a line begin or end a little apart, each has its own interval after its number.

    Args:
        events: The events of any faces, in any order.
        within_s: Events of a face share a line if any two of them begin within this time of each other, and end so.
        descriptions: The model's texts; None means the package's own.

    Returns:
        The lines, by face and then by onset.
    """
    ordered = sorted(events, key=lambda event: (event.face_id, event.onset_s, event.au_id))
    return [_group_line(group, descriptions) for group in _groups(ordered, within_s)]


def clock(time_s: float) -> str:
    """Return a time to a tenth of a second, as a player shows it.

    >>> clock(63.25), clock(59.96), clock(3725.0)
    ('1:03.2', '1:00.0', '1:02:05.0')
    """
    minutes, tenths = divmod(round(time_s * 10), 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def _face_line(track: Track) -> str:
    shares = sorted(zip(track.au_ids, track.active_share.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    acts = [
        f"{action_unit(au_id).name} (AU {au_id}) {share:.0%}".replace("%", " %")
        for au_id, share in shares
        if share >= _MIN_SHARE
    ]
    seen = f"face {track.face_id}  seen from {clock(track.time_s[0])} to {clock(track.time_s[-1])}"
    return f"{seen}  acts: {', '.join(acts)} of the time" if acts else f"{seen}  at rest"


def _groups(ordered: Iterable[Event], within_s: float) -> list[list[Event]]:
    groups: list[list[Event]] = []
    for event in ordered:
        # In order of onset, only the latest groups of the face can begin at the same time.
        near = (
            group
            for group in reversed(groups)
            if group[0].face_id == event.face_id and all(_are_simultaneous(event, one, within_s) for one in group)
        )
        if (group := next(near, None)) is None:
            groups.append([event])
        else:
            group.append(event)
    return groups


def _are_simultaneous(one: Event, other: Event, within_s: float) -> bool:
    apart_s = max(abs(one.onset_s - other.onset_s), abs(one.offset_s - other.offset_s))
    shared_s = min(one.offset_s, other.offset_s) - max(one.onset_s, other.onset_s)
    return apart_s <= within_s and (shared_s > 0 or apart_s == 0)


def _group_line(group: Sequence[Event], descriptions: Descriptions | None) -> str:
    by_au = sorted(group, key=lambda event: event.au_id)
    phrases = _merged(global_phrases(AUState(event.au_id, active=True), descriptions)[0] for event in by_au)
    first = min(group, key=lambda event: event.onset_s)
    last = max(group, key=lambda event: event.offset_s)
    strongest = max(group, key=lambda event: (event.peak_intensity or 0.0, event.peak_prob))
    intervals = [_interval(event) for event in by_au]
    differ = len(set(intervals)) > 1
    codes = [f"{_code(event)} {own}" if differ else _code(event) for event, own in zip(by_au, intervals, strict=True)]
    return "".join(
        (
            f"{clock(first.onset_s)} to {clock(last.offset_s)}  face {first.face_id}  {_enumerated(phrases)} ",
            f"(AU {', '.join(codes)}), strongest at {clock(strongest.apex_s)}",
            ", already so when first seen" if first.open_start else "",
            ", still so when last seen" if last.open_end else "",
        )
    )


def _interval(event: Event) -> str:
    return f"{clock(event.onset_s)} to {clock(event.offset_s)}"


def _code(event: Event) -> str:
    doubt = "?" if event.doubtful else ""
    if event.peak_intensity is None:
        return f"{event.au_id}{doubt}"
    # An active AU has at least an A, however low its intensity.
    return f"{event.au_id}{intensity_letter(max(intensity_level(event.peak_intensity), 1))}{doubt}"


def _merged(phrases: Iterable[str]) -> list[str]:
    """Merge phrases that differ in one word before the last: "raises the inner and outer brows".

    Where one begins with the whole of another, the shorter stays: both hold if eyes close "in a blink", too.
    """
    merged: list[list[str]] = []
    for words in map(str.split, phrases):
        for index, other in enumerate(merged):
            shorter, longer = sorted((words, other), key=len)
            if longer[: len(shorter)] == shorter:
                merged[index] = shorter
                break
            differing = _differing(words, other)
            if len(differing) == 1 and differing[0] < len(words) - 1:
                column = differing[0]
                merged[index] = [*other[:column], other[column], "and", *words[column:]]
                break
        else:
            merged.append(words)
    return [" ".join(words) for words in merged]


def _differing(words: Sequence[str], other: Sequence[str]) -> list[int]:
    if len(words) != len(other):
        return []
    return [column for column, pair in enumerate(zip(words, other, strict=True)) if pair[0] != pair[1]]


def _enumerated(phrases: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(phrases[:-1]), phrases[-1])))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
