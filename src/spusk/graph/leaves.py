"""Nodes without inputs, and the counter-based random bits: where values enter a graph."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spusk.errors import DTypeError, InputError, ShapeError, SpuskError
from spusk.graph.dtypes import FLOAT64, INT64, UINT32, DType, as_dtype, converted, is_float
from spusk.graph.place import CURRENT_PLACE, users_place
from spusk.graph.primitive import Cotangents, Primitive, Shape
from spusk.graph.tensor import Number, Tensor, node


@dataclass(frozen=True, repr=False)
class Input(Primitive):
    """A named value that is supplied when the graph is evaluated."""

    name: ClassVar[str] = "input"
    label: str

    def evaluate(self, xp: Any, *values: Any) -> Any:
        raise InputError(f"the graph's input {self.label!r} was given no value")

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return ()


@dataclass(frozen=True, repr=False, eq=False)
class Constant(Primitive):
    """A value known when the graph is built."""

    name: ClassVar[str] = "constant"
    value: NDArray[Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.value.flags.writeable = False  # copies of arrays forget it

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return self.value if xp is np else xp.asarray(plain(self.value))

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return ()


def plain(value: Any) -> Any:
    """A NumPy array as other libraries want to take it over: writable and without strange strides."""
    is_array = isinstance(value, np.ndarray)
    return np.require(value, None, ["C", "W"]) if is_array else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


@dataclass(frozen=True, repr=False)
class Iota(Primitive):
    """0, 1, …, n − 1 along one axis."""

    name: ClassVar[str] = "iota"
    n: int
    dtype: DType

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        return (self.n,), self.dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.arange(self.n, dtype=getattr(xp, self.dtype.name))

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return ()


@dataclass(frozen=True, repr=False)
class RandomBits(Primitive):
    """Philox4x32-10 of a key and a counter: element i is word i % 4 of block (i // 4, counter).

    Salmon, Moraes, Dror, Shaw, 2011, "Parallel random numbers: as easy as 1, 2, 3", §3.3.
    """

    name: ClassVar[str] = "random_bits"
    shape: Shape

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        for what, x in zip(("key", "counter"), inputs, strict=True):
            if x.shape != (2,) or x.dtype != UINT32:
                raise ShapeError(f"random_bits needs a {what} of uint32 [2] and got {x.dtype.name} {x.shape}")
        return self.shape, UINT32

    def evaluate(self, xp: Any, *values: Any) -> Any:
        key, counter = (xp.astype(v, xp.int64) for v in values)
        n = math.prod(self.shape)
        blocks = -(-n // 4)
        index = xp.arange(blocks, dtype=xp.int64)
        zeros = xp.zeros(blocks, dtype=xp.int64)
        words = _philox(xp, (index, zeros, zeros + counter[0], zeros + counter[1]), (key[0], key[1]))
        bits = xp.reshape(xp.stack(words, axis=1), (4 * blocks,))[:n]
        return xp.reshape(xp.astype(bits, xp.uint32), self.shape)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (None, None)


def _philox(xp: Any, counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> list[Any]:
    """Ten rounds over 32-bit words that are held in int64, so that a product keeps its high half.

    Products wrap around to negative numbers, whose bits are still right; not every namespace has uint64.
    """
    low, shift, m0, m1, w0, w1 = (
        xp.asarray(word, dtype=xp.int64)
        for word in (0xFFFFFFFF, 32, 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85)
    )
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = m0 * c0, m1 * c2
        high0, high1 = (p0 >> shift) & low, (p1 >> shift) & low
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, p1 & low, high0 ^ c3 ^ k1, p0 & low
        k0, k1 = (k0 + w0) & low, (k1 + w1) & low
    return [c0, c1, c2, c3]


def leaf(primitive: Primitive, shape: Shape, dtype: DType, *, weak: bool = False) -> Tensor:
    return Tensor(primitive, (), shape, dtype, weak, CURRENT_PLACE.get() or users_place())


def input(
    label: str, shape: int | Sequence[int] = (), dtype: Any = "float32", *, weak: bool = False
) -> Tensor:
    """A named leaf that is given its value when the graph is evaluated.

    Args:
        label: its name in printed graphs and error messages.
        shape: of the value; a whole number n stands for (n,), as in NumPy.
        dtype: of the value.
        weak: True for a scalar that should take the precision of what it meets (hyperparameters are such).

    Raises:
        InputError: if the label is no str.
        ShapeError: if the shape is neither a whole number nor several, each 0 or more.
        DTypeError: if the dtype is not supported.

    >>> x = input("x", (2,))
    >>> (x * 2).numpy({x: [1.0, 2.0]})
    array([2., 4.], dtype=float32)
    """
    if not isinstance(label, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"an input's name is {label!r:.60}; it must be a str ({users_place()})")
    return leaf(Input(label), _shape(label, shape), as_dtype(dtype), weak=weak)


def _shape(label: str, shape: Any) -> Shape:
    """The shape given for an input, as a tuple."""
    several = isinstance(shape, Iterable) and not isinstance(shape, (str, bytes))
    sizes: tuple[Any, ...] = tuple(shape) if several else (shape,)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    for n in sizes:
        if isinstance(n, (bool, np.bool)) or not isinstance(n, (int, np.integer)) or n < 0:
            raise ShapeError(
                f"input {label!r} got shape {shape!r:.60}; "
                f"a shape is whole numbers of 0 or more, such as (2, 3) ({users_place()})"
            )
    return tuple([int(n) for n in sizes])


def constant(value: Any, dtype: Any = None, *, weak: bool = False) -> Tensor:
    """A leaf that holds a copy of `value` (a number, an array or nested lists)."""
    target = None if dtype is None else as_dtype(dtype)
    try:
        with np.errstate(all="ignore"):
            if isinstance(value, (np.ndarray, np.generic)) and target is not None:
                array: NDArray[Any] = np.array(converted(np, np.asarray(value), target))  # pyright: ignore[reportUnknownArgumentType]
            else:
                array = np.array(value, dtype=target)
    except SpuskError:  # of a value that says itself, in its `__array__`, why it is no array
        raise
    except OverflowError:
        raise DTypeError(f"{value!r:.60} does not fit into {target or INT64} ({users_place()})") from None
    except (TypeError, ValueError):
        raise _not_numbers(value) from None
    if array.dtype.kind not in "biuf":
        raise _not_numbers(value)
    array = array.astype(as_dtype(array.dtype), copy=False)
    array.flags.writeable = False
    return leaf(Constant(array), array.shape, array.dtype, weak=weak)


def _not_numbers(value: Any) -> DTypeError:
    kind = type(value).__name__
    return DTypeError(
        f"a Tensor holds numbers in a rectangular array, not {kind} {value!r:.60} ({users_place()})"
    )


def number(value: Number, dtype: DType) -> Tensor:
    """A Python number as a strong scalar constant of the given dtype."""
    try:
        primitive = _number(type(value), value, math.copysign(1, value), dtype)
    except OverflowError:
        raise DTypeError(f"{value} does not fit into {dtype.name} ({users_place()})") from None
    except ValueError:  # whole numbers hold no NaN
        raise DTypeError(f"{value} does not fit into {dtype.name} ({users_place()})") from None
    return leaf(primitive, (), dtype)


@lru_cache(maxsize=4096)
def _number(kind: type, value: Number, sign: float, dtype: DType) -> Constant:
    """Equal numbers share one constant; kind and sign keep True, 1, 1.0 and 0.0, −0.0 apart."""
    with np.errstate(all="ignore"):
        array: NDArray[Any] = np.array(value, dtype=dtype)
    array.flags.writeable = False
    return Constant(array)


def scalar(value: Number) -> Tensor:
    """A weak scalar: a Python number that keeps its full precision until it meets an array.

    >>> (scalar(0.1) * input("x", (3,), "float32")).dtype.name
    'float32'
    """
    is_whole = isinstance(value, (bool, int)) and not isinstance(value, float)
    dtype = np.dtype(bool) if isinstance(value, bool) else INT64 if is_whole else FLOAT64
    return constant(value, dtype, weak=True)


def as_tensor(value: Any) -> Tensor:
    """A Tensor as it is, a Python number as a weak scalar, an array as a constant.

    A list of Python numbers becomes a constant of the default float dtype, like a literal array.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (bool, int, float)):
        return scalar(value)
    if isinstance(value, (list, tuple)):
        return _literal(value)  # pyright: ignore[reportUnknownArgumentType]
    return constant(value)


