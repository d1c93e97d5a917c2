"""Values and gradients at zeros, infinities, NaN, ties, and very large and very small numbers.

The expected numbers are limits of the mathematical derivative where it has one; at a kink they are the
convention that the primitive's docstring states.
"""

from __future__ import annotations

import math

import array_api_strict
import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.graph import ops

INF, NAN = math.inf, math.nan
BIG, TINY = 1e300, 5e-324  # TINY is subnormal
ROOT_PI = 2 / math.sqrt(math.pi)

# function: (x, value, derivative)
UNARY = {
    snp.negative: [(0.0, -0.0, -1), (-0.0, 0.0, -1), (INF, -INF, -1), (NAN, NAN, -1), (TINY, -TINY, -1)],
    snp.abs: [(0.0, 0, 0), (-0.0, 0, 0), (-INF, INF, -1), (INF, INF, 1), (-TINY, TINY, -1), (NAN, NAN, NAN)],
    snp.sign: [(0.0, 0, 0), (-0.0, 0, 0), (-INF, -1, 0), (TINY, 1, 0), (NAN, NAN, 0)],
    snp.floor: [(0.0, 0, 0), (-0.0, -0.0, 0), (2.0, 2, 0), (-TINY, -1, 0), (INF, INF, 0), (NAN, NAN, 0)],
    snp.exp: [(0.0, 1, 1), (-INF, 0, 0), (INF, INF, INF), (1000, INF, INF), (-1000, 0, 0), (NAN, NAN, NAN)],
    snp.expm1: [
        (0.0, 0, 1),
        (-0.0, -0.0, 1),
        (TINY, TINY, 1),
        (1e-20, 1e-20, 1),
        (-INF, -1, 0),
        (INF, INF, INF),
    ],
    snp.log: [
        (0.0, -INF, INF),
        (-0.0, -INF, -INF),
        (1.0, 0, 1),
        (INF, INF, 0),
        (-1.0, NAN, -1),
        (NAN, NAN, NAN),
    ],
    snp.log1p: [(0.0, 0, 1), (-0.0, -0.0, 1), (1e-20, 1e-20, 1), (-1.0, -INF, INF), (INF, INF, 0)],
    snp.sqrt: [(0.0, 0, INF), (1.0, 1, 0.5), (INF, INF, 0), (-1.0, NAN, NAN), (BIG, 1e150, 5e-151)],
    snp.sin: [(0.0, 0, 1), (-0.0, -0.0, 1), (TINY, TINY, 1), (INF, NAN, NAN), (NAN, NAN, NAN)],
    snp.cos: [(0.0, 1, 0), (TINY, 1, -TINY), (-INF, NAN, NAN)],
    snp.tanh: [
        (0.0, 0, 1),
        (-0.0, -0.0, 1),
        (INF, 1, 0),
        (-INF, -1, 0),
        (1000, 1, 0),
        (TINY, TINY, 1),
        (NAN, NAN, NAN),
    ],
    ops.sigmoid: [
        (0.0, 0.5, 0.25),
        (INF, 1, 0),
        (-INF, 0, 0),
        (-40.0, math.exp(-40), math.exp(-40)),
        (1000, 1, 0),
        (NAN, NAN, NAN),
    ],
    snp.erf: [
        (0.0, 0, ROOT_PI),
        (-0.0, -0.0, ROOT_PI),
        (INF, 1, 0),
        (-INF, -1, 0),
        (BIG, 1, 0),
        (NAN, NAN, NAN),
    ],
    # composed functions
    snp.sinh: [
        (0.0, 0, 1),
        (-0.0, -0.0, 1),
        (1e-20, 1e-20, 1),
        (INF, INF, INF),
        (-INF, -INF, INF),
        (NAN, NAN, NAN),
    ],
    snp.cosh: [(0.0, 1, 0), (INF, INF, INF), (-INF, INF, -INF), (NAN, NAN, NAN)],
    snp.square: [(0.0, 0, 0), (-0.0, 0, 0), (INF, INF, INF), (-INF, INF, -INF)],
    snp.reciprocal: [(0.0, INF, -INF), (-0.0, -INF, -INF), (INF, 0, 0)],
    snp.round: [
        (0.5, 0, 0),
        (1.5, 2, 0),
        (-0.5, 0, 0),
        (-2.5, -2, 0),
        (INF, INF, 0),
        (NAN, NAN, 0),
        (1e300, 1e300, 0),
    ],
    snp.trunc: [(-0.9, 0, 0), (1.9, 1, 0), (-INF, -INF, 0)],
    snp.ceil: [(0.1, 1, 0), (-0.9, 0, 0), (INF, INF, 0)],
}

