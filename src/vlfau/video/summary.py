"""A video in plain words: when each face was seen, and what it did.

    0:12.0, 360 frames, 1 face
    face 1  seen from 0:00.0 to 0:12.0  acts: AU 1 7 %, AU 2 7 %, AU 12 31 % of the time

    0:03.2 to 0:04.0  face 1  raises the inner and outer brows (AU 1C, 2B), strongest at 0:03.6
    0:08.3 to 0:12.0  face 1  pulls the lip corners up (AU 12D), strongest at 0:09.1, still so when last seen

The letter after an AU is its intensity at the apex, from A to E, if the model gives intensities. The verb phrases
are those of the descriptions that the model learned.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from vlfau.facs import AUState, intensity_letter, intensity_level
from vlfau.language import Descriptions
from vlfau.language.grammar import global_phrases
from vlfau.video.events import Event
from vlfau.video.tracks import Track

__all__ = ["clock", "event_lines", "summary"]

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
        A head line, one line per face with the share of its time for which each AU was active, and the lines of
        `event_lines`; each line ends with a line feed.
    """
    times = [time_s for track in tracks for time_s in track.time_s.tolist()]
    span_s = max(times) - min(times) if times else 0.0
    frames = len(set(times)) if frames is None else frames
    head = ", ".join(
        (clock(span_s if duration_s is None else duration_s), _count(frames, "frame"), _count(len(tracks), "face"))
    )
    lines = event_lines(events, descriptions=descriptions)
    return "\n".join([head, *map(_face_line, tracks), *(["", *lines] if lines else []), ""])


def event_lines(
    events: Iterable[Event], *, overlap: float = 0.6, descriptions: Descriptions | None = None
) -> list[str]:
    """Describe events in words, with one line for each event or group of overlapping events of a face.

    Args:
        events: The events of any faces, in any order.
        overlap: Events of a face share a line if any two of them overlap for at least this share of the time that
            both cover.
        descriptions: The model's texts; None means the package's own.

    Returns:
        The lines, by face and then by onset.
    """
    ordered = sorted(events, key=lambda event: (event.face_id, event.onset_s, event.au_id))
    return [_group_line(group, descriptions) for group in _groups(ordered, overlap)]


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
    shares = zip(track.au_ids, track.active_share.tolist(), strict=True)
    acts = [f"AU {au_id} {share:.0%}".replace("%", " %") for au_id, share in sorted(shares) if share >= _MIN_SHARE]
    seen = f"face {track.face_id}  seen from {clock(track.time_s[0])} to {clock(track.time_s[-1])}"
    return f"{seen}  acts: {', '.join(acts)} of the time" if acts else f"{seen}  at rest"


def _groups(ordered: Iterable[Event], overlap: float) -> list[list[Event]]:
    groups: list[list[Event]] = []
    ongoing: list[list[Event]] = []
    for event in ordered:
        # Only groups that have not ended can overlap with this event or a later one.
        ongoing = [group for group in ongoing if group[0].face_id == event.face_id and _end(group) >= event.onset_s]
        group = next((group for group in ongoing if all(_shared(event, one) >= overlap for one in group)), None)
        if group is None:
            groups.append(group := [])
            ongoing.append(group)
        group.append(event)
    return groups


def _end(group: Iterable[Event]) -> float:
    return max(event.offset_s for event in group)


def _shared(one: Event, other: Event) -> float:
    """Return the overlap of two events as a share of the time that both cover."""
    covered = max(one.offset_s, other.offset_s) - min(one.onset_s, other.onset_s)
    return (min(one.offset_s, other.offset_s) - max(one.onset_s, other.onset_s)) / covered if covered else 1.0


def _group_line(group: Sequence[Event], descriptions: Descriptions | None) -> str:
    by_au = sorted(group, key=lambda event: event.au_id)
    phrases = _merged(global_phrases(AUState(event.au_id, active=True), descriptions)[0] for event in by_au)
    first = min(group, key=lambda event: event.onset_s)
    last = max(group, key=lambda event: event.offset_s)
    strongest = max(group, key=lambda event: (event.peak_intensity or 0.0, event.peak_prob))
    return "".join(
        (
            f"{clock(first.onset_s)} to {clock(last.offset_s)}  face {first.face_id}  {_enumerated(phrases)} ",
            f"(AU {', '.join(map(_code, by_au))}), strongest at {clock(strongest.apex_s)}",
            ", already so when first seen" if first.open_start else "",
            ", still so when last seen" if last.open_end else "",
        )
    )


def _code(event: Event) -> str:
    if event.peak_intensity is None:
        return str(event.au_id)
    # An active AU has at least an A, however low its intensity.
    return f"{event.au_id}{intensity_letter(max(intensity_level(event.peak_intensity), 1))}"


def _merged(phrases: Iterable[str]) -> list[str]:
    """Merge phrases that differ in one word before the last: "raises the inner and outer brows"."""
    merged: list[list[str]] = []
    for words in map(str.split, phrases):
        for index, other in enumerate(merged):
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
