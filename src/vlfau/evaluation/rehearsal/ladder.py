"""Times of a piece of work at growing sizes, as far as a budget of seconds allows."""

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Clock", "Timed", "Try", "time_sizes"]

Clock = Callable[[], float]
FIRST_SIZE = 2
GROWTH, LEAP = 2, 4
"""By how much the next size is larger, at least and at most."""
SLOW_S = 5.0
"""From how many seconds on one call is enough; quicker work is done twice, since the first call takes longer."""


@dataclass(frozen=True)
class Try:
    """How many seconds a number of faces took."""

    size: int
    seconds: float


@dataclass(frozen=True)
class Timed:
    """How long a piece of work takes at the size that is wanted.

    Attributes:
        wanted: The number of faces that the real run has at once.
        tries: What was measured, by growing size; one at least.
    """

    wanted: int
    tries: tuple[Try, ...]

    @property
    def is_measured(self) -> bool:
        """Whether the size that is wanted was measured itself."""
        return self.tries[-1].size == self.wanted

    @property
    def seconds(self) -> float:
        """Of the size that is wanted: measured, or else extrapolated."""
        return self.at(self.wanted)

    @property
    def per_face(self) -> float:
        """The seconds of one face of that size."""
        return self.seconds / self.wanted

    def at(self, size: int) -> float:
        """Return the seconds of a size: as measured, or in proportion to the largest size.

        The line through two sizes would be a little nearer, but on a busy machine it points anywhere. What is too slow
        to be measured at full size has little that does not grow with the faces.
        """
        known = {each.size: each.seconds for each in self.tries}
        last = self.tries[-1]
        return known.get(size, last.seconds * size / last.size)

    def text(self) -> str:
        """Say how the seconds were found."""
        if self.is_measured:
            return "measured"
        return f"extrapolated from {self.tries[-1].size} ({self.tries[-1].seconds:.2g} s)"


def time_sizes(
    work: Callable[[int, int], float],
    wanted: int,
    *,
    budget_s: float,
    fits: Callable[[int], bool] = lambda size: True,
    clock: Clock = time.perf_counter,
) -> Timed:
    """Time work at growing sizes until the size that is wanted, or until the budget is too small for the next.

    Args:
        work: Is given a number of faces and how often to work on them, and returns the seconds of the last time.
        wanted: The number of faces that the real run has at once.
        budget_s: Seconds to spend; the two smallest sizes are tried in any case.
        fits: Whether a size can be tried at all, asked from the third size on.
        clock: Tells the seconds that were spent.
    """
    end = clock() + budget_s
    size, calls = min(FIRST_SIZE, wanted), 2
    tries: list[Try] = []
    while True:
        tries.append(Try(size, work(size, calls)))
        timed = Timed(wanted, tuple(tries))
        if timed.is_measured:
            return timed
        candidates = [min(factor * size, wanted) for factor in (LEAP, GROWTH)]
        if len(tries) > 1:
            left = end - clock()
            candidates = [each for each in candidates if _calls(timed.at(each)) * timed.at(each) <= left and fits(each)]
            if not candidates:
                return timed
        size = candidates[0] if len(tries) > 1 else candidates[-1]
        calls = _calls(timed.at(size))


def _calls(expected_s: float) -> int:
    return 1 if expected_s >= SLOW_S else 2
