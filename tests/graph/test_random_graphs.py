"""Random graphs: another namespace computes the same, and their gradients pass the gradient check."""

from __future__ import annotations

from collections.abc import Callable

import array_api_strict
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp
from spusk.errors import ShapeError

SHAPES = [(), (3,), (2, 3), (2, 1), (1, 3)]


def summed_at_indices(x: sp.Tensor) -> sp.Tensor:
    taken = snp.take(snp.reshape(x, -1), [0, -1, 0])
    return sp.scatter_add(snp.zeros(3, dtype=x.dtype), [2, 0, 2], taken)


def leaky(x: sp.Tensor) -> sp.Tensor:
    mask = np.array([True, False, True])
    return snp.where(mask, x, 0.5 * x) if x.shape[-1:] in ((3,), (1,)) else x


def any_rank(f: Callable[[sp.Tensor], sp.Tensor]) -> Callable[[sp.Tensor], sp.Tensor]:
    """f of arrays that have axes; scalars as they are."""
    return lambda x: f(x) if x.ndim else x


UNARY = [
    snp.tanh,
    snp.sin,
    snp.cos,
    snp.exp,
    snp.erf,
    snp.negative,
    lambda x: snp.log1p(x * x),
    lambda x: snp.sqrt(1 + x * x),
    lambda x: x.sum(),
    any_rank(snp.logsumexp),
    any_rank(lambda x: x.mean(axis=-1)),
    lambda x: snp.broadcast_to(x, (2, 3)),
    lambda x: snp.reshape(x, (-1,))[::2],
    lambda x: snp.flip(x),
    lambda x: x[..., None],
    lambda x: snp.matrix_transpose(x) if x.ndim == 2 else x,
    any_rank(lambda x: x[None, ..., :1]),
    any_rank(lambda x: snp.pad(x, 1)),
    lambda x: snp.take(snp.reshape(x, -1), [0, -1, 0]),
    summed_at_indices,
    leaky,
    lambda x: snp.where(snp.asarray(False), 1 / (0 * x), x),
    lambda x: (x / 4) ** 3,
    lambda x: snp.var(x, correction=0),
]

BINARY = [
    snp.add,
    snp.subtract,
    snp.multiply,
    lambda x, y: x / (1.5 + y * y),
    lambda x, y: snp.exp(snp.tanh(x)) ** snp.tanh(y),
    lambda x, y: snp.concat([snp.reshape(x, -1), snp.reshape(y, -1)]),
    lambda x, y: snp.reshape(x, (1, -1)) * snp.reshape(y, (-1, 1)),
    lambda x, y: snp.outer(x, y) @ snp.outer(y, x),
    lambda x, y: snp.logaddexp(x, y),
    lambda x, y: snp.hypot(1 + x * x, y),
]


@st.composite
def programs(draw) -> list[tuple]:
    """Steps of a program; each makes a value of one or two earlier ones, given by their distance."""
    steps = []
    for _ in range(draw(st.integers(1, 8))):
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(UNARY)), draw(st.integers(0, 5))))
        else:
            steps.append((draw(st.sampled_from(BINARY)), draw(st.integers(0, 5)), draw(st.integers(0, 5))))
    return steps


def run(steps: list[tuple], *inputs: sp.Tensor) -> sp.Tensor:
    made = list(inputs)
    for f, *distances in steps:
        chosen = [made[-1 - d % len(made)] for d in distances]
        try:
            y = snp.tanh(f(*chosen))  # bounded, so that rounding stays small
        except ShapeError:
            continue  # these shapes do not fit together
        if y.size <= 64:
            made.append(y)
    return made[-1]


@settings(max_examples=150, deadline=None)
@given(programs(), st.sampled_from(SHAPES), st.sampled_from(SHAPES), st.integers(0, 99))
def test_a_random_graph_has_right_gradients_and_one_value_in_every_namespace(steps, a, b, seed) -> None:
    rng = np.random.default_rng(seed)
    args = [rng.normal(size=a), rng.normal(size=b)]
    sp.check_gradient(lambda *xs: run(steps, *xs), *args, directions=1, rtol=1e-5, atol=1e-6)
    inputs = [sp.input(n, x.shape, "float64") for n, x in zip("ab", args, strict=True)]
    y = run(steps, *inputs)
    outputs = [y, *sp.backprop(y.sum(), inputs)]
    feeds = dict(zip(inputs, args, strict=True))
    for t, ours, strict in zip(
        outputs, sp.evaluate(outputs, feeds), sp.evaluate(outputs, feeds, xp=array_api_strict), strict=True
    ):
        assert (ours.shape, ours.dtype) == (t.shape, t.dtype)
        np.testing.assert_allclose(np.asarray(strict), ours, rtol=1e-12, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(programs(), st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_a_random_graph_of_float32_stays_float32(steps, a, b) -> None:
    inputs = [sp.input(n, shape, "float32") for n, shape in (("a", a), ("b", b))]
    y = run(steps, *inputs)
    outputs = [y, *sp.backprop(y.sum(), inputs)]
    feeds = {x: np.ones(x.shape, "float32") for x in inputs}
    assert (
        {t.dtype.name for t in outputs} == {v.dtype.name for v in sp.evaluate(outputs, feeds)} == {"float32"}
    )
