import itertools
import signal
import subprocess
import sys
import threading
import time

import pytest

from vlfau.media.prefetch import prefetch, prefetch_map


def noted(made, closed):
    """Yield numbers without end, and note which ones were made and that it was closed."""
    try:
        for number in itertools.count():
            made.append(number)
            yield number
    finally:
        closed.append(True)


def test_items_come_in_order_and_an_error_after_them():
    def items():
        yield from range(5)
        raise ValueError("no more")

    came = []
    with pytest.raises(ValueError, match="no more"):
        came.extend(prefetch(items(), 2))
    assert came == [0, 1, 2, 3, 4]


def test_no_more_items_are_made_than_may_wait():
    made = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    generator = prefetch(items(), 3)
    assert next(generator) == 0
    time.sleep(0.3)
    assert len(made) <= 6
    generator.close()


def test_closing_ends_the_thread_and_closes_the_items_in_it():
    closed_in = []

    def items():
        try:
            yield from itertools.count()
        finally:
            closed_in.append(threading.current_thread())

    before = threading.active_count()
    generator = prefetch(items(), 2)
    next(generator)
    generator.close()
    assert threading.active_count() == before
    assert len(closed_in) == 1
    assert closed_in[0] is not threading.current_thread()


def test_the_newest_item_replaces_those_that_wait():
    def items():
        for number in range(20):
            time.sleep(0.01)
            yield number

    generator = prefetch(items(), 1, drop=True)
    first = next(generator)
    time.sleep(0.5)
    assert (first, next(generator)) == (0, 19)
    assert list(generator) == []


def test_a_function_is_computed_ahead_in_several_threads_and_its_values_keep_their_order():
    together, meeting = [], threading.Barrier(2, timeout=5)

    def double(number):
        if number < 2:
            meeting.wait()  # One thread alone would never get here.
        time.sleep(0.02 * (number % 2))
        together.append(threading.current_thread())
        return 2 * number

    assert list(prefetch_map(double, (number for number in range(6)), 2)) == [0, 2, 4, 6, 8, 10]
    assert threading.current_thread() not in together


def test_values_before_an_error_come_first():
    def items():
        yield from (1, 2, 0, 3)

    came = []
    with pytest.raises(ZeroDivisionError):
        came.extend(prefetch_map(lambda number: 6 // number, items(), 2))
    assert came == [6, 3]

    def broken():
        yield from (1, 2)
        raise ValueError("no more")

    came.clear()
    with pytest.raises(ValueError, match="no more"):
        came.extend(prefetch_map(lambda number: 6 // number, broken(), 2))
    assert came == [6, 3]


def test_only_a_few_values_are_computed_ahead_and_closing_ends_all_threads():
    made, closed = [], []
    before = threading.active_count()
    values = prefetch_map(str, noted(made, closed), 2)
    assert next(values) == "0"
    time.sleep(0.3)
    assert len(made) <= 4
    values.close()
    assert closed == [True]
    assert threading.active_count() == before


@pytest.mark.usefixtures("_heeding_interrupts")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to threads")
@pytest.mark.parametrize("slow", ["items", "function"])
def test_ctrl_c_while_it_is_closed_is_raised_when_all_threads_have_ended(slow):
    working, ended = threading.Event(), []

    def items():
        try:
            yield 0
            if slow == "items":
                working.set()
                time.sleep(1)
            yield 1
        finally:
            ended.append("items")

    def function(number):
        if number and slow == "function":
            working.set()
            time.sleep(1)
        ended.append(number)
        return number

    values = prefetch_map(function, items(), 2)
    assert (next(values), working.wait(5)) == (0, True)
    pressed = threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    pressed.start()
    with pytest.raises(KeyboardInterrupt):
        values.close()
    pressed.join()
    assert "items" in ended
    assert slow == "items" or 1 in ended


def test_a_program_that_leaves_it_open_ends_all_the_same():
    program = (
        "import itertools\n"
        "from vlfau.media.prefetch import prefetch_map\n"
        "values = prefetch_map(str, (number for number in itertools.count()), 2)\n"
        "print(next(values))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_values_that_wait_are_not_computed_when_it_is_closed():
    begun = []

    def slow(number):
        begun.append(number)
        time.sleep(0.3 * (number > 0))
        return number

    values = prefetch_map(slow, (number for number in itertools.count()), 1)
    assert next(values) == 0
    time.sleep(0.1)
    values.close()
    assert begun == [0, 1]


def test_without_threads_each_value_is_computed_when_it_is_asked_for():
    made, closed = [], []
    before = threading.active_count()
    values = prefetch_map(str, noted(made, closed), 0)
    assert [next(values), next(values)] == ["0", "1"]
    assert (made, threading.active_count()) == ([0, 1], before)
    values.close()
    assert closed == [True]