# function: (x, y, value, derivative by x, derivative by y)
BINARY = {
    snp.maximum: [
        (1.0, 1.0, 1, 0.5, 0.5),
        (0.0, -0.0, 0, 0.5, 0.5),
        (INF, INF, INF, 0.5, 0.5),
        (-INF, 0.0, 0, 0, 1),
        (NAN, 1.0, NAN, 0, 0),
        (TINY, 0.0, TINY, 1, 0),
    ],
    snp.minimum: [
        (1.0, 1.0, 1, 0.5, 0.5),
        (-0.0, 0.0, 0, 0.5, 0.5),
        (-INF, -INF, -INF, 0.5, 0.5),
        (INF, 0.0, 0, 0, 1),
        (1.0, NAN, NAN, 0, 0),
        (TINY, 0.0, 0, 0, 1),
    ],
    snp.divide: [
        (1.0, 0.0, INF, INF, -INF),
        (-1.0, 0.0, -INF, INF, INF),
        (0.0, 0.0, NAN, INF, NAN),
        (1.0, INF, 0, 0, 0),
        (BIG, 1e-300, INF, 1e300, -INF),
        (0.0, 2.0, 0, 0.5, 0),
    ],
    snp.pow: [
        (0.0, 2.0, 0, 0, 0),
        (0.0, 1.0, 0, 1, 0),
        (0.0, 0.5, 0, INF, 0),
        (0.0, 0.0, 1, 0, 0),
        (0.0, -1.0, INF, -INF, -INF),
        (-2.0, 3.0, -8, 12, NAN),
        (-2.0, 0.0, 1, 0, NAN),
        (3.0, 0.0, 1, 0, math.log(3)),
        (INF, 0.0, 1, 0, INF),
        (INF, 1.0, INF, 1, INF),
        (1.0, INF, 1, INF, 0),
        (-0.0, 2.0, 0, 0, 0),
        (-0.0, 3.0, 0, 0, 0),
    ],
    snp.multiply: [(0.0, INF, NAN, INF, 0), (BIG, BIG, INF, BIG, BIG), (TINY, 0.5, 0, 0.5, TINY)],
    snp.logaddexp: [
        (0.0, 0.0, math.log(2), 0.5, 0.5),
        (-INF, -INF, -INF, NAN, NAN),
        (INF, 0.0, INF, NAN, 0),
        (0.0, -INF, 0, 1, 0),
        (1e4, -1e4, 1e4, 1, 0),
        (-1e4, -1e4, -1e4 + math.log(2), 0.5, 0.5),
        (0.0, -50.0, math.exp(-50), 1, math.exp(-50)),
    ],
    snp.hypot: [
        (0.0, 0.0, 0, 0, 0),
        (3.0, -4.0, 5, 0.6, -0.8),
        (1e300, 1e300, 1e300 * math.sqrt(2), math.sqrt(0.5), math.sqrt(0.5)),
        (1e-300, 0.0, 1e-300, 1, 0),
        (-INF, NAN, INF, 0, 0),
        (INF, 1.0, INF, 0, 0),
    ],
}


def rows(table: dict, variables: int) -> list:
    return [
        pytest.param(f, *row, id=f"{getattr(f, '__name__', i)}{i}-{row[:variables]}")
        for i, (f, its_rows) in enumerate(table.items())
        for row in its_rows
    ]


@pytest.mark.parametrize(("f", "x", "value", "slope"), rows(UNARY, 1))
@pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "strict"])
def test_a_function_of_one_variable_at_its_edges(f, x, value, slope, xp) -> None:
    at = sp.input("x", (), "float64")
    y = f(at)
    found = [float(v) for v in sp.evaluate([y, sp.backprop(y, at)], {at: x}, xp=xp)]
    np.testing.assert_allclose(found, [value, slope], rtol=1e-14, atol=0)
    if value == 0:
        assert math.copysign(1, found[0]) == math.copysign(1, value) or f in (snp.round, snp.trunc, snp.ceil)


