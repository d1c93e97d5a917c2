"""One table of cases: for every primitive, argument shapes and the same value written with NumPy alone.

A row serves the tests of value, dtype, gradient (first and second order) and of other array namespaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

import spusk as sp
import spusk.numpy as snp
from spusk.graph import elementwise, leaves, ops, products, shaping
from spusk.graph.primitive import Primitive

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """A graph of some arguments, what NumPy gives for them, and the primitive that the row is about."""

    primitive: type[Primitive]
    build: Callable[..., Any]
    expected: Callable[..., Any]
    args: tuple[Array, ...]
    note: str = ""
    smooth: bool = True  # whether central differences in float64 see the gradient that we define

    @property
    def id(self) -> str:
        shapes = "-".join("x".join(map(str, a.shape)) or "scalar" for a in self.args)
        kinds = "".join({a.dtype.kind for a in self.args} - {"f"})
        return "-".join(part for part in (self.primitive.name, self.note, shapes, kinds) if part)

    def as_dtype(self, dtype: str) -> tuple[Array, ...]:
        return tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in self.args)


def floats(*shape: int, low: float = -1.9, high: float = 2.1) -> Array:
    """Numbers in no order, all different and away from 0, so that no kink is near."""
    n = math.prod(shape)
    values = np.linspace(low, high, 2 * n + 2)[1::2][:n] + 0.013
    return np.random.default_rng(n).permutation(values).reshape(shape)


def positive(*shape: int) -> Array:
    return floats(*shape, low=0.2, high=2.5)


def integers(*shape: int, low: int = -4, high: int = 5, dtype: str = "int64") -> Array:
    return np.random.default_rng(math.prod(shape)).integers(low, high, shape).astype(dtype)


def truths(*shape: int) -> Array:
    return np.random.default_rng(1 + math.prod(shape)).random(shape) < 0.5


def rows(
    primitive: type[Primitive], build: Any, expected: Any, *arguments: Any, note: str = ""
) -> list[Case]:
    every = (a if isinstance(a, tuple) else (a,) for a in arguments)
    return [Case(primitive, build, expected, args, note) for args in every]


UNARY = [(), (1,), (5,), (0,), (0, 3), (2, 1, 3), (7, 5)]
BINARY = [
    ((), ()), ((3,), (3,)), ((4,), ()), ((), (2, 3)), ((2, 3), (3,)), ((2, 1, 3), (4, 1)), ((1,), (1,)),
    ((0, 3), (3,)), ((1, 0), (5, 1)), ((7, 1), (1, 5)), ((1, 1), (3,)),
]  # fmt: skip


def unary(primitive: type[Primitive], build: Any, expected: Any, make: Any = floats) -> list[Case]:
    return rows(primitive, build, expected, *(make(*shape) for shape in UNARY))


def binary(
    primitive: type[Primitive], build: Any, expected: Any, left: Any = floats, right: Any = floats
) -> list[Case]:
    return rows(primitive, build, expected, *((left(*a), 0.91 * right(*b)) for a, b in BINARY))


def ints(primitive: type[Primitive], build: Any, expected: Any, n: int) -> list[Case]:
    """The same on whole numbers, of which `n` are taken."""
    pairs = [(integers(4), integers(4)[::-1]), (integers(2, 3, dtype="int8"), integers(3, dtype="int8"))]
    return rows(primitive, build, expected, *(pair[:n] for pair in pairs))


def quotient(x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.floor_divide(x, y)


def rest(x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.remainder(x, y)


def elementwise_cases() -> Iterable[Case]:
    e = elementwise
    yield from binary(e.Add, snp.add, np.add)
    yield from binary(e.Sub, snp.subtract, np.subtract)
    yield from binary(e.Mul, snp.multiply, np.multiply)
    yield from binary(e.Div, snp.divide, np.divide, right=positive)
    yield from binary(e.Pow, snp.pow, np.power, left=positive)
    yield from binary(e.Maximum, snp.maximum, np.maximum)
    yield from binary(e.Minimum, snp.minimum, np.minimum)
    for primitive, ours, numpys in [
        (e.Add, snp.add, np.add), (e.Sub, snp.subtract, np.subtract), (e.Mul, snp.multiply, np.multiply),
        (e.Maximum, snp.maximum, np.maximum), (e.Minimum, snp.minimum, np.minimum),
        (e.Less, snp.less, np.less), (e.LessEqual, snp.less_equal, np.less_equal),
        (e.Equal, snp.equal, np.equal), (e.NotEqual, snp.not_equal, np.not_equal),
    ]:  # fmt: skip
        yield from ints(primitive, ours, numpys, 2)
    yield from ints(e.Pow, lambda x, y: snp.pow(x, abs(y)), lambda x, y: x ** abs(y), 2)
    for dtype in ("int64", "int8", "uint8"):
        pairs = [np.array([7, 7, 0, 0, 9, 100]), np.array([2, 0, 3, 0, 3, 7])]
        if dtype.startswith("i"):
            last = np.iinfo(dtype)
            pairs = [np.array([7, -7, 7, -7, 7, last.min, last.min, last.max, 0]),
                     np.array([2, 2, -2, -2, 0, -1, 3, -1, -5])]  # fmt: skip
        arrays = tuple(a.astype(dtype) for a in pairs)
        for ours, numpys in [(snp.floor_divide, quotient), (snp.remainder, rest)]:
            yield Case(e.FloorDivide, ours, numpys, arrays, f"{numpys.__name__} {dtype}")
    yield from rows(e.Pow, lambda x: snp.pow(x, 3), lambda x: x**3, floats(4), integers(5), note="cube")
    yield from rows(
        e.Div, snp.divide, lambda x, y: (x / y).astype("float32"), (integers(4), integers(4, low=1))
    )
    yield from unary(e.Neg, snp.negative, np.negative)
    yield from unary(e.Abs, snp.abs, np.abs)
    yield from unary(e.Sign, snp.sign, np.sign)
    for primitive, ours, numpys in [
        (e.Neg, snp.negative, np.negative), (e.Abs, snp.abs, np.abs), (e.Sign, snp.sign, np.sign),
    ]:  # fmt: skip
        yield from ints(primitive, ours, numpys, 1)
    yield from unary(e.Floor, snp.floor, np.floor, lambda *shape: np.floor(9 * floats(*shape)) + 0.4)
    yield from unary(e.Exp, snp.exp, np.exp)
    yield from unary(e.Expm1, snp.expm1, np.expm1)
    yield from unary(e.Log, snp.log, np.log, positive)
    yield from unary(e.Log1p, snp.log1p, np.log1p, positive)
    yield from unary(e.Sqrt, snp.sqrt, np.sqrt, positive)
    yield from unary(e.Sin, snp.sin, np.sin)
    yield from unary(e.Cos, snp.cos, np.cos)
    yield from unary(e.Tanh, snp.tanh, np.tanh)
    yield from unary(e.Sigmoid, ops.sigmoid, scipy.special.expit)
    yield from unary(e.Erf, snp.erf, scipy.special.erf)
    for primitive, ours, numpys in [
        (e.Less, snp.less, np.less), (e.LessEqual, snp.less_equal, np.less_equal),
        (e.Equal, snp.equal, np.equal), (e.NotEqual, snp.not_equal, np.not_equal),
    ]:  # fmt: skip
        yield from binary(primitive, ours, numpys)
    yield from rows(
        e.LogicalNot, snp.logical_not, np.logical_not, truths(5), truths(2, 3), truths(0), truths()
    )
    for primitive, ours, numpys in [
        (e.LogicalAnd, snp.logical_and, np.logical_and), (e.LogicalOr, snp.logical_or, np.logical_or),
    ]:  # fmt: skip
        yield from rows(primitive, ours, numpys, *((truths(*a), truths(*b)) for a, b in BINARY))
        yield from rows(primitive, ours, numpys, (floats(4), truths(4)), (integers(4), integers(4)))
    for a, b in BINARY:
        for c in ((), np.broadcast_shapes(a, b)):
            yield Case(e.Where, snp.where, np.where, (truths(*c), floats(*a), 0.91 * floats(*b)))
    yield from rows(e.Where, snp.where, np.where, (truths(4, 1), floats(3), floats(4, 3)), note="column mask")
    yield Case(e.StopGradient, lambda x: sp.stop_gradient(x) * x, np.square, (floats(3),), smooth=False)
    yield from cast_cases()


def cast_cases() -> Iterable[Case]:
    for dtype in ("float32", "float64", "int32", "bool", "uint8"):
        cast = (lambda x, d=dtype: snp.astype(x, d), lambda x, d=dtype: x.astype(d))
        for x in (positive(3, 2), integers(4, low=0), truths(3)):
            yield Case(elementwise.Cast, *cast, (x,), f"to {dtype}", smooth=dtype != "float32")


def shaping_cases() -> Iterable[Case]:
    s = shaping
    for shape, to in [
        ((6,), (2, 3)),
        ((2, 3), (3, -1)),
        ((0, 3), (3, 0)),
        ((), (1, 1)),
        ((1, 1), ()),
        ((5, 2), -1),
    ]:
        yield Case(
            s.Reshape,
            lambda x, to=to: snp.reshape(x, to),
            lambda x, to=to: x.reshape(to),
            (floats(*shape),),
            f"to {to}",
        )
    for shape, axes in [
        ((2, 3), (1, 0)),
        ((2, 3, 4), (2, 0, 1)),
        ((2, 0, 3), (1, 2, 0)),
        ((1, 5, 1, 2), (-1, 0, 2, 1)),
    ]:
        yield Case(
            s.Transpose,
            lambda x, axes=axes: snp.permute_dims(x, axes),
            lambda x, axes=axes: np.transpose(x, axes),
            (floats(*shape),),
            f"by {axes}",
        )
    for shape, to in [
        ((), (3,)),
        ((1,), (4,)),
        ((3,), (2, 3)),
        ((2, 1, 3), (2, 5, 3)),
        ((1, 1), (0, 4)),
        ((3, 1), (2, 3, 1)),
    ]:
        yield Case(
            s.Broadcast,
            lambda x, to=to: snp.broadcast_to(x, to),
            lambda x, to=to: np.broadcast_to(x, to),
            (floats(*shape),),
            f"to {to}",
        )
    for shape, key in [
        ((7,), np.s_[1:6:2]), ((7,), np.s_[::3]), ((6,), np.s_[5:]), ((6,), np.s_[4:4]),
        ((5, 4), np.s_[1:, ::2]), ((5, 4), np.s_[-3:-1, 1:2]), ((3, 0), np.s_[1:]),
        ((5, 1, 3), np.s_[::4, :, 2:]), ((8,), np.s_[1:8:10]),
    ]:  # fmt: skip
        yield Case(s.Slice, lambda x, k=key: x[k], lambda x, k=key: x[k], (floats(*shape),), str(key))
    for shape, axes in [((5,), (0,)), ((2, 3), (0, 1)), ((2, 3, 1), (1,)), ((0, 2), (0,))]:
        yield Case(
            s.Flip,
            lambda x, a=axes: snp.flip(x, a),
            lambda x, a=axes: np.flip(x, a),
            (floats(*shape),),
            f"{axes}",
        )
    yield from pad_cases()
    for shapes, axis in [
        (((2,), (3,)), 0), (((2, 3), (2, 1), (2, 4)), 1), (((2, 3), (0, 3)), 0), (((1, 2, 2), (1, 2, 2)), -2),
        (((0,), (0,)), 0), (((3,), (1,), (0,), (2,)), 0),
    ]:  # fmt: skip
        yield Case(
            s.Concatenate,
            lambda *xs, a=axis: snp.concat(xs, a),
            lambda *xs, a=axis: np.concatenate(xs, a),
            tuple(floats(*shape) * (1 + 0.1 * i) for i, shape in enumerate(shapes)),
            f"axis {axis}",
        )
    yield from reduction_cases()


def pad_cases() -> Iterable[Case]:
    for shape, low, high, between in [
        ((3,), (1,), (2,), (0,)), ((4,), (0,), (0,), (2,)), ((3, 2), (1, 0), (0, 2), (1, 3)),
        ((1,), (2,), (0,), (5,)), ((0, 2), (1, 1), (2, 0), (3, 1)), ((2, 0), (0, 2), (0, 1), (1, 1)),
        ((5, 1, 2), (0, 0, 1), (1, 0, 0), (2, 2, 0)),
    ]:  # fmt: skip
        yield Case(
            shaping.Pad,
            lambda x, p=(low, high, between): ops.pad(x, *p),
            lambda x, p=(low, high, between): padded(x, *p),
            (floats(*shape),),
            f"{low} {high} {between}",
        )


def padded(x: Array, low: Any, high: Any, between: Any) -> Array:
    """Zeros into which x is written with gaps."""
    spread = [max(n - 1, 0) * (b + 1) + min(n, 1) for n, b in zip(x.shape, between, strict=True)]
    out = np.zeros([lo + n + h for lo, n, h in zip(low, spread, high, strict=True)], x.dtype)
    out[tuple(slice(lo, lo + n, b + 1) for lo, n, b in zip(low, spread, between, strict=True))] = x
    return out


def reduction_cases() -> Iterable[Case]:
    every = [
        ((5,), None),
        ((2, 3), 0),
        ((2, 3), (0, 1)),
        ((2, 3, 4), (-1, 0)),
        ((3, 1), 1),
        ((), None),
        ((1, 1), 0),
    ]
    empty = [((0, 3), 0), ((0, 3), 1), ((2, 0), None)]
    for shape, axis in every + empty:
        for keepdims in (False, True):
            f = {"axis": axis, "keepdims": keepdims}
            sums = (lambda x, f=f: snp.sum(x, **f), lambda x, f=f: np.sum(x, **f))
            yield Case(shaping.Sum, *sums, (floats(*shape),), f"{f}")
            if 0 not in shape:
                largest = (lambda x, f=f: snp.max(x, **f), lambda x, f=f: np.max(x, **f))
                yield Case(shaping.Max, *largest, (floats(*shape),), f"{f}")
    for dtype in ("int8", "int32", "uint8", "int64"):
        yield Case(shaping.Sum, snp.sum, np.sum, (integers(50, low=0, high=100, dtype=dtype),), dtype)
        yield Case(shaping.Max, snp.max, np.max, (integers(50, low=0, high=100, dtype=dtype),), dtype)
    yield Case(shaping.Sum, lambda x: snp.sum(x, 1), lambda x: np.sum(x, 1), (truths(4, 9),), "counts")
    for shape, axis in [((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 1, 3), -1), ((0, 3), 1), ((4, 3), None)]:
        yield Case(
            shaping.ArgMax,
            lambda x, a=axis: snp.argmax(x, a),
            lambda x, a=axis: np.argmax(x, a),
            (floats(*shape),),
            f"axis {axis}",
        )
    yield Case(shaping.ArgMax, snp.argmax, np.argmax, (np.array([1.0, 3.0, 3.0]),), "ties", smooth=False)


def product_cases() -> Iterable[Case]:
    for a, b in [
        ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((5, 2, 3), (5, 3, 1)),
        ((2, 1, 4, 3), (2, 1, 3, 2)), ((0, 2, 3), (0, 3, 2)), ((7, 5), (5, 3)),
    ]:  # fmt: skip
        yield Case(products.Dot, ops.dot, np.matmul, (floats(*a), floats(*b)))
    yield Case(products.Dot, ops.dot, np.matmul, (integers(2, 3), integers(3, 4)))
    for shape, indices, axis in [
        ((5,), [0, 2, 2, -1], 0), ((4, 3), [3, 0, 3], 0), ((4, 3), [-3, 1], 1), ((4, 3), [[0, 1], [2, 0]], 1),
        ((2, 5, 3), [[-5], [4]], 1), ((3,), 1, 0), ((3,), [], 0), ((0, 3), [1], 1), ((1, 2), [0, 0, 0], 0),
    ]:  # fmt: skip
        at = np.array(indices, dtype=np.int64)
        note = f"{indices} axis {axis}"
        yield Case(
            products.Take,
            lambda x, i, a=axis: snp.take(x, i, a),
            lambda x, i, a=axis: np.take(x, i, a),
            (floats(*shape), at),
            note,
        )
        updates = floats(*np.take(np.zeros(shape), at, axis).shape) * 0.7
        yield Case(
            products.ScatterAdd,
            lambda x, i, u, a=axis: sp.scatter_add(x, i, u, a),
            lambda x, i, u, a=axis: scattered(x, i, u, a),
            (floats(*shape), at, updates),
            note,
        )
    for dtype in ("uint8", "int8", "int32"):
        at = np.array([2, 0, 2], dtype=dtype)
        yield Case(products.Take, snp.take, np.take, (floats(4), at), dtype)
        yield Case(products.ScatterAdd, sp.scatter_add, scattered, (floats(4), at, floats(3)), dtype)


def scattered(x: Array, indices: Array, updates: Array, axis: int = 0) -> Array:
    """One addition after the other."""
    out = np.moveaxis(x.copy(), axis, 0)
    moved = np.moveaxis(updates, range(axis, axis + indices.ndim), range(indices.ndim))
    for place in np.ndindex(indices.shape):
        out[indices[place]] += moved[place]
    return np.moveaxis(out, 0, axis)


def leaf_cases() -> Iterable[Case]:
    for shape in UNARY:
        yield Case(leaves.Input, snp.positive, np.positive, (floats(*shape),))
    for value in (3.5, [[1, 2], [3, 4]], np.zeros((0, 2)), True):
        array = np.asarray(value)
        kept = (
            array.dtype if array.dtype.kind != "f" or isinstance(value, np.ndarray) else np.dtype("float32")
        )
        yield Case(
            leaves.Constant,
            lambda v=value: snp.asarray(v),
            lambda a=array, k=kept: a.astype(k),
            (),
            f"{value}",
        )
    for n in (0, 1, 7):
        for dtype in ("int64", "float32", "uint8"):
            numbers = (lambda n=n, d=dtype: leaves.iota(n, d), lambda n=n, d=dtype: np.arange(n, dtype=d))
            yield Case(leaves.Iota, *numbers, (), f"{n} {dtype}")
    key, counter = np.array([2**32 - 1, 5], np.uint32), np.array([7, 2**31], np.uint32)
    for shape in ((), (1,), (4,), (9,), (3, 5), (0,)):
        yield Case(
            leaves.RandomBits,
            lambda k, c, s=shape: leaves.random_bits(k, c, s),
            lambda k, c, s=shape: philox(k, c, s),
            (key, counter),
            f"{shape}",
        )


def philox(key: Array, counter: Array, shape: tuple[int, ...]) -> Array:
    """Philox4x32-10 on Python's whole numbers: word i % 4 of block (i // 4, 0, counter)."""
    words = []
    for block in range(-(-math.prod(shape) // 4)):
        words += philox_block((block, 0, int(counter[0]), int(counter[1])), (int(key[0]), int(key[1])))
    return np.array(words[: math.prod(shape)], dtype=np.uint32).reshape(shape)


def philox_block(counter: tuple[int, ...], key: tuple[int, int]) -> list[int]:
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k, q % 2**32, (p >> 32) ^ d ^ m, p % 2**32
        k, m = (k + 0x9E3779B9) % 2**32, (m + 0xBB67AE85) % 2**32
    return [a, b, c, d]


CASES: list[Case] = [*elementwise_cases(), *shaping_cases(), *product_cases(), *leaf_cases()]
