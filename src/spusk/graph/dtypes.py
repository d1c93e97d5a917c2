"""Dtypes of graph nodes, and how they combine.

The rules are the array API standard's. Where the standard leaves mixed kinds open (an integer beside a
float), the floating dtype wins, so float32 stays float32; and a *weak* operand (a Python number, or a
scalar computed from Python numbers, schedules and hyperparameters) never changes the other's precision.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from spusk.errors import DTypeError
from spusk.graph.place import users_place

DType = np.dtype[Any]

BOOL: DType = np.dtype(np.bool_)
INT64: DType = np.dtype(np.int64)
UINT32: DType = np.dtype(np.uint32)
FLOAT32: DType = np.dtype(np.float32)
FLOAT64: DType = np.dtype(np.float64)

DEFAULT_FLOAT = FLOAT32
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SUPPORTED: set[DType] = {np.dtype(name) for name in ("bool", *INTEGERS, "float32", "float64")}


def as_dtype(dtype: Any) -> DType:
    """The supported dtype that `dtype` names, in the machine's byte order.

    >>> as_dtype("float32")
    dtype('float32')
    """
    if dtype is float:
        return DEFAULT_FLOAT
    try:
        found: DType = np.dtype(object if dtype is None else dtype)  # NumPy takes None for float64
    except TypeError:
        found = np.dtype(object)
    if not found.isnative and found.kind in "iuf":
        found = np.dtype(found.type)  # of the machine's dtypes there is one object each
    if found not in SUPPORTED:
        names = ", ".join(sorted(d.name for d in SUPPORTED))
        what = dtype if isinstance(dtype, str) or found == np.dtype(object) else found.name
        raise DTypeError(f"dtype {what} is not supported; use one of {names} ({users_place()})")
    return found


def is_float(dtype: DType) -> bool:
    return dtype.kind == "f"


@cache
def promote_types(a: DType, b: DType) -> DType:
    """The dtype of an operation between two strong operands.

    >>> promote_types(FLOAT32, FLOAT64), promote_types(INT64, FLOAT32)
    (dtype('float64'), dtype('float32'))
    """
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    promoted: DType = np.promote_types(a, b)
    if promoted.kind == "f" and a.kind != "f":
        raise DTypeError(
            f"{a.name} and {b.name} have no common integer dtype; "
            f"cast one with .astype(...) ({users_place()})"
        )
    return promoted


@cache
def promote_weak(strong: DType, weak: DType) -> DType:
    """The dtype of an operation between a strong operand and a weak one of the given dtype.

    >>> promote_weak(FLOAT32, FLOAT64), promote_weak(INT64, FLOAT64)
    (dtype('float32'), dtype('float32'))
    """
    ranks = "biuf".index
    if ranks(weak.kind) <= ranks(strong.kind) or (weak.kind == "i" and strong.kind == "u"):
        return strong
    return DEFAULT_FLOAT if is_float(weak) else INT64


def converted(xp: Any, x: Any, dtype: DType) -> Any:
    """An array of the namespace `xp` in another dtype, by the rules of `spusk.graph.ops.cast`.

    What a processor makes of a float that no whole number of the dtype is near differs from one to the next,
    so it is said here: numbers beyond the ends become the ends, and NaN becomes 0.

    >>> converted(np, np.array([np.nan, np.inf, -1e30, 300.7, -1.5]), np.dtype("int8"))
    array([   0,  127, -128,  127,   -1], dtype=int8)
    """
    target = getattr(xp, dtype.name)
    if dtype.kind not in "iu" or not xp.isdtype(x.dtype, "real floating"):
        return xp.astype(x, target)
    limits = np.iinfo(dtype)
    below, above = float(limits.min) - 1, 2.0 ** (limits.bits - (dtype.kind == "i"))
    inside = xp.logical_and(x > below, x < above)
    if xp is np and inside.all():
        return xp.astype(x, target)
    whole = xp.astype(xp.where(inside, x, xp.zeros_like(x)), target)
    ends = [xp.asarray(end, dtype=target) for end in (limits.min, limits.max)]
    return xp.where(x >= above, ends[1], xp.where(x <= below, ends[0], whole))
