"""What the functions of `spusk.numpy` do at the edges, as NumPy does it, and what they refuse."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.errors import DTypeError, InputError, ShapeError

BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])
INF, NAN = math.inf, math.nan


def found(f, backend: str, *values: np.ndarray) -> np.ndarray:
    """A function's result, where its arguments are inputs of a program."""
    inputs = {str(i): sp.input(str(i), v.shape, v.dtype) for i, v in enumerate(values)}
    program = Program({"y": f(*inputs.values())}, inputs, backend=backend)
    return program(dict(zip(inputs, values, strict=True)))["y"]


@BACKENDS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["remainder", "floor_divide"])
def test_division_by_infinity_is_that_of_numpy(backend, dtype, name):
    numbers = np.array([0.0, 0.3, -0.3, 1.0, -1.0, 5.5, -5.5, INF, -INF, NAN], dtype)
    x, y = (a.ravel() for a in np.meshgrid(numbers, numbers[numbers != 0]))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    got = found(getattr(snp, name), backend, x, y)
    if name == "floor_divide":  # NumPy has NaN for ±∞ // y; the quotient is ±∞
        x, y, expected, got = (a[np.isfinite(x)] for a in (x, y, expected, got))
    np.testing.assert_allclose(got, expected, rtol=0, atol=3 * np.finfo(dtype).eps)


def test_gradients_of_a_remainder_by_infinity_are_finite():
    for x, y, quotient in ((1.0, INF, 0), (-1.0, INF, -1), (7.0, 2.0, 3)):
        assert [float(g) for g in sp.grad(snp.remainder, (0, 1))(x, y)] == [1, -quotient]


@BACKENDS
def test_a_bound_that_is_nan_makes_all_nan_as_in_numpy(backend):
    x, low, high = (a.ravel() for a in np.meshgrid([1.0, 3.0, NAN], [NAN, 2.0], [5.0, 2.5, NAN]))
    np.testing.assert_array_equal(found(snp.clip, backend, x, low, high), np.clip(x, low, high))
    np.testing.assert_array_equal(found(lambda x: snp.clip(x, NAN, 5.0), backend, x), np.clip(x, NAN, 5.0))
    np.testing.assert_array_equal(found(lambda x: snp.clip(x, 2, None), backend, x), np.clip(x, 2, None))


@BACKENDS
@pytest.mark.parametrize(("dtype", "most"), [("float32", 89.0), ("float64", 710.0)])
def test_hyperbolic_functions_reach_as_far_as_their_values(backend, dtype, most):
    x = np.concatenate([np.linspace(-most, most, 1001), [1e-10, 1e-3, 0.5, most + 2, INF]]).astype(dtype)
    with np.errstate(over="ignore"):
        for f, numpys in ((snp.sinh, np.sinh), (snp.cosh, np.cosh)):
            np.testing.assert_allclose(found(f, backend, x), numpys(x), rtol=12 * np.finfo(dtype).eps)
    assert np.isfinite(found(snp.cosh, backend, np.array([most], dtype))).all()


@BACKENDS
def test_truth_values_have_an_exclusive_or(backend):
    a, b = np.array([False, False, True, True]), np.array([False, True, False, True])
    for f in (snp.bitwise_xor, lambda a, b: a ^ b, np.bitwise_xor):
        np.testing.assert_array_equal(found(f, backend, a, b), a ^ b)
    assert (True ^ snp.asarray(b)).numpy().tolist() == (True ^ b).tolist()
    with pytest.raises(DTypeError, match=r"^\^ needs truth values and got int64 "):
        snp.asarray([1]) ^ snp.asarray([2])


X = sp.input("x", (4,))
REFUSED = [
    (lambda: snp.sum(X, axis=1.0), "sum got axis 1.0; an axis is a whole number"),
    (lambda: snp.sum(X, axis="a"), "sum got axis 'a'; an axis is a whole number"),
    (lambda: X[::0], "an index got the slice ::0; it needs whole numbers, and a step other than 0"),
    (lambda: X[0.5:], "an index got the slice 0.5::; it needs whole numbers, and a step other than 0"),
    (lambda: snp.repeat(X, -1), "repeat got -1 repetitions; it needs 0 or more"),
    (lambda: snp.repeat(X, 1.5), "repeat got 1.5 repetitions; it needs 0 or more"),
    (lambda: snp.tile(X, -1), "tile got -1 repetitions; it needs 0 or more"),
    (lambda: snp.tile(X, (2, 1.5)), "tile got 1.5 repetitions; it needs 0 or more"),
    (lambda: snp.logsumexp(np.zeros(0)), "logsumexp got shape (0,): no elements to add"),
]


@pytest.mark.parametrize(("f", "sentence"), REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(f, sentence):
    with pytest.raises(ShapeError, match="^" + re.escape(sentence) + r" \(test_edges\.py:\d+\)$"):
        f()


def test_an_array_may_be_tiled_by_one_number():
    x = np.arange(6.0).reshape(2, 3)
    for n in (0, 1, 3, np.int64(2)):
        np.testing.assert_array_equal(snp.tile(x, n).numpy(), np.tile(x, n))
    assert snp.repeat(x, 0, axis=0).shape == (0, 3)
    assert snp.logsumexp(np.zeros((0, 3)), axis=1).shape == (0,)


@BACKENDS
def test_a_tensor_is_no_value_for_an_input(backend):
    x = sp.input("x", (2,))
    program = Program({"x": x + 1}, {"x": x}, {"x": "x"}, backend)
    for given in (x, [x, x]):
        with pytest.raises(InputError, match=r"^input 'x' was given a Tensor; it needs numbers \(float32\)$"):
            program.run({"x": given}, steps=1)
