"""Compiled functions, with types that a checker understands."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from vlfau.errors import MissingExtraError

try:
    import numba
except ModuleNotFoundError:
    raise MissingExtraError("numba", "synthetic") from None

__all__ = ["compiled", "inlined"]

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays when it is first called, and keep the result on the disk."""
    wrap = numba.njit(cache=True, fastmath=True, boundscheck=False, nogil=True)
    return cast("Callable[P, R]", wrap(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Do as `compiled`, and put the body where the function is called, which spares copies of large arguments."""
    wrap = numba.njit(inline="always", cache=True, fastmath=True, boundscheck=False, nogil=True)
    return cast("Callable[P, R]", wrap(function))
