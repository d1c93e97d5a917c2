"""Random graphs: native code computes what the interpreter computes, values, gradients and carried state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from compile.graph_check import BOUNDS, assert_agreement
from compile.graph_states import State, families, first_values, next_values
from compile.graph_steps import SHAPES, Step, steps, values_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp

Shape = tuple[int, ...]


def check(
    program: Sequence[Step],
    shapes: tuple[Shape, Shape],
    dtype: str,
    seed: int,
    states: Sequence[State] = (),
    collected: str = "all",
    bounds: Collection[str] = (),
) -> None:
    """One random graph on both backends: values, first and second gradients, and some steps of carried state.

    With `collected` "all", every value is an output, with a buffer of its own; with "few", most live in
    registers and in the arena; with "none", only state goes from step to step.
    """
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    inputs = [sp.input(name, a.shape, a.dtype) for name, a in zip("ab", arrays, strict=True)]
    begun = first_values(states, dtype, rng)
    held = [sp.input(f"s{i}", a.shape, a.dtype) for i, a in enumerate(begun)]
    n = sp.input("n", (), "int32")
    made = values_of(program, inputs, held)
    first = sp.backprop(made[-1].sum(), inputs)
    second = sp.backprop(snp.sin(first[0]).sum() + (first[1] * first[1]).sum(), inputs)
    if collected == "all":
        outputs = {f"value {i}": t for i, t in enumerate(made)}
        outputs |= {f"gradient {i}": t for i, t in enumerate([*first, *second])}
    else:
        few = {"value": made[-1], "size of gradients": sum((g * g).sum() for g in (*first, *second))}
        outputs = few if collected == "few" else {}
    outputs |= {f"next {name}": x - snp.tanh(g) / 8 for name, x, g in zip("ab", inputs, first, strict=True)}
    outputs |= {f"next s{i}": t for i, t in enumerate(next_values(states, held, made, n))}
    outputs["next n"] = n + 1
    named = {t.primitive.label: t for t in (*inputs, *held, n)}
    carry = {f"next {name}": name for name in named}
    feeds = dict(zip(named, [*arrays, *begun, np.int32(0)], strict=True))
    assert_agreement(outputs, named, carry, feeds, bounds)


REGRESSIONS: list[tuple[Any, ...]] = [
    ([("unary", "sum", 0), ("break", "hot", 0)], ((), ()), "float64", 0),  # read after the write in its place
    ([("binary", "stack", 0, 0)], ((), (0,)), "float64", 0),  # a view of no elements beyond its buffer's end
]


@pytest.mark.parametrize("case", REGRESSIONS)
def test_what_once_differed_is_equal(case: tuple[Any, ...]) -> None:
    check(*case)


graphs = given(
    steps(),
    st.tuples(st.sampled_from(SHAPES), st.sampled_from(SHAPES)),
    st.sampled_from(["float64", "float64", "float32"]),
    st.integers(0, 99),
    families(),
    st.sampled_from(["all", "few", "none"]),
    st.one_of(st.just(set[str]()), st.sets(st.sampled_from(sorted(BOUNDS)), max_size=4)),
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@graphs
def test_a_random_graph_gives_the_same_natively(
    program, shapes, dtype, seed, states, collected, bounds
) -> None:
    check(program, shapes, dtype, seed, states, collected, bounds)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@graphs
def test_many_random_graphs_give_the_same_natively(
    program, shapes, dtype, seed, states, collected, bounds
) -> None:
    check(program, shapes, dtype, seed, states, collected, bounds)
