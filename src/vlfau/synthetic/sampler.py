"""Samples the active AUs of a clip, at the rates of a preset.

Every AU has a latent normal variable that changes smoothly through a clip; the variables of a face are correlated.
An AU's intensity is an increasing function of its variable. The functions are calibrated so that the share of frames
in which an AU is present matches the preset, after conflicts between AUs have been resolved.

Blinks have no latent variable: they occur in single frames. If the preset may show AU 45, they are AU 45, and never
in two frames in a row. Otherwise, and in clips of one frame, where AU 43 and 45 look the same, they are AU 43.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from vlfau.facs import Side, action_unit
from vlfau.synthetic.expression import BLINK, EYES_CLOSED, JAW_DROP, LIPS_PART, MOUTH_STRETCH, Expression, min_lips_part
from vlfau.synthetic.presets import Joint, Preset, correlations, joints, levels, preset

__all__ = ["AUSampler", "sampler"]

LEVEL_STARTS: Final = np.array([1.0, 2.0, 3.0, 4.0, 4.6, 5.0])
"""Lower bounds of the intensities A to E, and the upper bound of E."""
TRACE: Final = 0.06
"""Share of frames that show an AU below the intensity at which it counts as present."""
CALIBRATION_DRAWS, CALIBRATION_STEPS = 30_000, 12
FRAMES_PER_STATE: Final = 3
"""Approximate number of frames per state; the face moves from state to state."""
PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89)
LATENT, CLIP = 11, 12
"""Streams of random numbers."""


class AUSampler:
    """Samples clips for a preset.

    Args:
        chosen: The preset.
    """

    def __init__(self, chosen: Preset) -> None:
        self.preset = chosen
        self._au_ids = chosen.drawn_ids
        self._index = {au_id: index for index, au_id in enumerate(self._au_ids)}
        together = correlations(self._au_ids)
        self._mixing = np.linalg.cholesky(together.matrix)
        self._exclusive = [tuple(self._index[au_id] for au_id in pair) for pair in together.exclusive]
        self._levels = self._level_shares()
        self._shares = self._calibrated()

    def clip(self, seed: int, number: int, num_frames: int) -> list[Expression]:
        """Sample the expressions of a clip.

        Args:
            seed: Seed of the data set.
            number: Number of the clip in the whole data set; consecutive numbers cover the latent space evenly.
            num_frames: Number of frames, evenly spaced over the clip.
        """
        rng = np.random.default_rng([seed, CLIP, number])
        intensities = self._intensities(self._states(seed, number, num_frames), self._shares)
        one_sided = self._one_sided(rng)
        if rng.random() < self.preset.joint_share:
            joint = self._choose_joint(rng)
            intensities = self._play(joint, intensities, rng)
            if joint.one_sided:
                one_sided = dict.fromkeys(joint.ranges, float(rng.uniform(0, 0.15)))
        self._blink(intensities, rng)
        weaker = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
        return [self._expression(frame, one_sided, weaker, rng.normal(0, 0.02)) for frame in intensities]

    def _states(self, seed: int, number: int, num_frames: int) -> NDArray[np.float64]:
        """Return the correlated latent variables of the frames, (frames, N)."""
        num_states = 2 + num_frames // FRAMES_PER_STATE
        num_aus = len(self._au_ids)
        start = np.random.default_rng([seed, LATENT]).random((num_states, num_aus))
        # A Kronecker sequence: successive clips fill the unit interval of every variable evenly.
        strides = np.sqrt(np.array(PRIMES[:num_aus])) + np.sqrt(5.0) * np.arange(num_states)[:, None]
        normal = ndtri(np.clip((start + number * strides) % 1, 1e-9, 1 - 1e-9)) @ self._mixing.T
        frames = (np.arange(num_frames) + 0.5) / num_frames * (num_states - 1)
        weights = np.exp(-0.5 * ((frames[:, None] - np.arange(num_states)) / 0.45) ** 2)
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        return np.asarray(weights @ normal)

    def _intensities(self, states: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return intensities (frames, N) for latent variables (frames, N), with conflicts between AUs resolved."""
        start = 1 - shares
        ranks = ndtr(states)
        starts_at = self.preset.occurs_at
        trace = np.minimum(TRACE, 0.5 * np.minimum(shares, start)) + 1e-9
        above = np.clip((ranks - start) / shares, 0, 1)
        marked = np.interp(above, np.concatenate([[0.0], np.cumsum(self._levels)]), self._level_values())
        slight = np.clip((ranks - start + trace) / trace, 0, 1) * starts_at * 0.98
        intensities: NDArray[np.float64] = np.where(ranks >= start, marked, slight)
        if BLINK in self._index:
            intensities[:, self._index[BLINK]] = 0
        for first, second in self._exclusive:
            difference = intensities[:, first] - intensities[:, second]
            intensities[:, first], intensities[:, second] = np.clip(difference, 0, None), np.clip(-difference, 0, None)
        self._complete(intensities)
        return intensities

    def _complete(self, intensities: NDArray[np.float64]) -> None:
        """Code a slightly stretched mouth as a dropped jaw, and part the lips where other AUs require it, in place."""
        if MOUTH_STRETCH in self._index:
            stretch, jaw = self._index[MOUTH_STRETCH], self._index[JAW_DROP]
            is_jaw_drop = intensities[:, stretch] < 1
            dropped = 5 * intensities[is_jaw_drop, stretch]
            intensities[is_jaw_drop, jaw] = np.maximum(intensities[is_jaw_drop, jaw], dropped)
            intensities[is_jaw_drop, stretch] = 0
        lips = self._index[LIPS_PART]
        needed = min_lips_part(dict(zip(self._au_ids, intensities.T, strict=True)))
        intensities[:, lips] = np.maximum(intensities[:, lips], needed)

    def _level_values(self) -> NDArray[np.float64]:
        return LEVEL_STARTS[-len(self._levels) - 1 :]

    def _level_shares(self) -> NDArray[np.float64]:
        counted = np.array(levels())[LEVEL_STARTS[:-1] >= self.preset.occurs_at]
        return np.asarray(counted / counted.sum())

    def _calibrated(self) -> NDArray[np.float64]:
        """Return the shares for which the resulting rates match the preset."""
        rng = np.random.default_rng(0)
        states = rng.standard_normal((CALIBRATION_DRAWS, len(self._au_ids))) @ self._mixing.T
        rates = {**self.preset.rates, BLINK: 0.0}
        wanted = np.array([rates[au_id] for au_id in self._au_ids])
        shares: NDArray[np.float64] = np.maximum(wanted, 1e-4)
        for _ in range(CALIBRATION_STEPS):
            present = self._intensities(states, shares) >= self.preset.occurs_at
            shares = np.clip(shares + wanted - present.mean(0), 1e-4, 0.98)
        return shares

    def _choose_joint(self, rng: np.random.Generator) -> Joint:
        played = joints(self.preset.name)
        weights = np.array([joint.weight for joint in played])
        return played[int(rng.choice(len(weights), p=weights / weights.sum()))]

    def _play(self, joint: Joint, intensities: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Add a joint expression with onset, apex and offset to a clip, without its missing AUs.

        AUs that the expression excludes stay inactive even if the AU that excludes them is missing.
        """
        kept = rng.random(len(self._au_ids)) < self.preset.joint_extra
        [other] = rng.spawn(1)  # does not change the random numbers of presets without missing AUs
        missing = other.random(len(self._au_ids)) < self.preset.joint_missing
        played = intensities * kept
        time = (np.arange(len(intensities)) + 0.5) / len(intensities)
        nearness = 1.5 - abs(time - rng.uniform(0.2, 0.8)) / rng.uniform(0.3, 0.7)
        course = np.clip(nearness, 0, 1)
        course = course * course * (3 - 2 * course)
        for au_id, (least, most) in joint.ranges.items():
            index = self._index[au_id]
            played[:, index] = rng.uniform(least, most) * course * (not missing[index])
        for first, second in self._exclusive:
            if self._au_ids[first] in joint.ranges:
                played[:, second] = 0
            elif self._au_ids[second] in joint.ranges:
                played[:, first] = 0
        self._complete(played)
        return played

    def _blink(self, intensities: NDArray[np.float64], rng: np.random.Generator) -> None:
        """Close the eyes in some frames, in place."""
        closed = rng.random(len(intensities)) < self.preset.blinks
        strength = rng.uniform(3.5, 5, len(intensities))
        blink = BLINK in self._index and len(intensities) > 1
        index = self._index[BLINK if blink else EYES_CLOSED]
        if blink:
            closed &= intensities[:, self._index[EYES_CLOSED]] < 1
            for frame in range(1, len(closed)):
                closed[frame] &= not closed[frame - 1]
        intensities[closed, index] = np.maximum(intensities[closed, index], strength[closed])
        for pair in self._exclusive:
            if index in pair:
                other = pair[0] if pair[1] == index else pair[1]
                intensities[closed, other] = 0

    def _one_sided(self, rng: np.random.Generator) -> dict[int, float]:
        """Return the intensity of the weaker side of every AU, as a share of the stronger side."""
        shares = {}
        for au_id in self._au_ids:
            alone, share, even = rng.random(), rng.uniform(0, 0.2), 1 - abs(rng.normal(0, 0.08))
            is_lid = au_id in {EYES_CLOSED, BLINK}
            shares[au_id] = float(share if alone < self.preset.one_sided and not is_lid else max(0.6, even))
        return shares

    def _expression(
        self, frame: NDArray[np.float64], one_sided: Mapping[int, float], weaker: Side, wobble: float
    ) -> Expression:
        pairs: dict[int, float | tuple[float, float]] = {}
        for au_id, value in zip(self._au_ids, frame, strict=True):
            if value <= 0.05:
                continue
            strong = float(min(value, 5.0))
            if not action_unit(au_id).sided:
                pairs[au_id] = strong
                continue
            weak = strong * float(np.clip(one_sided.get(au_id, 1.0) + wobble, 0, 1))
            pairs[au_id] = (weak, strong) if weaker == Side.LEFT else (strong, weak)
        return Expression.of(pairs)


@cache
def sampler(name: str) -> AUSampler:
    """Return the sampler of a preset; it is calibrated only once."""
    return AUSampler(preset(name))
