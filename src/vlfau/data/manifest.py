"""The manifest: the table of frames into which every data set is converted.

A CSV file, UTF-8, with a header and one row per frame:

=================  =========================================================================
column             meaning
=================  =========================================================================
image              path of an aligned face, relative to the manifest's folder
subject            name of the person
fold               the fold (1, 2, 3, ...) that tests this subject; may be absent or empty
gender             F, M or empty; may be absent
clip               name of the clip that the frame is part of, unique for its subject; frames of a clip are in
                   order; may be absent or empty
occurrence_from    the intensity from which an AU counts as present: 1 (A) or 2 (B); empty means 1; may be
                   absent. With 2, an absent AU without an intensity may show a trace
AU12               1 present, 0 absent, empty unknown; one such column per AU
AU12_intensity     0 to 5 (A = 1 to E = 5), empty unknown; optional
AU12_side          left, right or both (the subject's own), empty unknown; optional
landmark_33_x      where landmark 33 of FaceMesh lies in the picture, in pixels from the middle of its
                   upper left one; with landmark_33_y; empty unknown; optional
=================  =========================================================================

Other columns are ignored, unless they start with "AU" and are none of these.
"""

import csv
import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError, ManifestError
from vlfau.faces.pose import NUM_LANDMARKS
from vlfau.facs import AUState, Side, action_unit
from vlfau.files.names import some_names
from vlfau.language import Gender

__all__ = ["Frame", "Manifest", "Split", "manifest_digest", "read_manifest"]

AU_COLUMN = re.compile(r"AU(?P<number>\d{1,4})(?:_(?P<detail>intensity|side))?")
LANDMARK_COLUMN = re.compile(r"landmark_(?P<number>0|[1-9]\d{0,2})_[xy]")
TRACE = 1
"""The intensity A."""
GENDERS: Mapping[str, Gender | None] = {"": None, "F": Gender.WOMAN, "M": Gender.MAN}


@dataclass(frozen=True, slots=True)
class Frame:
    """One aligned face and its labels.

    Attributes:
        image: Path of the picture.
        subject_id: Name of the person.
        fold: The fold that tests the subject, or None.
        gender: As the data state it, or None.
        states: One per AU in the manifest's order; None without annotation.
        intensities: As written, 0 to 5, also below the level from which an AU counts as present; None where unknown.
        landmarks_xy: (K, 2), in the manifest's order and in pixels of the picture; NaN where unknown.
        clip: The clip that it is part of; empty for a single picture.
    """

    image: Path
    subject_id: str
    fold: int | None
    gender: Gender | None
    states: tuple[AUState | None, ...]
    intensities: tuple[int | None, ...] = ()
    landmarks_xy: tuple[tuple[float, float], ...] = ()
    clip: str = ""

    @property
    def can_be_described(self) -> bool:
        """Whether the face can be described: some AU is known to act, or all are known not to."""
        return any(state is not None and state.active for state in self.states) or None not in self.states


@dataclass(frozen=True)
class Manifest:
    """All frames of a data set.

    Attributes:
        path: The file they came from.
        au_ids: (N,), the AUs in the order of every frame's states.
        frames: The frames in the file's order.
        landmark_ids: (K,), FaceMesh's numbers of the landmarks in the order of every frame's.
    """

    path: Path
    au_ids: tuple[int, ...]
    frames: tuple[Frame, ...]
    landmark_ids: tuple[int, ...] = ()

    def split(self, fold: int | None) -> "Split":
        """Split by subject into the training and the test frames of a fold.

        Args:
            fold: The fold to test; None trains and tests on everything.

        Raises:
            ManifestError: No frame, or every frame, belongs to the fold.
        """
        if fold is None:
            return Split(self, self)
        test = tuple(frame for frame in self.frames if frame.fold == fold)
        train = tuple(frame for frame in self.frames if frame.fold != fold)
        if not test or not train:
            folds = sorted({frame.fold for frame in self.frames if frame.fold is not None})
            raise ManifestError(
                f"{self.path} can't be split at fold {fold}: {len(test)} frames test and {len(train)} train; its "
                f"'fold' column holds {folds or 'nothing'}, choose one of several"
            )
        return Split(replace(self, frames=train), replace(self, frames=test))

    def rates(self) -> NDArray[np.float64]:
        """Return the occurrence rate of every AU among its annotated frames, (N,); NaN without any."""
        known = np.array([[state is not None for state in frame.states] for frame in self.frames])
        active = np.array([[state is not None and state.active for state in frame.states] for frame in self.frames])
        counts = known.sum(0)
        rates = np.full(len(self.au_ids), np.nan)
        np.divide(active.sum(0), counts, out=rates, where=counts > 0)
        return rates


