"""Each person's own neutral face as the zero point.

Faces at rest differ: a low brow looks as if AU 4 acted, a drooping mouth as if AU 15 did. A baseline knows at which
level an AU of one person rests, and shifts that level to where the model's answers usually rest. In logits, for the
probability p of an AU with the threshold t:

    logit(p') = logit(p) - shift

    shift = rest - logit(typical)               where the typical resting probability of the AU is given
    shift = max(0, rest - logit(t) + ln 4)      elsewhere: only down, and only a level whose odds are above a quarter of
                                                those of the threshold (p = 0.2 for t = 0.5)

so a person who rests as most do stays as they are, and the order of one person's frames never changes. An intensity i
that rests at r is measured anew on what is left between rest and maximum, since FACS scores the change from the neutral
face; a resting intensity up to half a trace (0.5) counts as none:

    i' = 5 max(0, i - s) / (5 - s),   s = max(0, r - 0.5)

The resting level is the mean logit (and intensity) of faces that are known to be neutral (`Baseline.from_faces`), or a
low quantile over the time of a clip (`Baseline.from_track`).

**When not to use `from_track`.** An AU that is active all the clip long looks like rest, and no arithmetic on one clip
can tell the two apart: who smiles through the whole clip would lose the smile. The quantile holds if the AU rests for
at least that share of the time. Two limits bound the harm: clips shorter than `min_s` change nothing, and no level is
shifted down by more than `most` logits, so that an AU that acts clearly all along stays active. Where a lasting
expression is what you look for, give neutral faces instead. A typical level corrects more, and for this reason also
harms more where AUs act most of the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError, InputError
from vlfau.facs import MAX_INTENSITY
from vlfau.inference.au_scores import logit, sigmoid
from vlfau.inference.results import CropResult
from vlfau.video.tracks import Track

__all__ = ["Baseline", "typical_rest"]

FloatArray = NDArray[np.float64]
ResultT = TypeVar("ResultT", bound=CropResult)

_MARGIN: Final = float(np.log(4))
"""How far below its threshold an AU may rest unshifted, in logits."""
_NO_INTENSITY: Final = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Baseline:
    """How one person's face at rest differs from most.

    Attributes:
        au_ids: (N,), FACS numbers.
        thresholds: (N,), the probability from which each AU counts as occurring.
        shifts: (N,), what is taken from each AU's logit.
        intensity_shifts: (N,), likewise from its intensity; None where the person's intensities are not known.
    """

    au_ids: tuple[int, ...]
    thresholds: FloatArray
    shifts: FloatArray
    intensity_shifts: FloatArray | None

    @classmethod
    def from_faces(
        cls, faces: Iterable[CropResult], thresholds: Sequence[float], *, typical: Mapping[int, float] | None = None
    ) -> Self:
        """Take the mean of faces of one person that are known to be neutral.

        Args:
            faces: What the model says of them, one at least.
            thresholds: (N,), the model's.
            typical: By AU, at which probability the neutral faces of most people rest.

        Raises:
            InputError: There is no face, or the faces differ in their AUs.
            ConfigError: A threshold or a typical probability is no probability, or not one threshold an AU came.
        """
        faces = list(faces)
        au_ids = faces[0].au_ids if faces else ()
        if not au_ids or any(face.au_ids != au_ids for face in faces):
            raise InputError("a baseline needs one neutral face at least, and the same AUs of each; give such faces")
        rest = logit(np.array([face.probs for face in faces])).mean(axis=0)
        intensities = np.array([face.intensities for face in faces]).mean(axis=0)  # NaN where one is not known
        intensity_rest = None if np.isnan(intensities).any() else intensities
        return cls._of(au_ids, thresholds, rest, intensity_rest, typical)

    @classmethod
    def from_track(
        cls,
        track: Track,
        thresholds: Sequence[float],
        *,
        quantile: float = 0.2,
        typical: Mapping[int, float] | None = None,
        min_s: float = 10.0,
        most: float = 3.0,
        max_intensity: float = 2.0,
    ) -> Self:
        """Take a low quantile over the time of a clip; the module's text says when not to.

        Args:
            track: The person in the clip.
            thresholds: (N,), the model's.
            quantile: The share of the time, above 0 and below 1, in which every AU is taken to rest.
            typical: By AU, at which probability most people rest by the same measure, as `typical_rest` gives it.
            min_s: A face that was seen for fewer seconds says too little: its baseline changes nothing.
            most: The most that is added to or taken from a logit.
            max_intensity: The most that is taken from an intensity.

        Raises:
            ConfigError: A parameter is out of range, or not one threshold an AU came.
        """
        if not 0 < quantile < 1 or min(min_s, most, max_intensity) < 0:
            raise ConfigError(
                f"quantile is {quantile}, min_s {min_s}, most {most}, max_intensity {max_intensity}; give a quantile "
                "above 0 and below 1, and 0 or more for the others"
            )
        rest = _low(track, logit(track.probs), quantile)
        intensity_rest = None if track.intensities is None else _low(track, track.intensities, quantile)
        full = cls._of(track.au_ids, thresholds, rest, intensity_rest, typical)
        if track.frame_s.sum() < min_s:
            most = max_intensity = 0.0
        strength_shifts = full.intensity_shifts
        return replace(
            full,
            shifts=full.shifts.clip(-most, most),
            intensity_shifts=None if strength_shifts is None else strength_shifts.clip(0, max_intensity),
        )

    def apply(self, track: Track) -> Track:
        """Return the track as if the person rested as most do; the states are decided anew.

        Raises:
            InputError: The track has other AUs.
        """
        self._check_au_ids(track.au_ids)
        probs = self._probs(track.probs).astype(np.float32)
        intensities = None if track.intensities is None else self._intensities(track.intensities).astype(np.float32)
        return replace(track, probs=probs, states=probs >= np.float32(self.thresholds), intensities=intensities)

    def correct(self, face: ResultT) -> ResultT:
        """Return a face as if the person rested as most do; the states are decided anew.

        Words that told another state of an AU are dropped, and those on the whole face with them.

        Raises:
            InputError: The face has other AUs.
        """
        self._check_au_ids(face.au_ids)
        probs = self._probs(face.probs)
        states = probs >= self.thresholds
        # An unknown intensity stays unknown, whatever number stands for it on the way.
        intensities = self._intensities(np.array([au.intensity or 0.0 for au in face.aus]))
        aus = tuple(
            replace(
                au,
                prob=float(prob),
                state=bool(state),
                intensity=None if au.intensity is None else float(intensity),
                local_caption=au.local_caption if state == au.state else None,
            )
            for au, prob, state, intensity in zip(face.aus, probs, states, intensities, strict=True)
        )
        same = all(new.state == old.state for new, old in zip(aus, face.aus, strict=True))
        return replace(face, aus=aus, global_caption=face.global_caption if same else None)

    @classmethod
    def _of(
        cls,
        au_ids: tuple[int, ...],
        thresholds: Sequence[float],
        rest: FloatArray,
        intensity_rest: FloatArray | None,
        typical: Mapping[int, float] | None,
    ) -> Self:
        if len(thresholds) != len(au_ids):
            raise ConfigError(f"{len(thresholds)} thresholds came for {len(au_ids)} AUs; give one an AU")
        typical = typical or {}
        for prob in (*thresholds, *typical.values()):
            if not 0 <= prob <= 1:
                raise ConfigError(f"{prob} is no threshold or typical probability; give numbers from 0 to 1")
        limits = np.array(thresholds, np.float64)
        shifts = np.maximum(0, rest - logit(limits) + _MARGIN)
        for column, au_id in enumerate(au_ids):
            if au_id in typical:
                shifts[column] = rest[column] - logit(np.float64(typical[au_id]))
        strength_shifts = (
            None if intensity_rest is None else np.clip(intensity_rest, _NO_INTENSITY, MAX_INTENSITY) - _NO_INTENSITY
        )
        return cls(au_ids=au_ids, thresholds=limits, shifts=shifts, intensity_shifts=strength_shifts)

    def _check_au_ids(self, au_ids: tuple[int, ...]) -> None:
        if au_ids != self.au_ids:
            raise InputError(
                f"the baseline knows the AUs {list(self.au_ids)}, this face has {list(au_ids)}; use one model for both"
            )

    def _probs(self, probs: NDArray[np.floating]) -> FloatArray:
        """Shift (..., N) probabilities; those of an AU without a shift stay as they are, to the last digit."""
        shifted = sigmoid(logit(probs) - self.shifts)
        return np.where(self.shifts == 0, probs, shifted)

    def _intensities(self, intensities: NDArray[np.floating]) -> FloatArray:
        """Stretch what is left of (..., N) intensities above the person's rest."""
        if self.intensity_shifts is None:
            return np.asarray(intensities, np.float64)
        left = np.maximum(0, intensities - self.intensity_shifts)
        return left * MAX_INTENSITY / (MAX_INTENSITY - self.intensity_shifts)


def typical_rest(tracks: Iterable[Track], *, quantile: float = 0.2) -> dict[int, float]:
    """Return by AU at which probability most people rest: the median of their low quantiles.

    Args:
        tracks: Clips of many people, one a person, with the same AUs.
        quantile: As for `Baseline.from_track`.
    """
    rests = [(track.au_ids, _low(track, logit(track.probs), quantile)) for track in tracks]
    if len({au_ids for au_ids, _ in rests}) != 1:
        raise InputError("the typical rest needs one track at least, and the same AUs in each; give such tracks")
    typical = sigmoid(np.median([rest for _, rest in rests], axis=0))
    return dict(zip(rests[0][0], typical.tolist(), strict=True))


def _low(track: Track, values: NDArray[np.floating], quantile: float) -> FloatArray:
    """Return the quantile over time of (T, N) values, (N,): each frame weighs as much as it lasts."""
    weights = track.frame_s if track.frame_s.any() else np.ones(len(values))
    order = values.argsort(axis=0, kind="stable")
    passed = np.cumsum(weights[order], axis=0) / weights.sum()
    row = (passed >= quantile).argmax(axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[row, columns], columns], np.float64)
