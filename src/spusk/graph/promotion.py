"""Operands become Tensors of one dtype: what a strong, a weak and a literal operand have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from spusk.errors import DTypeError
from spusk.graph.dtypes import (
    BOOL,
    DEFAULT_FLOAT,
    FLOAT64,
    INT64,
    DType,
    as_dtype,
    converted,
    is_float,
    promote_types,
    promote_weak,
)
from spusk.graph.place import users_place
from spusk.graph.tensor import Operand, Tensor, node


def promote(*operands: Operand) -> list[Tensor]:
    """The operands as Tensors of one dtype; Python numbers and lists of them take the others' dtype."""
    tensors = [x if isinstance(x, Tensor) else _weak_tensor(x) for x in operands]
    if all(x.weak and not isinstance(o, Tensor) for x, o in zip(tensors, operands, strict=True)):
        tensors = [leaves.as_tensor(o) for o in operands]  # no other: lists are literal arrays
    strong: DType | None = None
    weak: DType | None = None
    for x in tensors:
        if x.weak:
            weak = x.dtype if weak is None else promote_types(weak, x.dtype)
        else:
            strong = x.dtype if strong is None else promote_types(strong, x.dtype)
    if strong is not None:
        dtype = strong if weak is None else promote_weak(strong, weak)
    else:
        assert weak is not None
        dtype = weak
    return [x if x.dtype == dtype else _promoted(x, dtype, weak=strong is None) for x in tensors]


def _promoted(t: Tensor, dtype: DType, *, weak: bool) -> Tensor:
    """t in the common dtype, which must be able to hold a weak constant's whole numbers."""
    if t.weak and dtype.kind in "iu" and isinstance(t.primitive, leaves.Constant):
        value, limits = t.primitive.value, np.iinfo(dtype)
        if value.size and not (limits.min <= value.min() and value.max() <= limits.max):
            raise DTypeError(f"{value.tolist()} does not fit into {dtype.name} ({users_place()})")
    return _convert(t, dtype, weak=weak)


def promote_pair(x: Operand, y: Operand) -> tuple[Tensor, Tensor]:
    """`promote` for two operands, quick where nothing is to be done and beside a plain number."""
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        if x.dtype is y.dtype and x.weak is y.weak:
            return x, y
    elif isinstance(x, Tensor) and _keeps_dtype(x, type(y)):
        return x, leaves.number(y, x.dtype)  # pyright: ignore[reportArgumentType]
    elif isinstance(y, Tensor) and _keeps_dtype(y, type(x)):
        return leaves.number(x, y.dtype), y  # pyright: ignore[reportArgumentType]
    first, second = promote(x, y)
    return first, second


NUMBERS: dict[type, DType] = {bool: BOOL, int: INT64, float: FLOAT64}


def _keeps_dtype(x: Tensor, kind: type) -> bool:
    """Whether a Python number of this kind simply takes the dtype of x."""
    return not x.weak and kind in NUMBERS and promote_weak(x.dtype, NUMBERS[kind]) is x.dtype


def _weak_tensor(x: Any) -> Tensor:
    if isinstance(x, (list, tuple)) and not leaves.holds_tensor(x):
        return leaves.constant(x, weak=True)
    return leaves.as_tensor(x)


def floating(x: Operand) -> Tensor:
    """x as a Tensor of a floating dtype."""
    t = leaves.as_tensor(x)
    if is_float(t.dtype):
        return t
    return _convert(t, FLOAT64 if t.weak else DEFAULT_FLOAT, weak=t.weak)


def cast(x: Operand, dtype: Any) -> Tensor:
    """x in another dtype.

    Floats become whole numbers by truncation; those beyond the dtype's ends become its ends and NaN becomes
    0, on every backend and processor. Whole numbers wrap around. Of anything, 0 is False, all else True.

    >>> cast(np.array([np.nan, np.inf, -1e30, -1.5]), "int32").numpy()
    array([          0,  2147483647, -2147483648,          -1], dtype=int32)
    >>> cast(np.array([300, -1]), "uint8").numpy()
    array([ 44, 255], dtype=uint8)
    """
    t, target = leaves.as_tensor(x), as_dtype(dtype)
    return t if t.dtype == target and not t.weak else _convert(t, target, weak=False)


def _convert(t: Tensor, dtype: DType, *, weak: bool) -> Tensor:
    if not isinstance(t.primitive, leaves.Constant):
        return node(elementwise.Cast(dtype, weak), t)
    with np.errstate(all="ignore"):
        return leaves.constant(converted(np, t.primitive.value, dtype), weak=weak)


# Leaves and primitives need the functions above and those of `ops`, so they are imported after them.
from spusk.graph import elementwise, leaves  # noqa: E402
