"""What `where` masks stays out of the gradient, whatever lies behind the mask."""

from __future__ import annotations

from collections.abc import Callable

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp
from spusk import Tensor

INF, NAN = np.inf, np.nan

# Functions of x [3] that are wrong (NaN, ±inf) where x is 0, NaN or negative, and right where x is 4.
BEHIND: dict[str, Callable[[Tensor], Tensor]] = {
    "log": snp.log,
    "sqrt": snp.sqrt,
    "reciprocal": lambda x: 1 / x,
    "power": lambda x: x**-1.5,
    "chain": lambda x: snp.tanh(snp.exp(1 / snp.sqrt(x)) * x),
    "fan-out": lambda x: snp.log(x) * snp.sqrt(x) + 1 / x,
    "product with infinity": lambda x: x * snp.where(x == 4, 1.0, INF),
    "reshaped": lambda x: snp.reshape(snp.log(snp.reshape(x, (3, 1))), (3,)),
    "transposed": lambda x: (1 / snp.broadcast_to(x, (2, 3))).T[:, 1],
    "flipped": lambda x: snp.flip(snp.flip(snp.log(x)) * 2.0),
    "sliced": lambda x: snp.concat([snp.log(x)[:1], snp.sqrt(x)[1:]]),
    "padded": lambda x: snp.pad(1 / x, 2)[2:5],
    "taken": lambda x: snp.take(snp.log(x), [2, 0, 1])[np.array([1, 2, 0])],
    "scattered": lambda x: sp.scatter_add(snp.zeros(3, dtype="float64"), [0, 1, 2], snp.log(x)),
    "summed": lambda x: (snp.log(x)[:, None] * np.array([1.0, 2.0])).sum(axis=1),
    "maximum": lambda x: snp.maximum(snp.log(x), 1 / x),
    "another where": lambda x: snp.where(np.array([True, False, True]), snp.log(x), 1 / x),
    "cast": lambda x: snp.astype(snp.log(snp.astype(x, "float32")), "float64"),
}


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.parametrize("bad", [0.0, -0.0, -1.0, INF, -INF, NAN])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_masked_element_has_gradient_zero_in_first_and_second_order(name, bad, wanted) -> None:
    f = BEHIND[name]
    mask = np.array([True, False, True])

    def g(x: Tensor) -> Tensor:
        chosen = snp.where(mask, f(x), 0) if wanted else snp.where(~mask, 0, f(x))
        return chosen.sum()

    x, safe = np.array([4.0, bad, 4.0]), np.array([4.0, 2.0, 4.0])
    for derivative in (sp.grad(g), lambda x: sp.hvp(g)(x, np.array([1.0, -1.0, 2.0]))):
        found, reference = derivative(x), derivative(safe)
        assert found[1] == 0
        np.testing.assert_allclose(found[[0, 2]], reference[[0, 2]], rtol=1e-6)


def test_the_mask_may_be_a_scalar_or_a_column() -> None:
    x = np.array([[0.0, 1.0], [2.0, 3.0]])
    rows = np.array([[False], [True]])
    np.testing.assert_array_equal(
        sp.grad(lambda x: snp.where(rows, snp.log(x), 0).sum())(x), [[0, 0], [1 / 2, 1 / 3]]
    )
    np.testing.assert_array_equal(sp.grad(lambda x: snp.where(False, 1 / x, x).sum())(x), np.ones((2, 2)))
    np.testing.assert_array_equal(sp.grad(lambda x: snp.where(x.min() > 0, snp.log(x), 0).sum())(x), 0 * x)


def test_a_broadcast_branch_that_is_masked_everywhere_has_gradient_zero() -> None:
    nowhere = np.zeros(3, dtype=bool)
    assert sp.grad(lambda s: snp.where(nowhere, 1 / s, 5.0).sum())(0.0) == 0
    once = np.array([False, True, False])
    assert sp.grad(lambda s: snp.where(once, 1 / s, 5.0).sum())(2.0) == -0.25


def test_a_node_used_behind_two_masks_is_masked_where_both_are() -> None:
    def f(x: Tensor) -> Tensor:
        y = snp.log(x)
        return (
            snp.where(np.array([True, False, False]), y, 0) + snp.where(np.array([False, True, False]), y, 0)
        ).sum()

    np.testing.assert_array_equal(sp.grad(f)([4.0, 2.0, 0.0]), [0.25, 0.5, 0])


def test_a_node_that_is_also_used_without_a_mask_keeps_its_true_gradient() -> None:
    def f(x: Tensor) -> Tensor:
        y = snp.log(x)
        return (snp.where(x > 1, y, 0) + y).sum()

    np.testing.assert_array_equal(sp.grad(f)([4.0, 0.0]), [0.5, INF])
    both = sp.grad(lambda x: snp.where(x > 1, snp.sqrt(x), 2 * snp.sqrt(x)).sum())([4.0, 0.0])
    np.testing.assert_array_equal(both, [0.25, INF])


def test_nested_masks_hide_what_either_of_them_hides() -> None:
    def f(x: Tensor) -> Tensor:
        return snp.where(x > 0, snp.where(x < 10, snp.log(x) * snp.sqrt(10 - x), 1 / (x - 10)), x * x).sum()

    x = np.array([0.0, 10.0, -3.0, 5.0])
    first = sp.grad(f)(x)
    assert np.isfinite(first[[0, 2, 3]]).all()
    assert first[0] == 0
    assert first[2] == -6
    sp.check_gradient(f, np.array([-3.0, 5.0, 20.0]))


@pytest.mark.parametrize("xp", [np, array_api_strict])
def test_masks_work_in_every_namespace(xp) -> None:
    x = sp.input("x", (3,), "float64")
    y = snp.where(x > 0, snp.log(x) + snp.sqrt(x), 0).sum()
    (found,) = sp.evaluate([sp.backprop(y, x)], {x: [1.0, 0.0, -1.0]}, xp=xp)
    np.testing.assert_array_equal(np.asarray(found), [1.5, 0, 0])


unary = st.sampled_from(
    [snp.log, snp.sqrt, snp.exp, lambda x: 1 / x, lambda x: x * x, snp.tanh, snp.negative]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(unary, min_size=1, max_size=6), st.sampled_from([0.0, -1.0, NAN, INF, -INF, 1e308]))
def test_no_chain_of_functions_brings_a_masked_value_back(chain, bad) -> None:
    def f(x: Tensor) -> Tensor:
        y = x
        for g in chain:
            y = g(y) + y
        return snp.where(x == 1, y, 7.0).sum()

    gradient = sp.grad(f)([1.0, bad])
    assert gradient[1] == 0
    np.testing.assert_array_equal(gradient[:1], sp.grad(f)([1.0]))
    assert sp.hvp(f)([1.0, bad], [1.0, 1.0])[1] == 0
