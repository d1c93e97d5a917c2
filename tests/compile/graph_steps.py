"""Random computations: steps that hypothesis draws, and the values that they make of some inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, ShapeError

Step = tuple[Any, ...]

SHAPES = [
    (),
    (1,),
    (3,),
    (0,),
    (7,),
    (2, 3),
    (3, 1),
    (1, 5),
    (2, 0),
    (4, 1, 3),
    (17,),
    (9, 11),
    (5, 5),
    (33, 18),
]
LARGEST = 900  # elements of a value


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


def values_of(
    program: Sequence[Step], inputs: list[sp.Tensor], states: Sequence[sp.Tensor] = ()
) -> list[sp.Tensor]:
    """All values that the steps make, each kept within [−1, 1] so that rounding stays small.

    Steps that break are applied to the inputs only; all others to states and to what was made, too.
    """
    made = [*states, *inputs]
    for kind, name, *distances in program:
        table: dict[str, Any] = {"unary": UNARY, "binary": BINARY, "break": BREAKS}[kind]
        source = inputs if kind == "break" else made
        chosen = [source[-1 - d % len(source)] for d in distances]
        try:
            y = snp.tanh(table[name](*chosen))
        except (ShapeError, DTypeError):
            continue  # these shapes do not fit together
        if y.size <= LARGEST:
            made.append(y)
    return made