def _literal(value: Sequence[Any]) -> Tensor:
    if holds_tensor(value):
        from spusk.graph.ops import stack

        return stack([as_tensor(v) for v in value])
    made = constant(value)
    return (
        made
        if not is_float(made.dtype) or holds(np.ndarray | np.generic, value)
        else constant(value, "float32")
    )


def holds_tensor(value: Any) -> bool:
    return holds(Tensor, value)


def holds(kind: Any, value: Any) -> bool:
    """Whether the value, or something in its nested lists, is an instance of `kind`."""
    return isinstance(value, kind) or (
        isinstance(value, (list, tuple)) and any(holds(kind, v) for v in value)  # pyright: ignore[reportUnknownVariableType]
    )


def iota(n: int, dtype: Any = "int64") -> Tensor:
    """0, 1, …, n − 1; of truth values, two at most."""
    found = as_dtype(dtype)
    if found.kind == "b" and n > 2:
        raise DTypeError(f"there are only 2 truth values to count, not {n} ({users_place()})")
    return node(Iota(n, found))


def random_bits(key: Tensor, counter: Tensor, shape: Sequence[int]) -> Tensor:
    """Uniform 32-bit words, the same on every backend.

    Args:
        key: uint32 [2], e.g. from `spusk.streams.key`.
        counter: uint32 [2]; another counter gives independent bits.
        shape: of the result.
    """
    return node(RandomBits(tuple(shape)), key, counter)