@pytest.mark.parametrize(("f", "x", "y", "value", "by_x", "by_y"), rows(BINARY, 2))
@pytest.mark.parametrize("xp", [np, array_api_strict], ids=["numpy", "strict"])
def test_a_function_of_two_variables_at_its_edges(f, x, y, value, by_x, by_y, xp) -> None:
    a, b = sp.input("x", (), "float64"), sp.input("y", (), "float64")
    z = f(a, b)
    found = sp.evaluate([z, *sp.backprop(z, [a, b])], {a: x, b: y}, xp=xp)
    np.testing.assert_allclose([float(v) for v in found], [value, by_x, by_y], rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("x", "gradient"),
    [
        ([1.0, 3.0, 3.0], [0, 0.5, 0.5]),
        ([0.0, -0.0, -1.0], [0.5, 0.5, 0]),
        ([2.0, 2.0, 2.0, 2.0], [0.25] * 4),
        ([INF, INF, 0.0], [0.5, 0.5, 0]),
        ([-INF, -INF], [0.5, 0.5]),
        ([NAN, 1.0], [NAN, NAN]),
    ],
)
def test_ties_share_the_gradient_of_max_and_min_equally(x, gradient) -> None:
    np.testing.assert_array_equal(sp.grad(snp.max)(x), gradient)
    np.testing.assert_array_equal(sp.grad(snp.min)(np.negative(x)), gradient)


def test_argmax_and_argmin_take_the_first_of_ties_and_the_first_nan() -> None:
    for x in ([1.0, 3.0, 3.0], [2.0, NAN, 5.0, NAN], [-0.0, 0.0], [INF, -INF]):
        assert snp.argmax(x).item() == np.argmax(x)
        assert snp.argmin(x).item() == np.argmin(x)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "uint64", "bool"])
def test_the_smallest_whole_number_is_found_without_overflow(dtype) -> None:
    limits = [False, True] if dtype == "bool" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    x = np.array([limits[1], limits[0], limits[1]], dtype=dtype)
    assert snp.min(x).numpy() == x.min()
    assert snp.min(x).dtype == x.dtype
    assert snp.argmin(x).item() == 1


@pytest.mark.parametrize("f", [snp.sum, snp.max, snp.mean])
def test_nan_and_infinity_pass_through_a_reduction_as_in_numpy(f) -> None:
    numpys = getattr(np, f.__name__)
    for x in ([1.0, NAN], [INF, 1.0], [-INF, -INF], [1e308, 1e308]):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(f(np.array(x)).numpy(), numpys(np.array(x)))


@pytest.mark.parametrize("index", [0, -1])
def test_an_infinite_update_touches_only_its_own_row(index) -> None:
    expected = np.array([1.0, 2.0])
    expected[index] = INF
    for xp in (np, array_api_strict):
        y = sp.scatter_add(np.array([1.0, 2.0]), [index], np.array([INF]))
        np.testing.assert_array_equal(np.asarray(sp.evaluate([y], xp=xp)[0]), expected)


@pytest.mark.parametrize(
    "f", [snp.sinh, snp.cosh, snp.tanh, snp.expm1, lambda x: x**2, lambda x: x**2.0, snp.square, snp.log1p]
)
def test_second_derivatives_at_zero_are_those_of_the_smooth_function(f) -> None:
    sp.check_gradient(f, np.zeros(2))


def test_composed_functions_are_smooth_where_their_formula_changes_branch() -> None:
    ties = np.array([0.3, -1.2])
    sp.check_gradient(snp.logaddexp, ties, ties)
    sp.check_gradient(snp.hypot, ties, ties)
    sp.check_gradient(snp.hypot, ties, -ties)
    sp.check_gradient(lambda x: snp.logsumexp(x, 1), np.zeros((2, 3)))


def test_gradients_of_integers_made_of_floats_are_zero() -> None:
    assert sp.grad(lambda x: (x * 3).astype("int64").astype("float64") * 2)(1.5) == 0
    assert sp.grad(lambda x: x * (x > 1).astype("float64"))(1.5) == 1
