"""Signed zeros, infinities, NaN and subnormal numbers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from compile.vectormath.loops import DTYPES, compiled
from compile.vectormath.samples import in_float64

from spusk.compile.vectormath import ARGUMENTS

UNARY = [name for name in ARGUMENTS if name != "pow"]


def special(dtype: str) -> list[float]:
    info = np.finfo(dtype)
    positive = [0.0, info.smallest_subnormal, info.tiny, 0.5, 1.0, 1.5, 2.0, 3.0, 1e9 + 1, info.max, np.inf]
    odd = [float(2**info.nmant + 1), float(2 ** (info.nmant + 1) - 1), float(2 ** (info.nmant + 1))]
    return [sign * float(v) for v in positive + odd for sign in (1, -1)] + [np.nan]


def in_longer_format(name, *x):
    """What NumPy says: of float32 in float64 and rounded, so that nothing depends on its float32 code."""
    with np.errstate(all="ignore"):
        return in_float64(name, *x).astype(x[0].dtype)


def assert_same(got, expected):
    """Equal in sign and kind, and nearly so in value."""
    ordinary = np.isfinite(expected) & (expected != 0)
    np.testing.assert_array_equal(got[~ordinary], expected[~ordinary])
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(expected[zero]))
    # Halved, as the largest number has no spacing.
    spacing = 2 * np.spacing(np.abs(expected[ordinary]) / 2)
    assert (np.abs(got[ordinary] - expected[ordinary]) <= 4 * spacing).all()


@pytest.mark.parametrize(("name", "dtype", "fma"), list(product(UNARY, DTYPES, (True, False))))
def test_special_values_are_numpys(name, dtype, fma):
    x = np.array(special(dtype), dtype)
    assert_same(compiled(dtype, fma)[name](x), in_longer_format(name, x))


@pytest.mark.parametrize(("dtype", "fma"), list(product(DTYPES, (True, False))))
def test_special_powers_are_numpys(dtype, fma):
    x, y = (np.array(column, dtype) for column in zip(*product(special(dtype), repeat=2), strict=True))
    assert_same(compiled(dtype, fma)["pow"](x, y), in_longer_format("pow", x, y))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("exp", 0.0, 1.0),
        ("cos", 0.0, 1.0),
        ("log", 1.0, 0.0),
        ("sigmoid", 0.0, 0.5),
        ("tanh", 30.0, 1.0),
        ("erf", 7.0, 1.0),
    ],
)
def test_values_that_formulas_rely_on_are_exact(name, x, value, dtype):
    for fma in (True, False):
        assert compiled(dtype, fma)[name]([x])[0] == value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "sin"])
def test_the_smallest_numbers_are_their_own_values(name, dtype):
    x = np.finfo(dtype).smallest_subnormal * np.array([1, 2, 3, 1001], dtype)
    for fma in (True, False):
        np.testing.assert_array_equal(compiled(dtype, fma)[name](x), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_below_the_normal_numbers_are_not_flushed(dtype):
    x = -np.array([88.0, 100.0] if dtype == "float32" else [709.0, 740.0], dtype)
    for name in ("exp", "sigmoid"):
        assert (compiled(dtype, True)[name](x) > 0).all()