class Split(NamedTuple):
    """Two parts of a manifest.

    Attributes:
        train: The frames that train.
        test: The frames that test, or choose the epoch.
    """

    train: Manifest
    test: Manifest


def read_manifest(path: Path, au_ids: Sequence[int] | None = None, *, pictures: bool = True) -> Manifest:
    """Read and check a manifest.

    Args:
        path: The CSV file.
        au_ids: The AUs wanted, in order; None takes all that the file has.
        pictures: Whether the pictures must exist.

    Raises:
        ManifestError: A column, label, fold or picture is missing or wrong. The message names the file, the
            line and the remedy.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            columns = list(reader.fieldnames or [])
            chosen = _check_columns(path, columns, au_ids)
            landmark_ids = _check_landmarks(path, columns)
            frames = tuple(
                _Row(path, reader.line_num, row).frame(chosen, landmark_ids, pictures=pictures) for row in reader
            )
    except OSError as error:
        raise ManifestError(
            f"manifest {path} can't be opened ({error.strerror}); check the path, or make the data set with "
            "`vlfau prepare` or `vlfau synth`"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"manifest {path} is not a UTF-8 CSV file ({error}); export it as one") from error
    if not frames:
        raise ManifestError(f"manifest {path} has a header and no frames; add one row per frame")
    _check_folds(path, frames)
    return Manifest(path, chosen, frames, landmark_ids)


def _check_columns(path: Path, columns: Sequence[str], au_ids: Sequence[int] | None) -> tuple[int, ...]:
    found: list[int] = []
    for column in columns:
        if not column.startswith("AU"):
            continue
        match = AU_COLUMN.fullmatch(column)
        try:
            number = action_unit(int(match["number"])).number if match else None
        except ConfigError:
            number = None
        if match is None or number is None:
            raise ManifestError(
                f"manifest {path} has a column '{column}', which names no AU of the catalogue; use AU12, "
                "AU12_intensity, AU12_side and the like, or rename it"
            )
        if match["detail"] is None:
            found.append(number)
    missing = [name for name in ("image", "subject") if name not in columns]
    missing += [f"AU{number}" for number in au_ids or () if number not in found]
    if missing or not found:
        raise ManifestError(
            f"manifest {path} lacks the column {', '.join(missing) or 'AU...'}; it has {some_names(columns)}"
        )
    return tuple(au_ids or found)


def _check_landmarks(path: Path, columns: Sequence[str]) -> tuple[int, ...]:
    numbers = {int(match["number"]) for column in columns if (match := LANDMARK_COLUMN.fullmatch(column))}
    for number in numbers:
        if number >= NUM_LANDMARKS:
            raise ManifestError(
                f"manifest {path} has columns of landmark {number}; FaceMesh's landmarks are 0 to {NUM_LANDMARKS - 1}, "
                "correct or rename them"
            )
        for axis in "xy":
            if f"landmark_{number}_{axis}" not in columns:
                raise ManifestError(
                    f"manifest {path} has one column of landmark {number} and lacks landmark_{number}_{axis}; add it, "
                    "or leave both out"
                )
    return tuple(sorted(numbers))


def _check_folds(path: Path, frames: Sequence[Frame]) -> None:
    folds: dict[str | Path, int | None] = {}
    for frame in frames:
        for name, what in ((frame.subject_id, "subject"), (frame.image, "picture")):
            if folds.setdefault(name, frame.fold) != frame.fold:
                raise ManifestError(
                    f"manifest {path} has {what} '{name}' in the folds {folds[name]} and {frame.fold}; folds exclude "
                    f"each other by subject, give all frames of a {what} one fold"
                )


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a manifest, for messages about what is wrong with it."""

    path: Path
    line: int
    cells: Mapping[str, str | None]

    def frame(self, au_ids: Sequence[int], landmark_ids: Sequence[int], *, pictures: bool) -> Frame:
        image = self.path.parent / self._cell("image")
        if not self._cell("image") or (pictures and not image.is_file()):
            raise self._error("image", "the path of a picture that exists, relative to the manifest")
        if not self._cell("subject"):
            raise self._error("subject", "the name of a person")
        fold = self._cell("fold")
        if fold and not (fold.isdecimal() and len(fold) < 10 and int(fold) >= 1):
            raise self._error("fold", "1, 2, 3, ... or nothing")
        if self._cell("gender") not in GENDERS:
            raise self._error("gender", "F, M or nothing")
        if self._cell("occurrence_from") not in {"", "1", "2"}:
            raise self._error("occurrence_from", "1 (A), 2 (B) or nothing")
        return Frame(
            image=image,
            subject_id=self._cell("subject"),
            fold=int(fold) if fold else None,
            gender=GENDERS[self._cell("gender")],
            states=tuple(self._state(au_id) for au_id in au_ids),
            intensities=tuple(self._intensity(f"AU{au_id}_intensity") for au_id in au_ids),
            landmarks_xy=tuple(
                (self._place(f"landmark_{number}_x"), self._place(f"landmark_{number}_y")) for number in landmark_ids
            ),
            clip=self._cell("clip"),
        )

    def _place(self, column: str) -> float:
        cell = self._cell(column)
        try:
            value = float(cell) if cell else math.nan
        except ValueError:
            value = math.inf
        if math.isinf(value):
            raise self._error(column, "a position in pixels, or nothing")
        return value

    def _state(self, au_id: int) -> AUState | None:
        column = f"AU{au_id}"
        occurrence = self._cell(column)
        if occurrence == "":
            return None
        if occurrence not in {"0", "1"}:
            raise self._error(column, "1 (present), 0 (absent) or an empty cell (unknown, such as code 9)")
        intensity = self._intensity(f"{column}_intensity")
        side = self._side(f"{column}_side", au_id)
        if occurrence == "0":
            return AUState(au_id, active=False, trace=self._shows_trace(f"{column}_intensity", intensity))
        return AUState(au_id, active=True, intensity=max(intensity, 1) if intensity is not None else None, side=side)

    def _shows_trace(self, column: str, intensity: int | None) -> bool:
        """Return whether an absent AU may show a trace."""
        if intensity is not None and float(self._cell(column)) >= TRACE + 1:
            raise self._error(column, "less than 2 (B), for the AU is absent; no text is true of it at B or more")
        return self._cell("occurrence_from") == "2" if intensity is None else intensity >= TRACE

    def _intensity(self, column: str) -> int | None:
        cell = self._cell(column)
        try:
            value = float(cell) if cell else None
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value <= 5:
            raise self._error(column, "a number from 0 to 5, or nothing")
        return round(value) if value is not None else None

    def _side(self, column: str, au_id: int) -> Side | None:
        cell = self._cell(column)
        if cell == "":
            return None
        if cell not in set(Side):
            raise self._error(column, "left, right, both or nothing")
        if not action_unit(au_id).sided:
            raise self._error(column, "nothing, for this AU has no side")
        return Side(cell)

    def _cell(self, column: str) -> str:
        return (self.cells.get(column) or "").strip()

    def _error(self, column: str, expected: str) -> ManifestError:
        return ManifestError(
            f"manifest {self.path}, line {self.line}, column '{column}': expected {expected}, found "
            f"'{self._cell(column)}'; correct the line"
        )


def manifest_digest(manifest: Manifest) -> str:
    """Return a digest of a manifest's AUs and frames: pictures' names, people, folds, labels, landmarks, in order.

    Files that are the same to training have the same digest, whatever their folder and their other columns.
    The content of the pictures is not read.
    """
    folder = f"{manifest.path.parent}{os.sep}"
    digest = hashlib.sha256(repr((manifest.au_ids, manifest.landmark_ids)).encode())
    for frame in manifest.frames:
        image = str(frame.image).removeprefix(folder).replace(os.sep, "/")
        states = [
            state and (state.active, state.intensity, state.side and str(state.side), state.trace)
            for state in frame.states
        ]
        read = (image, frame.subject_id, frame.fold, frame.gender and str(frame.gender), states, frame.intensities)
        digest.update(repr(read).encode("utf-8", "surrogateescape"))
        digest.update(np.array(frame.landmarks_xy, np.float64).tobytes())
    return digest.hexdigest()[:16]
