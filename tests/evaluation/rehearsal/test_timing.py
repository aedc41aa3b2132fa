import pytest

from vlfau.evaluation.rehearsal.timing import Measurement, Timings, time_sizes


class Work:
    """Work that takes `fixed + each * size` seconds of a clock of its own, the first time longer."""

    def __init__(self, *, fixed=1.0, each=0.5, first=3.0):
        self.now, self.fixed, self.each, self.first = 0.0, fixed, each, first
        self.done = []

    def __call__(self, size, calls):
        seconds = 0.0
        for _ in range(calls):
            seconds = self.fixed + self.each * size + (0.0 if self.done else self.first)
            self.now += seconds
            self.done.append(size)
        return seconds

    def clock(self):
        return self.now


def test_with_time_enough_the_wanted_size_is_measured_and_the_first_call_does_not_count():
    work = Work()
    timed = time_sizes(work, 64, budget_s=1000, clock=work.clock)
    assert [each.size for each in timed.tries] == [2, 4, 16, 64]
    assert (timed.seconds, timed.per_face) == (33.0, 33.0 / 64)
    assert timed.is_measured
    assert timed.tries[0] == Measurement(2, 2.0)  # and not 5.0, as the first call took
    assert work.done == [2, 2, 4, 4, 16, 64]  # slow ones once


def test_without_time_the_largest_size_is_multiplied():
    work = Work()
    timed = time_sizes(work, 64, budget_s=35, clock=work.clock)
    assert [each.size for each in timed.tries] == [2, 4, 16]
    assert not timed.is_measured
    assert timed.seconds == 4 * 9.0  # in truth 33
    assert timed.text() == "extrapolated from 16 (9 s)"


def test_two_sizes_are_measured_even_without_any_time_and_none_that_does_not_fit():
    work = Work()
    assert [each.size for each in time_sizes(work, 64, budget_s=0, clock=work.clock).tries] == [2, 4]
    timed = time_sizes(work, 64, budget_s=1000, clock=work.clock, fits=lambda size: size < 10)
    assert [each.size for each in timed.tries] == [2, 4, 8]


@pytest.mark.parametrize(("wanted", "sizes"), [(1, [1]), (2, [2]), (3, [2, 3]), (5, [2, 4, 5])])
def test_small_sizes_are_reached_exactly(wanted, sizes):
    work = Work()
    assert [each.size for each in time_sizes(work, wanted, budget_s=1000, clock=work.clock).tries] == sizes


def test_a_busy_machine_does_not_make_the_whole_cheaper():
    assert Timings(64, (Measurement(2, 6.2), Measurement(4, 6.3))).seconds == pytest.approx(100.8)
    assert Timings(64, (Measurement(2, 9.0), Measurement(4, 6.0))).at(2) == 9.0
