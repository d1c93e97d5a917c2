"""How far the functions are from the exact values, in units in the last place (ulp)."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from compile.vectormath.loops import DTYPES, compiled
from compile.vectormath.oracle import ulps, ulps_of_float32
from compile.vectormath.samples import arguments, float32_sweep, in_float64

from spusk.compile.vectormath import ARGUMENTS

# Of float32 and float64, with and without fma; the greatest errors found with -m fuzz, rounded up. Those of
# float32's tanh (2.6056, without fma) and sigmoid (2.4019) are of all numbers, one by one.
GREATEST = {
    "exp": (1.1, 1.1),
    "expm1": (1.8, 2.0),
    "log": (0.9, 0.9),
    "log1p": (1.8, 1.8),
    "tanh": (2.61, 2.5),
    "sigmoid": (2.41, 2.4),
    "erf": (1.4, 1.7),
    "sin": (1.7, 0.9),
    "cos": (1.7, 0.9),
    "sqrt": (0.5, 0.5),
    "pow": (1.2, 1.2),
}
CASES = list(product(ARGUMENTS, DTYPES))


def greatest(name: str, dtype: str) -> float:
    return GREATEST[name][DTYPES.index(dtype)]


def test_no_error_exceeds_the_budget_of_4_ulp():
    assert max(max(pair) for pair in GREATEST.values()) <= 4


def test_the_greatest_error_is_the_one_that_the_documents_name():
    x = np.array([0.06242450699210167], np.float32)  # the worst of all for tanh
    error = ulps_of_float32(compiled("float32", False)["tanh"](x), in_float64("tanh", x)).max()
    assert 2.6 < error <= max(max(pair) for pair in GREATEST.values()) < 2.65
    root = Path(__file__).parents[3]
    for name in ("docs/decisions.md", "CHANGELOG.md"):
        assert re.search(r"2\.6 (ulp|units in the last place)", (root / name).read_text()), name


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_values_are_those_of_mpmath(name, dtype):
    x = arguments(name, dtype, 40)
    for fma in (True, False):
        assert ulps(name, compiled(dtype, fma)[name](*x), *x).max() <= greatest(name, dtype)


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name != "pow"])
def test_float32_values_are_those_of_numpy_in_float64_at_all_magnitudes(name):
    x = float32_sweep(name, step=65_521)
    for fma in (True, False):
        error = ulps_of_float32(compiled("float32", fma)[name](x), in_float64(name, x))
        assert error.max() <= greatest(name, "float32")


def test_float32_powers_are_those_of_numpy_in_float64():
    x, y = arguments("pow", "float32", 50_000)
    for fma in (True, False):
        error = ulps_of_float32(compiled("float32", fma)["pow"](x, y), in_float64("pow", x, y))
        assert error.max() <= greatest("pow", "float32")


@pytest.mark.fuzz
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_values_are_those_of_mpmath_at_many_points(name, dtype):
    x = arguments(name, dtype, 5_000, seed=1)
    for fma in (True, False):
        assert ulps(name, compiled(dtype, fma)[name](*x), *x).max() <= greatest(name, dtype)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name != "pow"])
def test_float32_values_are_those_of_numpy_in_float64_at_every_61st_number(name):
    for start in range(61):
        x = float32_sweep(name, step=61 * 61, start=61 * start)
        for fma in (True, False):
            error = ulps_of_float32(compiled("float32", fma)[name](x), in_float64(name, x))
            assert error.max() <= greatest(name, "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tanh", "erf"])
def test_no_value_exceeds_1(name, dtype):
    (x,) = arguments(name, dtype, 20_000)
    for fma in (True, False):
        assert np.abs(compiled(dtype, fma)[name](x)).max() <= 1
