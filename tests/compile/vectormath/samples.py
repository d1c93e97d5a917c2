"""Arguments at which a function's value is an ordinary number, chosen where approximations go wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special
from numpy.typing import NDArray

# The nearest that float64 and float32 numbers come to a multiple of π/2: Muller, "Elementary Functions",
# 3rd ed., §11.3, table 11.1, and a search over all float32 numbers.
NEAR_MULTIPLES = {
    "float64": [6381956970095103 * 2.0**797],
    "float32": [16367173 * 2.0**72],
}
# Where values leave the ordinary numbers, roughly.
RANGES = {
    "exp": (-745.0, 709.7),
    "expm1": (-40.0, 709.7),
    "tanh": (-22.0, 22.0),
    "sigmoid": (-745.0, 745.0),
    "erf": (-6.2, 6.2),
    "sin": (-30.0, 30.0),
    "cos": (-30.0, 30.0),
}


def patterns(dtype: str, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """Finite numbers of all magnitudes and signs, subnormal ones included."""
    integer = {"float32": np.uint32, "float64": np.uint64}[dtype]
    x = rng.integers(0, np.iinfo(integer).max, n, dtype=integer, endpoint=True).view(dtype)
    return x[np.isfinite(x)]


def arguments(name: str, dtype: str, n: int, seed: int = 0) -> tuple[NDArray[Any], ...]:
    """About 5·n arguments (pow: 4·n pairs)."""
    rng = np.random.default_rng(seed)
    return (_pairs if name == "pow" else _single)(name, dtype, n, rng)


def _single(name: str, dtype: str, n: int, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
    sign = rng.choice([-1.0, 1.0], n)
    near_0 = sign * 2.0 ** rng.uniform(-40, 3, n)
    near_1 = 1 + sign * 2.0 ** rng.uniform(-50, 0, n)
    parts = [patterns(dtype, n, rng), near_0, near_1, sign * np.finfo(dtype).tiny * rng.uniform(0, 2, n)]
    if name in RANGES:
        shorter = 0.12 if dtype == "float32" and name in ("exp", "expm1", "sigmoid") else 1.0
        parts.append(rng.uniform(*RANGES[name], n) * shorter)
    if name in ("sin", "cos"):
        multiples = rng.integers(1, 2**22, n) * (np.pi / 2)
        parts += [multiples, np.array(NEAR_MULTIPLES[dtype])]
    x = np.concatenate([part.astype(dtype) for part in parts])
    if name in ("log", "sqrt"):
        x = np.abs(x[x != 0])
    return (x[x > -1] if name == "log1p" else x,)


def _pairs(name: str, dtype: str, n: int, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
    """Bases, and exponents for which the powers spread over all finite numbers, and a little beyond."""
    bases = [patterns(dtype, 2 * n, rng), 2.0 ** rng.uniform(-2, 2, n), 1 + 2.0 ** rng.uniform(-22, -1, n)]
    x = np.abs(np.concatenate([part.astype(dtype) for part in bases]))
    x = x[(x != 0) & (x != 1)]
    exponent = rng.uniform(-1.05, 1.03, len(x)) * np.finfo(dtype).maxexp
    with np.errstate(over="ignore"):
        y = (exponent / np.log2(x.astype(np.float64))).astype(dtype)
    return x[np.isfinite(y)], y[np.isfinite(y)]


def float32_sweep(name: str, *, step: int, start: int = 0) -> NDArray[np.float32]:
    """Every step-th number in the order of the bits, of those where the function has a finite value."""
    x = np.arange(start, 2**32, step, dtype=np.uint32).view(np.float32)
    x = x[np.isfinite(x)]
    if name in ("log", "sqrt"):
        x = x[x > 0]
    return x[x > -1] if name == "log1p" else x


def in_float64(name: str, *arguments: NDArray[Any]) -> NDArray[np.float64]:
    """The function by NumPy and SciPy in float64: exact enough to judge float32 results."""
    x = [a.astype(np.float64) for a in arguments]
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            e = np.exp(-np.abs(x[0]))
            return np.where(x[0] >= 0, 1.0, e) / (1 + e)
        return scipy.special.erf(*x) if name == "erf" else getattr(np, name)(*x)
