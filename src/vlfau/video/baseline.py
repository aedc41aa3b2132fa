"""A person's own neutral face as the zero point.

Neutral faces differ: a low brow looks like AU 4, a drooping mouth like AU 15. A baseline holds the level at which each
AU of one person rests, and shifts it to where the model's scores usually rest. In logits, for the probability p of an
AU with the threshold t:

    logit(p') = logit(p) - shift

    shift = max(0, rest - logit(t) + ln 4)      only down, and only if the odds at rest are above a quarter of the odds
                                                at the threshold (p = 0.2 for t = 0.5)

so a person with a usual neutral face is left unchanged, and the order of one person's frames never changes. An
intensity i that rests at r is rescaled from the range between rest and maximum, since FACS scores the change from the
neutral face; a resting intensity of up to half a trace (0.5) counts as none:

    i' = 5 max(0, i - s) / (5 - s),   s = max(0, r - 0.5)

The resting level is the mean logit (and intensity) of faces that are known to be neutral (`Baseline.from_faces`), or a
low quantile over the time of a clip (`Baseline.from_track`).

**When not to use `from_track`.** An AU that is active throughout a clip looks like rest, and one clip alone cannot tell
the two apart: someone who smiles throughout would lose the smile. The quantile is valid if the AU rests for at least
that share of the time. Two limits bound the harm: clips shorter than `min_s` are left unchanged, and no level is
shifted by more than `max_shift` logits, so that a clearly active AU stays active. To study lasting expressions, use
neutral faces instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError, InputError
from vlfau.facs import MAX_INTENSITY
from vlfau.inference.au_scores import logit, sigmoid
from vlfau.inference.results import AUResult, CropResult
from vlfau.language import Gender, face_note
from vlfau.language.grammar import restated
from vlfau.video.tracks import Track

__all__ = ["Baseline"]

FloatArray = NDArray[np.float64]
ResultT = TypeVar("ResultT", bound=CropResult)

_MARGIN: Final = float(np.log(4))
"""How far below its threshold an AU must rest to be left unshifted, in logits."""
_HALF_TRACE: Final = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Baseline:
    """How one person's neutral face differs from the usual one.

    Attributes:
        au_ids: (N,), FACS numbers.
        thresholds: (N,), the probability at which each AU counts as active.
        shifts: (N,), subtracted from each AU's logit.
        intensity_shifts: (N,), subtracted from its intensity before rescaling; None if the intensities are unknown.
    """

    au_ids: tuple[int, ...]
    thresholds: FloatArray
    shifts: FloatArray
    intensity_shifts: FloatArray | None

    @classmethod
    def from_faces(cls, faces: Iterable[CropResult], thresholds: Sequence[float]) -> Self:
        """Return the baseline of a person from faces that are known to be neutral, by their mean.

        Args:
            faces: Their results; at least one.
            thresholds: (N,), the model's.

        Raises:
            InputError: There is no face, or the faces differ in their AUs.
            ConfigError: A threshold is not between 0 and 1, or there is not one threshold per AU.
        """
        faces = list(faces)
        au_ids = faces[0].au_ids if faces else ()
        if not au_ids or any(face.au_ids != au_ids for face in faces):
            raise InputError("a baseline needs at least one neutral face, and the same AUs for each; give such faces")
        rest = logit(np.array([face.probs for face in faces])).mean(axis=0)
        intensities = np.array([face.intensities for face in faces]).mean(axis=0)  # NaN where one is not known
        intensity_rest = None if np.isnan(intensities).any() else intensities
        return cls._from_rest(au_ids, thresholds, rest, intensity_rest)

    @classmethod
    def from_track(
        cls,
        track: Track,
        thresholds: Sequence[float],
        *,
        quantile: float = 0.2,
        min_s: float = 10.0,
        max_shift: float = 3.0,
        max_intensity_shift: float = 2.0,
    ) -> Self:
        """Return the baseline of a person from a clip, by a low quantile over time; see above for when not to use it.

        Args:
            track: The person in the clip.
            thresholds: (N,), the model's.
            quantile: The share of the time, above 0 and below 1, in which every AU is assumed to rest.
            min_s: Minimum time for which the face must be seen, in seconds; with less, the baseline changes nothing.
            max_shift: Maximum shift of a logit.
            max_intensity_shift: Maximum shift of an intensity.

        Raises:
            ConfigError: A parameter is out of range, or there is not one threshold per AU.
        """
        if not 0 < quantile < 1 or min(min_s, max_shift, max_intensity_shift) < 0:
            raise ConfigError(
                f"quantile is {quantile}, min_s {min_s}, max_shift {max_shift}, "
                f"max_intensity_shift {max_intensity_shift}; give a quantile above 0 and below 1, and 0 or more for "
                "the others"
            )
        rest = _quantile_over_time(track, logit(track.probs), quantile)
        intensity_rest = None if track.intensities is None else _quantile_over_time(track, track.intensities, quantile)
        full = cls._from_rest(track.au_ids, thresholds, rest, intensity_rest)
        if track.frame_s.sum() < min_s:
            max_shift = max_intensity_shift = 0.0
        intensity_shifts = full.intensity_shifts
        return replace(
            full,
            shifts=full.shifts.clip(-max_shift, max_shift),
            intensity_shifts=None if intensity_shifts is None else intensity_shifts.clip(0, max_intensity_shift),
        )

    def apply(self, track: Track) -> Track:
        """Return the corrected track; the states are computed again.

        Raises:
            InputError: The track has other AUs.
        """
        self._check_au_ids(track.au_ids)
        probs = self._probs(track.probs).astype(np.float32)
        intensities = None if track.intensities is None else self._intensities(track.intensities).astype(np.float32)
        return replace(track, probs=probs, states=probs >= np.float32(self.thresholds), intensities=intensities)

    def correct(self, face: ResultT) -> ResultT:
        """Return the corrected result of a face; the states are computed again.

        Captions that say the predicted states, degrees and sides are changed to say the corrected ones. Others are
        dropped if they are about an AU whose state changes, and the global caption with them.

        Raises:
            InputError: The face has other AUs.
        """
        self._check_au_ids(face.au_ids)
        probs = self._probs(face.probs)
        states = probs >= self.thresholds
        # An unknown intensity stays unknown; 0 only stands in for it here.
        intensities = self._intensities(np.array([au.intensity or 0.0 for au in face.aus]))
        aus = tuple(
            replace(
                au,
                prob=float(prob),
                state=bool(state),
                intensity=None if au.intensity is None else float(intensity),
            )
            for au, prob, state, intensity in zip(face.aus, probs, states, intensities, strict=True)
        )
        told = tuple(replace(new, local_caption=_local(old, new)) for old, new in zip(face.aus, aus, strict=True))
        return replace(face, aus=told, global_caption=_global(face, aus))

    @classmethod
    def _from_rest(
        cls,
        au_ids: tuple[int, ...],
        thresholds: Sequence[float],
        rest: FloatArray,
        intensity_rest: FloatArray | None,
    ) -> Self:
        if len(thresholds) != len(au_ids):
            raise ConfigError(f"{len(thresholds)} thresholds for {len(au_ids)} AUs; give one per AU")
        for threshold in thresholds:
            if not 0 <= threshold <= 1:
                raise ConfigError(f"{threshold} is not a threshold; give numbers from 0 to 1")
        limits = np.array(thresholds, np.float64)
        shifts = np.maximum(0, rest - logit(limits) + _MARGIN)
        intensity_shifts = (
            None if intensity_rest is None else np.clip(intensity_rest, _HALF_TRACE, MAX_INTENSITY) - _HALF_TRACE
        )
        return cls(au_ids=au_ids, thresholds=limits, shifts=shifts, intensity_shifts=intensity_shifts)

    def _check_au_ids(self, au_ids: tuple[int, ...]) -> None:
        if au_ids != self.au_ids:
            raise InputError(
                f"the baseline has the AUs {list(self.au_ids)}, this face has {list(au_ids)}; use one model for both"
            )

    def _probs(self, probs: NDArray[np.floating]) -> FloatArray:
        """Shift (..., N) probabilities; those of an AU without a shift are returned unchanged."""
        shifted = sigmoid(logit(probs) - self.shifts)
        return np.where(self.shifts == 0, probs, shifted)

    def _intensities(self, intensities: NDArray[np.floating]) -> FloatArray:
        """Rescale (..., N) intensities from the range above the person's rest to the full range."""
        if self.intensity_shifts is None:
            return np.asarray(intensities, np.float64)
        left = np.maximum(0, intensities - self.intensity_shifts)
        return left * MAX_INTENSITY / (MAX_INTENSITY - self.intensity_shifts)


def _quantile_over_time(track: Track, values: NDArray[np.floating], quantile: float) -> FloatArray:
    """Return the quantile over time of (T, N) values, (N,), each frame weighted by its duration."""
    weights = track.frame_s if track.frame_s.any() else np.ones(len(values))
    order = values.argsort(axis=0, kind="stable")
    passed = np.cumsum(weights[order], axis=0) / weights.sum()
    row = (passed >= quantile).argmax(axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[row, columns], columns], np.float64)


def _local(old: AUResult, new: AUResult) -> str | None:
    """Return the caption of a corrected AU."""
    text = old.local_caption
    if text is not None and (other := restated(text, old.facs_state, new.facs_state)):
        return other
    return text if old.state == new.state else None


def _global(face: CropResult, aus: Sequence[AUResult]) -> str | None:
    """Return the caption of a face with corrected AUs."""
    before = [au.facs_state for au in face.aus]
    for gender in (None, *Gender):
        if face.global_caption == face_note(before, gender):
            return face_note([au.facs_state for au in aus], gender)
    return face.global_caption if all(new.state == old.state for new, old in zip(aus, face.aus, strict=True)) else None
