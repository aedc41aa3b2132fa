"""Events as an ELAN file: one tier per face and AU, linked to the video.

ELAN (Max Planck Institute for Psycholinguistics) annotates recordings on tiers. The file follows its format EAF 3.0.
"""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from vlfau.facs import INTENSITY_LETTERS, action_unit, intensity_letter
from vlfau.files.atomic import replacing
from vlfau.video.events import Event

__all__ = ["write_elan"]

_TYPE = "action unit"


def write_elan(
    path: Path, events: Iterable[Event], *, video: Path, au_ids: Sequence[int], face_ids: Iterable[int]
) -> None:
    """Write events to an .eaf file, whole or not at all.

    An annotation covers its event from onset to offset. Its text is the intensity at the apex as a letter, A to E, or
    the probability where the model gives no intensity. Every AU has a tier for each face, also without an event.

    Args:
        path: The file.
        events: The events of any faces.
        video: The video, which ELAN opens beside the annotations.
        au_ids: FACS numbers of the tiers.
        face_ids: The faces.

    Raises:
        OutputError: The file cannot be written.
    """
    document = ET.Element("ANNOTATION_DOCUMENT", AUTHOR="vlfau", DATE=_now(), FORMAT="3.0", VERSION="3.0")
    header = ET.SubElement(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    media = {"MEDIA_URL": video.absolute().as_uri(), "MIME_TYPE": _mime_type(video)}
    relative = _relative(video, path.parent)
    ET.SubElement(header, "MEDIA_DESCRIPTOR", media | ({"RELATIVE_MEDIA_URL": relative} if relative else {}))
    order = ET.SubElement(document, "TIME_ORDER")
    by_tier: dict[tuple[int, int], list[Event]] = {(face, au): [] for face in sorted(face_ids) for au in sorted(au_ids)}
    for event in events:
        by_tier.setdefault((event.face_id, event.au_id), []).append(event)
    count = 0
    for (face_id, au_id), own in by_tier.items():
        name = f"face {face_id} AU{au_id} {action_unit(au_id).name}"
        tier = ET.SubElement(document, "TIER", LINGUISTIC_TYPE_REF=_TYPE, TIER_ID=name, PARTICIPANT=f"face {face_id}")
        for event in own:
            count += 1
            slots = []
            for which, time_s in enumerate((event.onset_s, event.offset_s), start=2 * count - 1):
                slots.append(f"ts{which}")
                ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{which}", TIME_VALUE=str(round(1000 * time_s)))
            references = {"ANNOTATION_ID": f"a{count}", "TIME_SLOT_REF1": slots[0], "TIME_SLOT_REF2": slots[1]}
            annotation = ET.SubElement(ET.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", references)
            ET.SubElement(annotation, "ANNOTATION_VALUE").text = _value(event)
    kind = {"LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    ET.SubElement(document, "LINGUISTIC_TYPE", kind)
    ET.indent(document)
    with replacing(path) as temporary:
        ET.ElementTree(document).write(temporary, encoding="utf-8", xml_declaration=True)


def _value(event: Event) -> str:
    if event.peak_intensity is None:
        return f"{event.peak_prob:.2f}"
    return intensity_letter(min(max(round(event.peak_intensity), 1), len(INTENSITY_LETTERS)))


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def _mime_type(video: Path) -> str:
    return {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime"}.get(video.suffix.lower(), "video/*")


def _relative(video: Path, folder: Path) -> str | None:
    """Return the path of a video from a folder, as ELAN writes it; None if they are on different drives."""
    try:
        return f"./{Path(os.path.relpath(video, folder)).as_posix()}"
    except ValueError:
        return None
