"""A data set in words: one JSON line per frame, with a text for every AU and one for the face.

This is the paper's extension of a data set by language (section 4.1). A line is

    {"image": "frames/1.jpg", "subject": "F001", "fold": 1, "gender": "F",
     "aus": {"12": {"active": true, "intensity": 3, "side": "both", "text": "..."}, "17": null},
     "global": "This woman ..."}

An inactive AU that may show a trace has "trace": true as well, and a text that says so. What nobody annotated is null,
and so is the global text of a frame without any annotation. No picture is opened, so descriptions can be made, shared
and checked where the faces may not go.
"""

import json
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from vlfau.data.manifest import Frame, Manifest
from vlfau.errors import ConfigError
from vlfau.facs import AUState
from vlfau.files.atomic import replacing
from vlfau.language import Gender, global_description, local_description

__all__ = ["describe", "image_name", "labels", "labels_of"]

GENDER_LETTERS: Final = {Gender.WOMAN: "F", Gender.MAN: "M"}


def describe(
    manifest: Manifest,
    output: Path,
    *,
    seed: int = 0,
    paraphrases: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the descriptions of every frame, whole or not at all.

    Args:
        manifest: The frames.
        output: The file, with the extension .jsonl by custom.
        seed: Seed of the choice among paraphrases. A frame's texts depend on it, on the image's path and on the frame's
            states alone.
        paraphrases: Whether texts are drawn among their paraphrases; off takes the canonical ones.
        progress: Called with the number of frames done and of all frames.

    Raises:
        ConfigError: The seed is negative, or the output is the manifest itself.
        InputError: The file can't be written.
    """
    if seed < 0:
        raise ConfigError(f"the seed must be 0 or more, not {seed}")
    if output.resolve() == manifest.path.resolve():
        raise ConfigError(f"{output} is the manifest itself; write the descriptions to another file")
    with replacing(output) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for done, frame in enumerate(manifest.frames, start=1):
            record = _described(manifest, frame, seed if paraphrases else None)
            file.write(f"{json.dumps(record, ensure_ascii=False)}\n")
            if progress is not None:
                progress(done, len(manifest.frames))


def labels(manifest: Manifest, frame: Frame) -> dict[str, Any]:
    """Return the fields of a frame's record other than its texts."""
    return {
        "image": image_name(manifest, frame),
        "subject": frame.subject_id,
        "fold": frame.fold,
        "gender": GENDER_LETTERS[frame.gender] if frame.gender is not None else None,
        "aus": {
            str(au_id): None if state is None else labels_of(state)
            for au_id, state in zip(manifest.au_ids, frame.states, strict=True)
        },
    }


def labels_of(state: AUState) -> dict[str, Any]:
    """Return the fields of an AU's entry other than its text."""
    entry = {"active": state.active, "intensity": state.intensity, "side": state.side}
    return {**entry, "trace": True} if state.trace else entry


def image_name(manifest: Manifest, frame: Frame) -> str:
    """Return the path of a picture as the manifest has it, with forward slashes."""
    folder = manifest.path.parent
    return (frame.image.relative_to(folder) if frame.image.is_relative_to(folder) else frame.image).as_posix()


def _described(manifest: Manifest, frame: Frame, seed: int | None) -> dict[str, Any]:
    """Return the record of a frame; without a seed its texts are the canonical ones."""
    record = labels(manifest, frame)
    rng = None if seed is None else _generator(seed, record["image"])
    known = [state for state in frame.states if state is not None]
    for state in known:
        record["aus"][str(state.au_id)]["text"] = local_description(state, rng)
    record["global"] = global_description(known, frame.gender, rng) if known else None
    return record


def _generator(seed: int, image: str) -> np.random.Generator:
    digest = blake2b(image.encode(), digest_size=16).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])
