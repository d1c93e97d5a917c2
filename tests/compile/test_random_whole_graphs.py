"""Random graphs of whole numbers and truths: native code computes the interpreter's bits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pytest
from compile.graph_check import BOUNDS, assert_agreement
from compile.graph_states import MOVING, State, families, next_values
from compile.graph_steps import LARGEST, SHAPES, Step, any_rank, full
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, ShapeError

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]
SIZE = 17  # values are 0 … 16, so that no difference or product reaches what NumPy leaves undefined


def number(x: sp.Tensor) -> sp.Tensor:
    return snp.astype(x, "int32") if x.dtype == np.bool_ else x


def truth(x: sp.Tensor) -> sp.Tensor:
    return x if x.dtype == np.bool_ else x > 7


def of_numbers(f: Callable[..., sp.Tensor]) -> Callable[..., sp.Tensor]:
    return lambda *xs: f(*map(number, xs))


def of_truths(f: Callable[..., sp.Tensor]) -> Callable[..., sp.Tensor]:
    return lambda *xs: f(*map(truth, xs))


def taken(x: sp.Tensor) -> sp.Tensor:
    """Elements at the places that x itself names."""
    flat = snp.reshape(x, -1)
    return snp.take(flat, number(flat) % flat.shape[0])


def scattered(x: sp.Tensor) -> sp.Tensor:
    flat = snp.reshape(x, -1)
    return sp.scatter_add(snp.ones(5, dtype=x.dtype), snp.astype(flat, "int64") % 5, flat)


UNARY: dict[str, Callable[[sp.Tensor], Any]] = {
    "from the largest": of_numbers(lambda x: 16 - x),
    "negative": of_numbers(lambda x: -snp.astype(x, "int64")),
    "abs": of_numbers(lambda x: abs(snp.astype(x, "int16") - 8)),
    "sign": of_numbers(lambda x: snp.sign(snp.astype(x, "int8") - 8)),
    "square": of_numbers(lambda x: x * x),
    "cube": of_numbers(lambda x: x**3),
    "third": of_numbers(lambda x: x // 3),
    "rest": of_numbers(lambda x: x % 5),
    "sum": of_numbers(snp.sum),
    "sum last": any_rank(of_numbers(lambda x: snp.sum(x, axis=-1))),
    "sum first": any_rank(of_numbers(lambda x: snp.sum(x, axis=0, keepdims=True))),
    "max last": any_rank(full(lambda x: snp.max(x, axis=-1))),
    "max first": any_rank(full(lambda x: snp.max(x, axis=0))),
    "min": full(of_numbers(snp.min)),
    "best": any_rank(full(of_numbers(lambda x: snp.argmax(x, axis=-1)))),
    "worst": any_rank(full(of_numbers(lambda x: snp.argmin(x, axis=0)))),
    "count": lambda x: snp.count_nonzero(x),
    "any": any_rank(of_truths(lambda x: snp.any(x, axis=-1))),
    "all": any_rank(of_truths(lambda x: snp.all(x, axis=0))),
    "not": of_truths(snp.logical_not),
    "truth": lambda x: snp.astype(x, "bool"),
    "bytes": lambda x: snp.astype(x, "int8"),
    "words": lambda x: snp.astype(x, "uint32"),
    "long": lambda x: snp.astype(x, "int64"),
    "by way of floats": lambda x: snp.astype(snp.floor(snp.astype(x, "float64") / 2.5), "int32"),
    "flip": any_rank(snp.flip),
    "every other": any_rank(lambda x: x[::2]),
    "from the second": any_rank(lambda x: x[1:]),
    "transpose": any_rank(lambda x: snp.permute_dims(x, tuple(range(x.ndim))[::-1])),
    "broadcast": lambda x: snp.broadcast_to(x, (3, *x.shape)),
    "pad": any_rank(lambda x: snp.pad(x, 1)),
    "flat": lambda x: snp.reshape(x, -1),
    "taken": full(taken),
    "scattered": full(scattered),
    "gram": lambda x: number(x) @ snp.matrix_transpose(number(x)) if x.ndim >= 2 else x,
}

BINARY: dict[str, Callable[[sp.Tensor, sp.Tensor], Any]] = {
    "add": of_numbers(lambda x, y: x + y),
    "subtract": of_numbers(lambda x, y: snp.astype(x, "int32") - snp.astype(y, "int32")),
    "multiply": of_numbers(lambda x, y: x * y),
    "power": of_numbers(lambda x, y: x ** (y % 4)),
    "quotient": of_numbers(lambda x, y: x // (y % 3 + 1)),
    "rest": of_numbers(lambda x, y: x % (y % 5 + 1)),
    "maximum": of_numbers(snp.maximum),
    "minimum": of_numbers(snp.minimum),
    "less": of_numbers(lambda x, y: x < y),
    "equal": of_numbers(lambda x, y: x == y),
    "and": of_truths(snp.logical_and),
    "or": of_truths(snp.logical_or),
    "bits": of_truths(lambda x, y: (x & ~y) | (y & ~x)),
    "where": lambda x, y: snp.where(truth(x), y, snp.zeros_like(y)),
    "choice": of_numbers(lambda x, y: snp.where(x < y, x, y)),
    "matmul": of_numbers(snp.matmul),
    "concat": lambda x, y: snp.concat([snp.reshape(x, -1), snp.reshape(y, -1)]),
    "stack": lambda x, y: snp.stack([x, y], axis=-1),
    "outer": of_numbers(lambda x, y: snp.reshape(x, (-1, 1)) * snp.reshape(y, (1, -1))),
}


@st.composite
def steps(draw: Any) -> list[Step]:
    made: list[Step] = []
    for _ in range(draw(st.integers(1, 9))):
        if draw(st.booleans()):
            made.append((draw(st.sampled_from(sorted(UNARY))), draw(st.integers(0, 5))))
        else:
            name = draw(st.sampled_from(sorted(BINARY)))
            made.append((name, draw(st.integers(0, 5)), draw(st.integers(0, 5))))
    return made


def values_of(program: Sequence[Step], inputs: list[sp.Tensor]) -> list[sp.Tensor]:
    made = list(inputs)
    for name, *distances in program:
        chosen = [made[-1 - d % len(made)] for d in distances]
        try:
            y = (UNARY if len(chosen) == 1 else BINARY)[name](*chosen)
        except (ShapeError, DTypeError):
            continue  # these do not fit together
        if y.size <= LARGEST:
            made.append(y if y.dtype == np.bool_ else y % SIZE)
    return made


def check(
    program: Sequence[Step],
    shapes: tuple[Any, Any],
    dtypes: tuple[str, str],
    seed: int,
    states: Sequence[State] = (),
    collected: str = "all",
    bounds: Collection[str] = (),
) -> None:
    """One random graph on both backends, with carried state of the first dtype."""
    rng = np.random.default_rng(seed)

    def drawn(shape: Any, dtype: str) -> np.ndarray:
        return rng.integers(0, 2 if dtype == "bool" else SIZE, shape).astype(dtype)

    feeds = {name: drawn(shape, dtype) for name, shape, dtype in zip("ab", shapes, dtypes, strict=True)}
    feeds |= {f"s{i}": drawn(shape, dtypes[0]) for i, (shape, *_) in enumerate(states)}
    feeds["n"] = np.int32(0)
    named = {name: sp.input(name, a.shape, a.dtype) for name, a in feeds.items()}
    held = [named[f"s{i}"] for i in range(len(states))]
    made = values_of(program, [*held, named["a"], named["b"]])
    outputs = {f"value {i}": t for i, t in enumerate(made)} if collected == "all" else {}
    if collected == "few":
        outputs = {"value": made[-1]}
    moved = made[-1] if made[-1].shape == named["a"].shape else named["a"][::-1] if shapes[0] else named["a"]
    outputs["next a"] = snp.astype(moved, dtypes[0])
    outputs |= {f"next s{i}": t for i, t in enumerate(next_values(states, held, made, named["n"]))}
    outputs["next n"] = named["n"] + 1
    carry = {name: name.removeprefix("next ") for name in outputs if name.startswith("next ")}
    assert_agreement(outputs, named, carry, feeds, bounds)


REGRESSIONS: list[tuple[Any, ...]] = [
    (
        [("taken", 0), ("sum", 0)],
        ((7,), (3,)),
        ("int64", "bool"),
        0,
        [((4,), "other", 0, 0), ((4,), "ring", 0, 0)],
    ),
]


@pytest.mark.parametrize("case", REGRESSIONS)
def test_what_once_differed_is_equal(case: tuple[Any, ...]) -> None:
    check(*case)


graphs = given(
    steps(),
    st.tuples(st.sampled_from(SHAPES), st.sampled_from(SHAPES)),
    st.tuples(st.sampled_from(DTYPES), st.sampled_from(DTYPES)),
    st.integers(0, 99),
    families(MOVING),
    st.sampled_from(["all", "few", "none"]),
    st.one_of(st.just(set[str]()), st.sets(st.sampled_from(sorted(BOUNDS)), max_size=4)),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@graphs
def test_a_random_graph_of_whole_numbers_has_the_same_bits_natively(
    program, shapes, dtypes, seed, states, collected, bounds
) -> None:
    check(program, shapes, dtypes, seed, states, collected, bounds)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@graphs
def test_many_random_graphs_of_whole_numbers_have_the_same_bits_natively(
    program, shapes, dtypes, seed, states, collected, bounds
) -> None:
    check(program, shapes, dtypes, seed, states, collected, bounds)
