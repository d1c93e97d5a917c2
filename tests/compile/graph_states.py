"""Random carried state: how the next value of a state comes from it, from another one and from the graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from compile.graph_steps import like
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp
from spusk.errors import ShapeError

State = tuple[
    tuple[int, ...], str, int, int
]  # shape, rule, and the distances of another state and of a value
Rule = Callable[[sp.Tensor, sp.Tensor, sp.Tensor, sp.Tensor], sp.Tensor]

SHAPES = [(4,), (3, 3), (2, 5), (1,), (), (0,), (17,), (6, 7), (40,), (9, 9), (1, 3), (3, 1, 4)]


def rows(f: Rule) -> Rule:
    """f of states with two rows or more; others become the other one."""
    return lambda x, y, v, n: f(x, y, v, n) if x.ndim and x.size and x.shape[0] > 1 else y


def square(f: Rule) -> Rule:
    return lambda x, y, v, n: f(x, y, v, n) if x.ndim == 2 and x.shape[0] == x.shape[1] else y


def shifted(x: sp.Tensor, y: sp.Tensor, v: sp.Tensor, n: sp.Tensor) -> sp.Tensor:
    return snp.pad(x[:-1], ((1, 0), *((0, 0),) * (x.ndim - 1)))


def written_at(x: sp.Tensor, y: sp.Tensor, v: sp.Tensor, n: sp.Tensor) -> sp.Tensor:
    """Row n of x becomes that of y."""
    row = snp.reshape(n % x.shape[0], (1,))
    return sp.scatter_add(x, row, snp.take(y, row, axis=0) - snp.take(x, row, axis=0))


def masked_at(x: sp.Tensor, y: sp.Tensor, v: sp.Tensor, n: sp.Tensor) -> sp.Tensor:
    here = snp.arange(x.shape[0]) == n % x.shape[0]
    return snp.where(snp.reshape(here, (-1, *(1,) * (x.ndim - 1))), y, x)


def spread(x: sp.Tensor, y: sp.Tensor, v: sp.Tensor, n: sp.Tensor) -> sp.Tensor:
    """A step along the gradient of a slice, which is zero in between."""
    (g,) = sp.backprop((x[::2] * snp.tanh(y[::2])).sum(), [x])
    return 0.9 * x - 0.1 * g


def clipped(x: sp.Tensor) -> sp.Tensor:
    return snp.maximum(snp.minimum(x, 1), -1)


# The next value of x, of another state y like it, a value v of any shape and the number of the step.
NEXT: dict[str, Rule] = {
    "stay": lambda x, y, v, n: x,
    "other": lambda x, y, v, n: y,
    "zeros": lambda x, y, v, n: snp.zeros_like(x),
    "step": lambda x, y, v, n: 0.9 * x - 0.1 * snp.tanh(y),
    "sum": lambda x, y, v, n: 0.5 * (x + y),
    "half other": lambda x, y, v, n: 0.5 * y,
    "flipped other": lambda x, y, v, n: -snp.flip(y) if y.ndim else -y,
    "mixed": lambda x, y, v, n: 0.5 * (x + snp.flip(y)) if y.ndim else y,
    "value": lambda x, y, v, n: 0.5 * x + like(x, 0.1 * snp.tanh(v.sum())),
    "centred": lambda x, y, v, n: x - like(x, snp.mean(y)) if y.size else x,
    "by a scalar": lambda x, y, v, n: x - 0.1 * snp.reshape(y, -1)[0] if y.size else x,
    "shifted": rows(shifted),
    "ring": rows(lambda x, y, v, n: snp.concat([x[1:], x[:1]])),
    "queue": rows(lambda x, y, v, n: snp.concat([x[1:], y[:1]])),
    "halves": rows(lambda x, y, v, n: snp.concat([y[: x.shape[0] // 2], 0.5 * x[x.shape[0] // 2 :]])),
    "inner": rows(lambda x, y, v, n: snp.concat([x[:1], 0.5 * snp.tanh(x[1:-1]), x[-1:]])),
    "padded": rows(lambda x, y, v, n: snp.pad(snp.tanh(y[1:-1]), ((1, 1), *((0, 0),) * (x.ndim - 1)))),
    "updated": rows(
        lambda x, y, v, n: sp.scatter_add(0.5 * x, [0, -1, 0], 0.1 * snp.take(y, [0, -1, 1], axis=0))
    ),
    "sorted in": rows(lambda x, y, v, n: sp.scatter_add(snp.zeros_like(x), list(range(x.shape[0]))[::-1], y)),
    "written at": rows(written_at),
    "masked at": rows(masked_at),
    "gathered": rows(lambda x, y, v, n: snp.take(x, [-1, *range(x.shape[0] - 1)], axis=0)),
    "spread": rows(spread),
    "transposed": square(lambda x, y, v, n: snp.matrix_transpose(y)),
    "product": square(lambda x, y, v, n: snp.tanh(x @ y)),
    "product and more": square(lambda x, y, v, n: clipped(x @ y + 0.5 * x)),
    "product of the other": square(lambda x, y, v, n: clipped(snp.matrix_transpose(y) @ y - x)),
}


# The rules that only move elements: for whole numbers and truths.
MOVING = (
    "stay", "other", "zeros", "shifted", "ring", "queue", "sorted in", "masked at", "gathered", "transposed",
)  # fmt: skip


@st.composite
def families(draw: Any, rules: Collection[str] = tuple(NEXT)) -> list[State]:
    """States of one or two shapes, so that they can take each other's places."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=2))
    state = st.tuples(
        st.sampled_from(shapes), st.sampled_from(sorted(rules)), st.integers(0, 3), st.integers(0, 9)
    )
    return draw(st.lists(state, max_size=6))


def next_values(
    drawn: Sequence[State], states: list[sp.Tensor], values: Sequence[sp.Tensor], n: sp.Tensor
) -> list[sp.Tensor]:
    """The next value of each state."""
    found: list[sp.Tensor] = []
    for i, (shape, rule, other, value) in enumerate(drawn):
        alike = [s for s in states[i + 1 :] + states[: i + 1] if s.shape == shape]
        y, v = alike[other % len(alike)], values[-1 - value % len(values)]
        try:
            new = NEXT[rule](states[i], y, v, n)
        except ShapeError:
            new = y
        assert new.shape == shape, f"{rule} of {shape} has shape {new.shape}"
        found.append(new)
    return found


def first_values(drawn: Sequence[State], dtype: str, rng: np.random.Generator) -> list[np.ndarray]:
    return [np.tanh(rng.normal(size=shape)).astype(dtype) for shape, *_ in drawn]
