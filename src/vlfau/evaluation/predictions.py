"""The predictions of a network for every frame of a manifest, stored so that scores and figures need no network.

Dimensions: F frames, N AUs, d channels, H x W locations.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import InputError
from vlfau.facs import AUState, check_au_ids, predicted_state
from vlfau.files.atomic import replacing
from vlfau.files.records import parse_json
from vlfau.language import Descriptions
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE, read_descriptions, write_descriptions

__all__ = ["PREDICTIONS_FILE", "UNKNOWN", "Predictions"]

PREDICTIONS_FILE = "answers.npz"
_CAPTIONS_FILE = "captions.jsonl"
UNKNOWN = -1
"""The occurrence of an AU without annotation."""

_NAMES = ("au_ids", "images", "subject_ids", "genders", "folds")
_ARRAYS = {"au_probs": 2, "occurrence": 2, "au_features": 3, "attention_maps": 4}
_INTENSITIES = ("au_intensities", "intensity")
"""Arrays of rank 2 that are absent for networks without intensities."""
_CAPTIONS = {"local_captions": "local", "global_captions": "global", "consistent_captions": "consistent"}


@dataclass(frozen=True, eq=False)
class Predictions:
    """A network's predictions, with the labels of the frames.

    Captions are None if the network generates none. Frames that were not captioned have empty ones; see `described`.

    Attributes:
        au_ids: (N,), FACS numbers.
        images: (F,), the pictures' paths relative to the manifest's folder.
        subject_ids: (F,), names of the people.
        genders: (F,), "F", "M" or "" for unknown.
        folds: (F,), the fold in which the frame was tested; 0 if the data have no folds.
        au_probs: (F, N), probabilities.
        occurrence: (F, N), 1 present, 0 absent, -1 unknown.
        au_features: (F, N, d), the branches' refined features, averaged over the locations.
        attention_maps: (F, N, H, W), the branches' spatial attention.
        local_captions: (F, N), found by beam search.
        global_captions: (F,), found by beam search.
        consistent_captions: (F, N), texts chosen among those that agree with the predicted states and degrees.
        au_intensities: (F, N), predicted, 0 to 5; None if the network predicts none.
        intensity: (F, N), annotated, 0 to 5, NaN where unknown; None if the network predicts none.
        descriptions: The descriptions that the network was trained on, for parsing its captions; None means the
            package's own.
    """

    au_ids: tuple[int, ...]
    images: tuple[str, ...]
    subject_ids: tuple[str, ...]
    genders: tuple[str, ...]
    folds: tuple[int, ...]
    au_probs: NDArray[np.float32]
    occurrence: NDArray[np.int8]
    au_features: NDArray[np.float16]
    attention_maps: NDArray[np.float16]
    local_captions: tuple[tuple[str, ...], ...] | None
    global_captions: tuple[str, ...] | None
    consistent_captions: tuple[tuple[str, ...], ...] | None
    au_intensities: NDArray[np.float32] | None = None
    intensity: NDArray[np.float32] | None = None
    descriptions: Descriptions | None = None

    def __post_init__(self) -> None:
        check_au_ids(self.au_ids)
        frames, aus = len(self.images), len(self.au_ids)
        for name, rank in (_ARRAYS | dict.fromkeys(self._intensities(), 2)).items():
            array = getattr(self, name)
            if array.ndim != rank or array.shape[:2] != (frames, aus):
                raise ValueError(f"{name} has the shape {array.shape}, not ({frames}, {aus}, ...) of rank {rank}")
        for name in (*_NAMES[1:], *_CAPTIONS):
            values = getattr(self, name)
            if values is not None and len(values) != frames:
                raise ValueError(f"{name} has {len(values)} entries for {frames} frames")
        for captions in (self.local_captions, self.consistent_captions):
            if captions is not None and any(len(each) != aus for each in captions):
                raise ValueError(f"the captions of a frame are not {aus}, one per AU")

    def __len__(self) -> int:
        """Return F, the number of frames."""
        return len(self.images)

    def states(self, indices: Sequence[int], active: NDArray[np.bool_]) -> list[tuple[AUState, ...]]:
        """Return the predicted states of some frames, N for each; `active` (F, N) says which AUs are."""
        levels = None if self.au_intensities is None else self.au_intensities.tolist()
        return [
            tuple(
                predicted_state(au_id, bool(active[frame, column]), None if levels is None else levels[frame][column])
                for column, au_id in enumerate(self.au_ids)
            )
            for frame in indices
        ]

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> "Predictions":
        """Return the predictions for some frames, in the order given."""
        index = np.asarray(indices, np.int64)
        changes: dict[str, Any] = {name: getattr(self, name)[index] for name in (*_ARRAYS, *self._intensities())}
        for name in (*_NAMES[1:], *_CAPTIONS):
            values = getattr(self, name)
            changes[name] = None if values is None else tuple(values[frame] for frame in index.tolist())
        return replace(self, **changes)

    def described(self) -> "Predictions":
        """Return the predictions for the captioned frames; all frames if the network generates no captions."""
        captions = [values for name in _CAPTIONS if (values := getattr(self, name)) is not None]
        if not captions:
            return self
        return self.take([frame for frame, words in enumerate(zip(*captions, strict=True)) if any(map(any, words))])

    def save(self, folder: Path) -> None:
        """Write `answers.npz` and, where there are captions, `captions.jsonl`: one line per frame.

        Captions come with the descriptions for parsing them, `descriptions.json`.

        Raises:
            InputError: A file cannot be written.
        """
        with replacing(folder / PREDICTIONS_FILE) as temporary, temporary.open("wb") as file:
            arrays: dict[str, Any] = {
                name: np.array(getattr(self, name)) for name in (*_NAMES, *_ARRAYS, *self._intensities())
            }
            np.savez_compressed(file, **arrays)
        captions = {key: values for name, key in _CAPTIONS.items() if (values := getattr(self, name)) is not None}
        if not captions or self.descriptions is None:
            (folder / DESCRIPTIONS_FILE).unlink(missing_ok=True)
        if not captions:
            (folder / _CAPTIONS_FILE).unlink(missing_ok=True)
            return
        if self.descriptions is not None:
            write_descriptions(folder / DESCRIPTIONS_FILE, self.descriptions)
        with replacing(folder / _CAPTIONS_FILE) as temporary, temporary.open("w", encoding="utf-8") as lines:
            for frame, image in enumerate(self.images):
                line = {"image": image} | {key: self._named(values[frame]) for key, values in captions.items()}
                lines.write(json.dumps(line) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Predictions":
        """Read what `save` wrote.

        Raises:
            InputError: A file is missing or damaged.
        """
        path = folder / PREDICTIONS_FILE
        try:
            # NumPy does not close a damaged file that it opened itself.
            with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
                known: dict[str, Any] = {name: tuple(file[name].tolist()) for name in _NAMES}
                known |= {name: file[name] for name in (*_ARRAYS, *(name for name in _INTENSITIES if name in file))}
            captions = _read_captions(folder / _CAPTIONS_FILE, known["images"], known["au_ids"])
            carried = folder / DESCRIPTIONS_FILE
            descriptions = read_descriptions(carried) if captions and carried.is_file() else None
            return cls(**known, **captions, descriptions=descriptions)
        except FileNotFoundError:
            raise InputError(f"{folder} holds no {PREDICTIONS_FILE}; run `vlfau evaluate` into it first") from None
        except Exception as error:  # Readers of damaged archives and arrays may raise almost any error.
            raise InputError(
                f"the predictions in {folder} are damaged ({error}); run `vlfau evaluate` again"
            ) from error

    @classmethod
    def joined(cls, parts: Sequence["Predictions"]) -> "Predictions":
        """Return the predictions of several sets of frames as one, in the order given.

        Raises:
            InputError: The parts have different AUs or networks.
        """
        first = parts[0]
        for part in parts:
            if part._kind() != first._kind():
                raise InputError(
                    f"predictions of the AUs {list(first.au_ids)} and {list(part.au_ids)} of different networks can't "
                    "be joined; evaluate all folds with one configuration"
                )
        joined: dict[str, Any] = {"au_ids": first.au_ids, "descriptions": first.descriptions}
        for name in (*_NAMES[1:], *_CAPTIONS):
            values = [getattr(part, name) for part in parts]
            joined[name] = None if values[0] is None else tuple(entry for each in values for entry in each)
        for name in (*_ARRAYS, *first._intensities()):
            joined[name] = np.concatenate([getattr(part, name) for part in parts])
        return cls(**joined)

    def _kind(self) -> tuple[object, ...]:
        captions = tuple(getattr(self, name) is not None for name in _CAPTIONS)
        shapes = self.au_features.shape[1:], self.attention_maps.shape[1:]
        return self.au_ids, shapes, captions, self._intensities(), self.descriptions

    def _intensities(self) -> tuple[str, ...]:
        return tuple(name for name in _INTENSITIES if getattr(self, name) is not None)

    def _named(self, words: str | tuple[str, ...]) -> str | dict[str, str]:
        return words if isinstance(words, str) else dict(zip(map(str, self.au_ids), words, strict=True))


def _read_captions(path: Path, images: Sequence[str], au_ids: Sequence[int]) -> dict[str, Any]:
    captions: dict[str, Any] = dict.fromkeys(_CAPTIONS)
    if not path.is_file():
        return captions
    lines = [parse_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if [line["image"] for line in lines] != list(images):
        raise ValueError(f"{_CAPTIONS_FILE} is of other frames than {PREDICTIONS_FILE}")
    for name, key in _CAPTIONS.items():
        if lines and key in lines[0]:
            captions[name] = tuple(_ordered(line[key], au_ids) for line in lines)
    return captions


def _ordered(words: str | dict[str, str], au_ids: Sequence[int]) -> str | tuple[str, ...]:
    return words if isinstance(words, str) else tuple(words[str(au_id)] for au_id in au_ids)
