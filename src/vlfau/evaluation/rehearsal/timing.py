"""Timing of a function at growing batch sizes, within a budget of seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Clock", "Measurement", "Timings", "time_sizes"]

Clock = Callable[[], float]
FIRST_SIZE = 2
GROWTH, MAX_GROWTH = 2, 4
"""Smallest and largest factor between two sizes."""
SLOW_S = 5.0
"""A call that takes at least this long is made once; shorter ones twice, since the first call takes longer."""


@dataclass(frozen=True)
class Measurement:
    """The seconds that a number of faces took."""

    size: int
    seconds: float


@dataclass(frozen=True)
class Timings:
    """How long a function takes at the wanted size.

    Attributes:
        wanted: The batch size of the real run, in faces.
        tries: The measurements, by growing size; at least one.
    """

    wanted: int
    tries: tuple[Measurement, ...]

    @property
    def is_measured(self) -> bool:
        """Whether the wanted size itself was measured."""
        return self.tries[-1].size == self.wanted

    @property
    def seconds(self) -> float:
        """The seconds at the wanted size, measured or extrapolated."""
        return self.at(self.wanted)

    @property
    def per_face(self) -> float:
        """The seconds per face at the wanted size."""
        return self.seconds / self.wanted

    def at(self, size: int) -> float:
        """Return the seconds at a size: as measured, or in proportion to the largest measured size.

        A line through two sizes would be slightly closer, but on a busy machine its slope is unreliable. If full size
        is too slow to measure, nearly all of the time grows with the number of faces.
        """
        known = {each.size: each.seconds for each in self.tries}
        last = self.tries[-1]
        return known.get(size, last.seconds * size / last.size)

    def text(self) -> str:
        """Return how the seconds were found, in words."""
        if self.is_measured:
            return "measured"
        return f"extrapolated from {self.tries[-1].size} ({self.tries[-1].seconds:.2g} s)"


def time_sizes(
    run: Callable[[int, int], float],
    wanted: int,
    *,
    budget_s: float,
    fits: Callable[[int], bool] = lambda size: True,
    clock: Clock = time.perf_counter,
) -> Timings:
    """Time a function at growing sizes, up to the wanted size or until the budget is too small for the next one.

    Args:
        run: Takes a number of faces and a number of calls, and returns the seconds of the last call.
        wanted: The batch size of the real run, in faces.
        budget_s: Seconds to spend; the two smallest sizes are always measured.
        fits: Whether a size fits into memory; asked from the third size on.
        clock: Returns the time in seconds.
    """
    end = clock() + budget_s
    size, calls = min(FIRST_SIZE, wanted), 2
    tries: list[Measurement] = []
    while True:
        tries.append(Measurement(size, run(size, calls)))
        timed = Timings(wanted, tuple(tries))
        if timed.is_measured:
            return timed
        candidates = [min(factor * size, wanted) for factor in (MAX_GROWTH, GROWTH)]
        if len(tries) > 1:
            left = end - clock()
            candidates = [each for each in candidates if _calls(timed.at(each)) * timed.at(each) <= left and fits(each)]
            if not candidates:
                return timed
        size = candidates[0] if len(tries) > 1 else candidates[-1]
        calls = _calls(timed.at(size))


def _calls(expected_s: float) -> int:
    return 1 if expected_s >= SLOW_S else 2
