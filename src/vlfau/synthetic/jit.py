"""Numba decorators that keep the types of the functions."""

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
    """Compile a function of numbers and arrays at its first call, and cache the result on disk."""
    wrap = numba.njit(cache=True, fastmath=True, boundscheck=False, nogil=True)
    return cast("Callable[P, R]", wrap(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Like `compiled`, but inline the function into its callers, which avoids copies of large arguments."""
    wrap = numba.njit(inline="always", cache=True, fastmath=True, boundscheck=False, nogil=True)
    return cast("Callable[P, R]", wrap(function))
