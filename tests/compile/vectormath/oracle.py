"""Exact values from mpmath, and errors in units in the last place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

# sin of the greatest float64 needs 1,024 bits to know where on the circle it is, and 120 for its value.
CIRCLE_BITS = 1200
BITS = 200


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _expm1(x: Any) -> Any:
    return mp.exp(x) - 1 if abs(x) > 100 else mp.expm1(x)


EXACT: dict[str, Callable[..., Any]] = {
    "exp": mp.exp,
    "expm1": _expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "tanh": mp.tanh,
    "sigmoid": _sigmoid,
    "erf": mp.erf,
    "sin": mp.sin,
    "cos": mp.cos,
    "sqrt": mp.sqrt,
    "pow": mp.power,
}


def ulps(name: str, got: NDArray[Any], *arguments: NDArray[Any]) -> NDArray[np.float64]:
    """How far results are from the exact ones, in units in the last place of the exact ones.

    Args:
        name: the function.
        got: its results, float32 or float64; an infinite one counts as the next power of two.
        arguments: finite numbers for which the function has a finite value.
    """
    info = np.finfo(got.dtype)
    above = mpf(2) ** int(info.maxexp)
    errors = np.empty(len(got))
    with mpmath.workprec(CIRCLE_BITS if name in ("sin", "cos") else BITS):
        for i, values in enumerate(zip(got.tolist(), *(a.tolist() for a in arguments), strict=True)):
            value, *x = values
            exact = EXACT[name](*(mpf(v) for v in x))
            if abs(exact) >= above:
                exact = mp.sign(exact) * above
            near = mp.sign(value) * above if np.isinf(value) else mpf(value)
            exponent = max(int(mp.frexp(exact)[1]), int(info.minexp) + 1) if exact else int(info.minexp) + 1
            errors[i] = abs(near - exact) / mpf(2) ** (min(exponent, int(info.maxexp)) - 1 - int(info.nmant))
    return errors


def ulps_of_float32(got: NDArray[np.float32], exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for float32 results, beside exact ones known as float64."""
    largest = 2.0**128
    limited = np.clip(exact, -largest, largest)
    near = np.clip(got.astype(np.float64), -largest, largest)
    exponents = np.clip(np.frexp(limited)[1], -125, 128)
    return np.abs(near - limited) / np.ldexp(1.0, exponents - 24)
