"""Chains of 100,000 nodes: no stack overflows, and nothing grows faster than the chain."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.graph import Evaluator, topological

DEPTH = 100_000


def chain(x: sp.Tensor, w: sp.Tensor, depth: int) -> sp.Tensor:
    y = x
    for _ in range(depth // 2):
        y = y * w + 0.25
    return y


@pytest.fixture(scope="module")
def deep() -> tuple[sp.Tensor, sp.Tensor, sp.Tensor]:
    x, w = sp.input("x", (), "float64"), sp.input("w", (), "float64")
    return x, w, chain(x, w, DEPTH)


def test_a_deep_chain_is_evaluated(deep) -> None:
    x, w, y = deep
    expected = 1.0
    for _ in range(DEPTH // 2):
        expected = expected * 0.5 + 0.25
    assert y.numpy({x: 1.0, w: 0.5}) == expected


def test_a_deep_chain_is_differentiated_twice(deep) -> None:
    x, w, y = deep
    by_x, by_w = sp.backprop(y, [x, w])
    (second,) = sp.backprop(by_w, [w])
    found = sp.evaluate([by_x, by_w, second], {x: 0.5, w: 0.5})
    # y(w) → 0.25 / (1 − w) when the chain is long
    np.testing.assert_allclose(found, [0, 0.25 / 0.5**2, 2 * 0.25 / 0.5**3], rtol=1e-12)


def test_a_deep_chain_is_printed_a_line_a_node(deep) -> None:
    _, _, y = deep
    text = sp.graph_text(y)
    assert text.count("\n") + 1 == DEPTH + 2
    assert text.splitlines()[-1].split()[:2] == [f"%{DEPTH}", "="]


def test_a_deep_chain_is_freed_at_once_when_nobody_holds_it() -> None:
    x, w = sp.input("x"), sp.input("w")
    y = chain(x, w, DEPTH)
    g = sp.backprop(y, w)
    evaluator = Evaluator([y, g], [x, w])
    watched = [weakref.ref(t) for t in topological([y, g])[:: DEPTH // 10] if t.inputs]
    gc.disable()  # reference counts alone must do it: nodes form no cycles
    try:
        del y, g, evaluator
        assert watched
        assert not any(ref() for ref in watched)
    finally:
        gc.enable()


def test_a_wide_sum_of_many_branches_is_differentiated() -> None:
    x = sp.input("x", (), "float64")
    branches = [snp.sin(x * float(i)) for i in range(20_000)]
    y = snp.stack(branches).sum()
    assert float(sp.backprop(y, x).numpy({x: 0.0})) == sum(range(20_000))


def test_masks_stay_cheap_in_a_deep_chain() -> None:
    x = sp.input("x", (3,), "float64")
    y = x
    for _ in range(3000):
        y = snp.where(y > 0, y, 0.5 * y) + 0.0
    g = sp.backprop(y.sum(), x)
    assert len(topological([g])) < 60_000
    np.testing.assert_array_equal(g.numpy({x: [1.0, 2.0, 3.0]}), [1, 1, 1])


def test_a_masked_deep_chain_of_nonlinear_functions_stays_linear_in_size() -> None:
    def size(n: int) -> int:
        x = sp.input("x", (3,), "float64")
        y = x
        for _ in range(n):
            y = snp.tanh(y * y)
        return len(topological([sp.backprop(snp.where(x > 0, y, 0).sum(), x)]))

    assert size(300) - size(200) == size(200) - size(100)
