"""Random graphs: native code computes what the interpreter computes, values, gradients and carried state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.errors import DTypeError, ShapeError

Step = tuple[Any, ...]

SHAPES = [(), (1,), (3,), (0,), (7,), (2, 3), (3, 1), (1, 5), (2, 0), (4, 1, 3), (17,), (9, 11)]
ULPS_PER_OPERATION = 16  # float32: vector mathematics is within 4, sums are taken in another order
LARGEST = 400  # elements of a value


def any_rank(f: Callable[[sp.Tensor], sp.Tensor]) -> Callable[[sp.Tensor], sp.Tensor]:
    """f of arrays that have axes; scalars as they are."""
    return lambda x: f(x) if x.ndim else x


def full(f: Callable[[sp.Tensor], sp.Tensor]) -> Callable[[sp.Tensor], sp.Tensor]:
    """f of arrays that have elements; others as they are."""
    return lambda x: f(x) if x.size else x


def like(x: sp.Tensor, values: Any) -> sp.Tensor:
    return snp.astype(values, x.dtype)


def scattered(x: sp.Tensor) -> sp.Tensor:
    flat = snp.reshape(x, -1)
    return sp.scatter_add(snp.zeros(4, dtype=x.dtype), snp.arange(flat.shape[0]) * 7 % 4, flat)


def hot(x: sp.Tensor) -> sp.Tensor:
    best = snp.argmax(x, axis=-1)
    return like(x, snp.expand_dims(best, axis=-1) == snp.arange(x.shape[-1]))


def noisy(x: sp.Tensor) -> sp.Tensor:
    key = sp.as_tensor(np.array([1, 2], "uint32"))
    bits = sp.graph.random_bits(key, sp.as_tensor(np.array([3, 4], "uint32")), x.shape)
    return x + like(x, bits) / 2**32


# What is not continuous is applied to the arguments themselves, where both backends have the same bits.
UNARY: dict[str, Callable[[sp.Tensor], Any]] = {
    "tanh": snp.tanh,
    "sin": snp.sin,
    "cos": snp.cos,
    "exp": snp.exp,
    "expm1": snp.expm1,
    "erf": snp.erf,
    "neg": snp.negative,
    "abs": snp.abs,
    "log1p": lambda x: snp.log1p(x * x),
    "log": lambda x: snp.log(0.5 + x * x),
    "sqrt": lambda x: snp.sqrt(1 + x * x),
    "sum": snp.sum,
    "sum last": any_rank(lambda x: snp.sum(x, axis=-1)),
    "sum first": any_rank(lambda x: snp.sum(x, axis=0)),
    "mean last": any_rank(lambda x: full(lambda y: snp.mean(y, axis=-1, keepdims=True))(x)),
    "max last": any_rank(lambda x: full(lambda y: snp.max(y, axis=-1))(x)),
    "max first": any_rank(lambda x: full(lambda y: snp.max(y, axis=0, keepdims=True))(x)),
    "logsumexp": any_rank(lambda x: full(snp.logsumexp)(x)),
    "broadcast": lambda x: snp.broadcast_to(x, (2, 3)),
    "broadcast new": lambda x: snp.broadcast_to(x, (5, *x.shape)),
    "flat": lambda x: snp.reshape(x, (-1,)),
    "every other": any_rank(lambda x: x[::2]),
    "from the third": any_rank(lambda x: x[2:]),
    "flip": any_rank(lambda x: snp.flip(x)),
    "flip last": any_rank(lambda x: snp.flip(x, axis=-1)),
    "new axis": lambda x: x[..., None],
    "transpose": any_rank(lambda x: snp.permute_dims(x, tuple(range(x.ndim))[::-1])),
    "column": any_rank(lambda x: full(lambda y: y[..., :1])(x)),
    "pad": any_rank(lambda x: snp.pad(x, 1)),
    "take": any_rank(lambda x: full(lambda y: snp.take(snp.reshape(y, -1), [0, -1, 0, 0]))(x)),
    "take rows": any_rank(lambda x: full(lambda y: snp.take(y, [[0], [-1]], axis=0))(x)),
    "scatter": scattered,
    "self product": lambda x: snp.matmul(x, snp.matrix_transpose(x)) if x.ndim >= 2 else x * x,
    "gram": lambda x: snp.matmul(snp.matrix_transpose(x), x) if x.ndim >= 2 else x * x,
    "cube": lambda x: (x / 4) ** 3,
    "variance": full(lambda x: snp.var(x)),
    "noise": noisy,
    "masked": lambda x: snp.where(x == x, x, 1 / (0 * x)),
}

BINARY: dict[str, Callable[[sp.Tensor, sp.Tensor], Any]] = {
    "add": snp.add,
    "subtract": snp.subtract,
    "multiply": snp.multiply,
    "divide": lambda x, y: x / (1.5 + y * y),
    "power": lambda x, y: snp.exp(snp.tanh(x)) ** snp.tanh(y),
    "concat": lambda x, y: snp.concat([snp.reshape(x, -1), snp.reshape(y, -1)]),
    "stack": lambda x, y: snp.stack([x, y], axis=-1),
    "outer": lambda x, y: snp.reshape(x, (1, -1)) * snp.reshape(y, (-1, 1)),
    "matmul": snp.matmul,
    "logaddexp": snp.logaddexp,
    "hypot": lambda x, y: snp.hypot(1 + x * x, y),
}

BREAKS: dict[str, Callable[[sp.Tensor], Any]] = {
    "relu": lambda x: snp.maximum(x, 0),
    "sign": lambda x: snp.sign(x) * x,
    "floor": lambda x: snp.floor(3 * x),
    "positive": lambda x: snp.where(x > 0, x, 0.1 * x),
    "hot": any_rank(lambda x: full(hot)(x)),
    "whole": lambda x: like(x, snp.astype(4 * x, "int32") % 3),
    "count": lambda x: like(x, snp.sum(x > 0)),
    "both": lambda x: like(x, snp.logical_and(x > -1, ~(x >= 1)) | (x == 0)),
    "small whole": lambda x: like(x, snp.astype(x > 0, "int8") * np.int8(100)),
}


@st.composite
def steps(draw: Any) -> list[Step]:
    """Steps of a computation; each makes a value of one or two earlier ones, given by their distance."""
    made: list[Step] = []
    for _ in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["unary", "unary", "binary", "break"]))
        if kind == "unary":
            made.append((kind, draw(st.sampled_from(sorted(UNARY))), draw(st.integers(0, 5))))
        elif kind == "binary":
            distances = draw(st.integers(0, 5)), draw(st.integers(0, 5))
            made.append((kind, draw(st.sampled_from(sorted(BINARY))), *distances))
        else:
            made.append((kind, draw(st.sampled_from(sorted(BREAKS))), draw(st.integers(0, 1))))
    return made


def values_of(program: list[Step], inputs: list[sp.Tensor]) -> list[sp.Tensor]:
    """All values that the steps make, each kept within [−1, 1] so that rounding stays small."""
    made = list(inputs)
    for kind, name, *distances in program:
        table: dict[str, Any] = {"unary": UNARY, "binary": BINARY, "break": BREAKS}[kind]
        chosen = [
            (inputs if kind == "break" else made)[-1 - d % len(made if kind != "break" else inputs)]
            for d in distances
        ]
        try:
            y = snp.tanh(table[name](*chosen))
        except (ShapeError, DTypeError):
            continue  # these shapes do not fit together
        if y.size <= LARGEST:
            made.append(y)
    return made


def assert_equal(name: str, native: Any, reference: Any, operations: int) -> None:
    """Bits of whole numbers and truths, places of NaN, and floats within the budget of their operations."""
    native, reference = np.asarray(native), np.asarray(reference)
    assert (native.shape, native.dtype) == (reference.shape, reference.dtype), name
    if reference.dtype.kind != "f":
        np.testing.assert_array_equal(native, reference, err_msg=name)
        return
    np.testing.assert_array_equal(np.isnan(native), np.isnan(reference), err_msg=name)
    if reference.dtype == np.float64:
        budget = 1e-12
    else:
        budget = ULPS_PER_OPERATION * operations * float(np.finfo(np.float32).eps)
    scale = max(1.0, float(np.max(np.abs(reference[np.isfinite(reference)]), initial=0)))
    np.testing.assert_allclose(native, reference, rtol=budget, atol=budget * scale, err_msg=name)


def check(program: list[Step], shapes: tuple[Any, Any], dtype: str, seed: int) -> None:
    """One random graph on both backends: values, first and second gradients, and three steps of a carried state."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    inputs = [sp.input(name, a.shape, a.dtype) for name, a in zip("ab", arrays, strict=True)]
    made = values_of(program, inputs)
    first = sp.backprop(made[-1].sum(), inputs)
    second = sp.backprop(snp.sin(first[0]).sum() + (first[1] * first[1]).sum(), inputs)
    outputs = {f"value {i}": t for i, t in enumerate(made)}
    outputs |= {f"gradient {i}": t for i, t in enumerate([*first, *second])}
    carried = {f"next {name}": x - snp.tanh(g) / 8 for name, x, g in zip("ab", inputs, first, strict=True)}
    named = dict(zip("ab", inputs, strict=True))
    carry = {f"next {name}": name for name in "ab"}
    feeds = dict(zip("ab", arrays, strict=True))
    operations = len(sp.graph.topological([*outputs.values(), *carried.values()]))
    native = Program({**outputs, **carried}, named, carry).run(feeds, steps=3)
    reference = Program({**outputs, **carried}, named, carry, backend="numpy").run(feeds, steps=3)
    for name in outputs:
        assert_equal(name, native.collected[name], reference.collected[name], operations)
    for name in "ab":
        assert_equal(name, native.values[name], reference.values[name], operations)


REGRESSIONS: list[tuple[list[Step], tuple[Any, Any], str]] = [
    ([("unary", "sum", 0), ("break", "hot", 0)], ((), ()), "float64"),  # read after the write in its place
    ([("binary", "stack", 0, 0)], ((), (0,)), "float64"),  # a view of no elements beyond its buffer's end
]


@pytest.mark.parametrize(("program", "shapes", "dtype"), REGRESSIONS)
def test_what_once_differed_is_equal(program, shapes, dtype) -> None:
    check(program, shapes, dtype, 0)


graphs = given(
    steps(),
    st.tuples(st.sampled_from(SHAPES), st.sampled_from(SHAPES)),
    st.sampled_from(["float64", "float64", "float32"]),
    st.integers(0, 99),
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@graphs
def test_a_random_graph_gives_the_same_natively(program, shapes, dtype, seed) -> None:
    check(program, shapes, dtype, seed)


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@graphs
def test_many_random_graphs_give_the_same_natively(program, shapes, dtype, seed) -> None:
    check(program, shapes, dtype, seed)
