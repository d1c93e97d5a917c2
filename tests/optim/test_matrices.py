"""Roots by iteration against eigendecompositions, and products along axes against einsum."""

import numpy as np
import pytest

from spusk.graph import evaluate
from spusk.graph import input as new_input
from spusk.optim.matrices import along, descending, gram, inverse_root, orthogonal


def matrix(condition, n=20):
    random = np.random.default_rng(11)
    q, _ = np.linalg.qr(random.normal(size=(n, n)))
    values = np.geomspace(1.0, 1 / condition, n)
    return (q * values) @ q.T, lambda power, ridge=0.0: q * (values + ridge) ** power @ q.T


def found(f, *arrays):
    inputs = [new_input("x", a.shape, a.dtype) for a in arrays]
    return evaluate([f(*inputs)], dict(zip(inputs, arrays, strict=True)))[0]


def error(root, expected):
    return np.abs(root - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(
    ("p", "condition", "bound"),
    [(2, 1e4, 1e-12), (2, 1e6, 1e-10), (4, 1e4, 1e-12), (4, 1e6, 1e-10), (4, 1e8, 1e-8), (6, 1e8, 1e-8), (8, 1e8, 1e-8)],
)  # fmt: skip
def test_25_iterations_give_a_root_to_the_condition_number_times_the_precision(p, condition, bound):
    a, exact = matrix(condition)
    assert error(found(lambda x: inverse_root(x, p, 25), a), exact(-1 / p)) < bound


@pytest.mark.parametrize("p", [2, 4, 6])
@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10, 1e16])
@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-6), ("float32", 1e-2)])
def test_with_a_ridge_every_condition_number_is_good(p, condition, dtype, bound):
    a, exact = matrix(condition)
    root = found(lambda x: inverse_root(x, p, 25, 1e-6), a.astype(dtype))
    assert root.dtype == dtype
    assert error(root, exact(-1 / p, 1e-6 * np.linalg.norm(a))) < bound


@pytest.mark.parametrize("p", [1, 2, 4])
@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_each_iteration_is_guo_and_higham_s(p, iterations):
    # Equation 3.4, from the start that they give for a matrix whose norm is known.
    a, _ = matrix(100.0, n=5)
    z = (1 + p) / (2 * np.linalg.norm(a))
    x, m = z ** (1 / p) * np.eye(5), z * a
    for _ in range(iterations):
        t = ((p + 1) * np.eye(5) - m) / p
        x, m = x @ t, np.linalg.matrix_power(t, p) @ m
    np.testing.assert_allclose(found(lambda y: inverse_root(y, p, iterations), a), x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_a_root_has_no_favourite_unit(scale):
    a, exact = matrix(100.0)
    np.testing.assert_allclose(
        found(lambda x: inverse_root(x, 4, 25), a * scale), exact(-0.25) * scale**-0.25, rtol=1e-9, atol=1e-12 * scale**-0.25
    )  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_products_along_an_axis_are_einsum_s(axis):
    random = np.random.default_rng(2)
    x = random.normal(size=(2, 3, 4))
    factor, diagonal = random.normal(size=(x.shape[axis],) * 2), random.normal(size=x.shape[axis])
    letters = "abc"
    one, other = letters[axis], letters.replace(letters[axis], "z")
    np.testing.assert_allclose(
        found(lambda y: gram(y, axis), x), np.einsum(f"abc,{other}->{one}z", x, x), rtol=1e-12
    )
    np.testing.assert_allclose(
        found(lambda y, f: along(y, axis, f), x, factor),
        np.einsum(f"z{one},abc->{other}", factor, x),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        found(lambda y, f: along(y, axis, f), x, diagonal),
        np.einsum(f"{one},abc->abc", diagonal, x),
        rtol=1e-15,
    )


@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_orthogonal_factor_is_lapack_s_with_a_positive_diagonal(n, seed):
    s = np.random.default_rng(seed).normal(size=(n, n))
    q, r = np.linalg.qr(s)
    np.testing.assert_allclose(found(orthogonal, s), q * np.sign(np.diag(r)), atol=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 3])
@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-14), ("float32", 1e-6)])
def test_an_orthogonal_factor_is_orthogonal_whatever_the_rank(rank, dtype, atol):
    random = np.random.default_rng(4)
    s = (random.normal(size=(6, rank)) @ random.normal(size=(rank, 6))).astype(dtype)
    q = found(orthogonal, s)
    np.testing.assert_allclose(q.T @ q, np.eye(6), atol=atol)
    np.testing.assert_allclose(np.tril(q.T @ s, -1), 0, atol=atol * 10)


@pytest.mark.parametrize("size", [1.0, 0.0, 0.5])
def test_the_orthogonal_factor_of_a_multiple_of_the_identity_is_the_identity(size):
    np.testing.assert_allclose(found(orthogonal, size * np.eye(4)), np.eye(4), atol=1e-15)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_columns_that_hardly_leave_their_axes_are_turned_back_to_the_last_digit(sign):
    # A reflection to the near end of the axis would lose them in a difference of equal numbers.
    s = sign * np.eye(4) + 1e-9 * np.random.default_rng(3).normal(size=(4, 4))
    q = found(orthogonal, s)
    np.testing.assert_allclose(np.tril(q.T @ s, -1), 0, atol=1e-15)
    np.testing.assert_allclose(q, sign * np.eye(4), atol=1e-8)


@pytest.mark.parametrize("values", [[1.0, 3.0, 2.0], [2.0, 1.0, 2.0, 0.0, 2.0], [0.0, 0.0], [5.0]])
def test_sorting_puts_the_greatest_first_and_keeps_ties(values):
    order = found(descending, np.array(values))
    expected = np.argsort(-np.array(values), kind="stable")
    np.testing.assert_array_equal(np.arange(len(values)) @ order, expected)
