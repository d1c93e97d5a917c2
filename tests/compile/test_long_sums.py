"""Sums of millions of float32 numbers keep six digits, along whichever axis and in whatever kernel."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.compile.products import LONGEST
from spusk.compile.widen import LONG

ROWS = 2_000_000  # one chain of float32 over them is wrong by 1e-4 and more

RNG = np.random.default_rng(0)
X = RNG.random((ROWS, 3), np.float32)
G = RNG.random(ROWS, np.float32)

SUMS = {
    "all": lambda x, g: snp.sum(x * x),
    "mean": lambda x, g: snp.mean(x, 0),
    "rows": lambda x, g: snp.sum(x, 0),
    "dot": lambda x, g: g @ g,
    "vector by matrix": lambda x, g: g @ x,
    "matrix by vector": lambda x, g: x.T @ g,
    "matrix by matrix": lambda x, g: x.T @ x,
    "batched": lambda x, g: snp.reshape(g, (2, 1, -1)) @ snp.reshape(g, (2, -1, 1)),
}


def program(f, **arrays):
    inputs = {name: sp.input(name, a.shape, a.dtype) for name, a in arrays.items()}
    return Program({"y": f(**inputs)}, inputs)


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_of_two_million_float32_numbers_keeps_six_digits(name):
    found = program(SUMS[name], x=X, g=G)({"x": X, "g": G})["y"]
    wide = {"x": X.astype(np.float64), "g": G.astype(np.float64)}
    np.testing.assert_allclose(found, program(SUMS[name], **wide)(wide)["y"], rtol=4e-6)
    assert found.dtype == np.float32


def test_short_sums_stay_float32():
    def ops(n):
        x = sp.input("x", (n,), "float32")
        stages = Program({"y": snp.sum(x)}, {"x": x}).native.stages
        return {op.dtype.name for op in stages.merged.schedule.flow.ops}

    assert ops(LONG) == {"float32"}
    assert ops(LONG + 1) == {"float32", "float64"}


def test_a_chain_of_a_product_begins_anew_after_its_longest():
    """2²⁴ + 1 + 1 + … stands still in one chain; each later part of ones arrives whole."""
    x = np.ones((1, 4 * LONGEST), np.float32)
    x[0, 0] = 2.0**24
    w = np.ones((4 * LONGEST, 3), np.float32)  # each element of x @ w is a chain of its own
    total = program(lambda x, w: x @ w, x=x, w=w)({"x": x, "w": w})["y"]
    np.testing.assert_array_equal(total, np.full((1, 3), 2.0**24 + 3 * LONGEST))


def test_constants_are_summed_as_well_as_inputs():
    found = Program({"y": snp.mean(snp.asarray(X), 0), "z": snp.asarray(G) @ snp.asarray(X)}, {})({})
    np.testing.assert_allclose(found["y"], X.astype(np.float64).mean(0), rtol=1e-7)
    np.testing.assert_allclose(found["z"], G.astype(np.float64) @ X.astype(np.float64), rtol=4e-6)


def test_a_long_sum_does_not_overflow_on_its_way():
    """The interpreter's chain does, and gives NaN."""
    x = np.concatenate([np.full(1500, 3e38, np.float32), np.full(1500, -3e38, np.float32)])
    assert program(lambda x: x.sum(), x=x)({"x": x})["y"] == 0
