"""Compiled functions, with types that a checker understands."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

__all__ = ["compiled"]

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays when it is first called, and keep the result on the disk."""
    return cast("Callable[P, R]", numba.njit(cache=True, fastmath=True, boundscheck=False, nogil=True)(function))
