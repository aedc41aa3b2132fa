"""Which action units act in a clip, at the rates of a preset.

Behind every AU is a normal variable that changes smoothly through a clip; the variables of a face are correlated.
An AU's intensity is an increasing function of its variable. The functions are set so that the share of frames in
which an AU is present comes out as the preset asks, after exclusive AUs and dropped jaws have had their say.

Blinks have no such variable: they fall on single frames. Where a preset may show AU 45, they are AU 45, and never in
two frames in a row; where it may not, and in a clip of one frame, which cannot tell the two apart, they are AU 43.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from vlfau.facs import Side, action_unit
from vlfau.synthetic.expression import BLINK, EYES_CLOSED, JAW_DROP, LIPS_PART, MOUTH_STRETCH, Expression, least_parted
from vlfau.synthetic.presets import Joint, Preset, correlations, joints, levels, preset

__all__ = ["AUSampler", "presence_rates", "sampler"]

LEVEL_STARTS: Final = np.array([1.0, 2.0, 3.0, 4.0, 4.6, 5.0])
"""Where the intensities A to E start, and where E ends."""
TRACE: Final = 0.06
"""The share of frames that show an AU below the intensity at which it counts."""
CALIBRATION_DRAWS, CALIBRATION_STEPS = 30_000, 12
FRAMES_A_STATE: Final = 3
"""How many frames of a clip share a state, about: the face changes between states."""
PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89)
LATENT, CLIP = 11, 12
"""Streams of random numbers."""


class AUSampler:
    """Draws clips for a preset.

    Args:
        chosen: The preset.
    """

    def __init__(self, chosen: Preset) -> None:
        self.preset = chosen
        self._au_ids = chosen.drawn_ids
        self._place = {au_id: place for place, au_id in enumerate(self._au_ids)}
        together = correlations(self._au_ids)
        self._mixing = np.linalg.cholesky(together.matrix)
        self._exclusive = [tuple(self._place[au_id] for au_id in pair) for pair in together.exclusive]
        self._levels = self._level_shares()
        self._shares = self._calibrated()

    def clip(self, seed: int, number: int, num_frames: int) -> list[Expression]:
        """Draw a clip.

        Args:
            seed: Of the data set.
            number: Of the clip in the whole data set; neighbouring numbers spread evenly over what can happen.
            num_frames: How many frames, evenly over the clip.
        """
        rng = np.random.default_rng([seed, CLIP, number])
        intensities = self._settled(self._states(seed, number, num_frames), self._shares)
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
        """Return the correlated normal variables of the frames, (frames, N)."""
        num_states = 2 + num_frames // FRAMES_A_STATE
        num_aus = len(self._au_ids)
        start = np.random.default_rng([seed, LATENT]).random((num_states, num_aus))
        # A Kronecker sequence: clip after clip fills the unit interval of every variable evenly.
        strides = np.sqrt(np.array(PRIMES[:num_aus])) + np.sqrt(5.0) * np.arange(num_states)[:, None]
        normal = ndtri(np.clip((start + number * strides) % 1, 1e-9, 1 - 1e-9)) @ self._mixing.T
        frames = (np.arange(num_frames) + 0.5) / num_frames * (num_states - 1)
        weights = np.exp(-0.5 * ((frames[:, None] - np.arange(num_states)) / 0.45) ** 2)
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        return np.asarray(weights @ normal)

    def _settled(self, states: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return intensities (frames, N) for variables (frames, N), with contradictions resolved."""
        start = 1 - shares
        ranks = ndtr(states)
        starts_at = self.preset.occurs_at
        trace = np.minimum(TRACE, 0.5 * np.minimum(shares, start)) + 1e-9
        above = np.clip((ranks - start) / shares, 0, 1)
        marked = np.interp(above, np.concatenate([[0.0], np.cumsum(self._levels)]), self._level_values())
        slight = np.clip((ranks - start + trace) / trace, 0, 1) * starts_at * 0.98
        intensities: NDArray[np.float64] = np.where(ranks >= start, marked, slight)
        if BLINK in self._place:
            intensities[:, self._place[BLINK]] = 0
        for first, second in self._exclusive:
            difference = intensities[:, first] - intensities[:, second]
            intensities[:, first], intensities[:, second] = np.clip(difference, 0, None), np.clip(-difference, 0, None)
        self._complete(intensities)
        return intensities

    def _complete(self, intensities: NDArray[np.float64]) -> None:
        """Code a jaw on its way to a stretched mouth as dropped, and part the lips as others ask for it, in place."""
        if MOUTH_STRETCH in self._place:
            stretch, jaw = self._place[MOUTH_STRETCH], self._place[JAW_DROP]
            on_its_way = intensities[:, stretch] < 1
            dropped = 5 * intensities[on_its_way, stretch]
            intensities[on_its_way, jaw] = np.maximum(intensities[on_its_way, jaw], dropped)
            intensities[on_its_way, stretch] = 0
        lips = self._place[LIPS_PART]
        needed = least_parted(dict(zip(self._au_ids, intensities.T, strict=True)))
        intensities[:, lips] = np.maximum(intensities[:, lips], needed)

    def _level_values(self) -> NDArray[np.float64]:
        return LEVEL_STARTS[-len(self._levels) - 1 :]

    def _level_shares(self) -> NDArray[np.float64]:
        counted = np.array(levels())[LEVEL_STARTS[:-1] >= self.preset.occurs_at]
        return np.asarray(counted / counted.sum())

    def _calibrated(self) -> NDArray[np.float64]:
        """Return the shares to ask for, so that the rates come out as the preset has them."""
        rng = np.random.default_rng(0)
        states = rng.standard_normal((CALIBRATION_DRAWS, len(self._au_ids))) @ self._mixing.T
        rates = {**self.preset.rates, BLINK: 0.0}
        wanted = np.array([rates[au_id] for au_id in self._au_ids])
        shares: NDArray[np.float64] = np.maximum(wanted, 1e-4)
        for _ in range(CALIBRATION_STEPS):
            present = self._settled(states, shares) >= self.preset.occurs_at
            shares = np.clip(shares + wanted - present.mean(0), 1e-4, 0.98)
        return shares

    def _choose_joint(self, rng: np.random.Generator) -> Joint:
        played = joints(self.preset.name)
        weights = np.array([joint.weight for joint in played])
        return played[int(rng.choice(len(weights), p=weights / weights.sum()))]

    def _play(self, joint: Joint, intensities: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Lay a joint expression with onset, apex and offset over a clip, less what is missing of it.

        AUs that the expression excludes stay out even where what excludes them is missing.
        """
        kept = rng.random(len(self._au_ids)) < self.preset.joint_extra
        [other] = rng.spawn(1)  # leaves the draws of presets that miss nothing as they are
        missing = other.random(len(self._au_ids)) < self.preset.joint_missing
        played = intensities * kept
        time = (np.arange(len(intensities)) + 0.5) / len(intensities)
        nearness = 1.5 - abs(time - rng.uniform(0.2, 0.8)) / rng.uniform(0.3, 0.7)
        course = np.clip(nearness, 0, 1)
        course = course * course * (3 - 2 * course)
        for au_id, (least, most) in joint.ranges.items():
            place = self._place[au_id]
            played[:, place] = rng.uniform(least, most) * course * (not missing[place])
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
        blink = BLINK in self._place and len(intensities) > 1
        place = self._place[BLINK if blink else EYES_CLOSED]
        if blink:
            closed &= intensities[:, self._place[EYES_CLOSED]] < 1
            for frame in range(1, len(closed)):
                closed[frame] &= not closed[frame - 1]
        intensities[closed, place] = np.maximum(intensities[closed, place], strength[closed])
        for pair in self._exclusive:
            if place in pair:
                other = pair[0] if pair[1] == place else pair[1]
                intensities[closed, other] = 0

    def _one_sided(self, rng: np.random.Generator) -> dict[int, float]:
        """Return what the weaker side does of every sided AU, as a share of the stronger."""
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
    """Return the sampler of a preset; it is calibrated once."""
    return AUSampler(preset(name))


def presence_rates(clips: Sequence[Sequence[Expression]], occurs_at: float) -> dict[int, float]:
    """Return the share of frames in which an AU is present, of every AU that acts in any frame."""
    frames = [expression for clip in clips for expression in clip]
    acting = sorted({au_id for expression in frames for au_id in expression.left})
    return {
        au_id: sum(expression.intensity(au_id) >= occurs_at for expression in frames) / len(frames) for au_id in acting
    }
