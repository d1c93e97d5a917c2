"""New arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from spusk.errors import ShapeError
from spusk.graph import ops
from spusk.graph.dtypes import DEFAULT_FLOAT, INT64, as_dtype
from spusk.graph.leaves import as_tensor, iota
from spusk.graph.place import users_place
from spusk.graph.tensor import Number, Operand, Tensor

Sizes = int | Sequence[int]


def asarray(obj: Operand, *, dtype: Any = None) -> Tensor:
    """A Tensor of numbers, nested lists or a NumPy array.

    Args:
        obj: NumPy arrays keep their dtype; Python floats become float32, whole numbers int64.
        dtype: of the result, if another is wanted.

    >>> asarray([1, 2]).dtype.name, asarray([1.0]).dtype.name
    ('int64', 'float32')
    """
    t = as_tensor(obj)
    if dtype is None and t.weak:
        dtype = DEFAULT_FLOAT if t.dtype.kind == "f" else t.dtype
    return t if dtype is None else ops.cast(t, dtype)


def zeros(shape: Sizes, *, dtype: Any = None) -> Tensor:
    """An array of zeros.

    >>> zeros((2, 3)).shape
    (2, 3)
    """
    return ops.full(shape, 0.0, dtype)


def ones(shape: Sizes, *, dtype: Any = None) -> Tensor:
    """An array of ones."""
    return ops.full(shape, 1.0, dtype)


def full(shape: Sizes, fill_value: Number, *, dtype: Any = None) -> Tensor:
    """An array of one repeated number."""
    return ops.full(shape, fill_value, dtype)


def full_like(x: Operand, fill_value: Number, *, dtype: Any = None) -> Tensor:
    """One repeated number with the shape and dtype of x."""
    t = as_tensor(x)
    return ops.full(t.shape, fill_value, t.dtype if dtype is None else dtype)


def arange(start: Number, stop: Number | None = None, step: Number = 1, *, dtype: Any = None) -> Tensor:
    """start, start + step, … up to but without stop; from 0 when only one number is given.

    >>> arange(2, 8, 3).numpy()
    array([2, 5])
    """
    first, end = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ShapeError(f"arange got step 0 ({users_place()})")
    if dtype is None:
        dtype = (
            DEFAULT_FLOAT if any(isinstance(v, (float, np.floating)) for v in (first, end, step)) else INT64
        )
    n = max(math.ceil((end - first) / step), 0)
    target = as_dtype(dtype)
    numbers = iota(n, target)
    if step != 1:
        numbers = numbers * step
    return numbers + first if first != 0 else numbers


def linspace(start: float, stop: float, num: int, *, dtype: Any = None, endpoint: bool = True) -> Tensor:
    """num evenly spaced numbers from start to stop.

    >>> linspace(0.0, 1.0, 3).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    parts = max(num - 1 if endpoint else num, 1)
    return iota(num, DEFAULT_FLOAT if dtype is None else dtype) * (stop - start) / parts + start


def eye(n_rows: int, n_cols: int | None = None, *, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    columns = iota(n_rows if n_cols is None else n_cols)
    on_diagonal = ops.reshape(iota(n_rows), (-1, 1)) + k == columns
    return ops.cast(on_diagonal, DEFAULT_FLOAT if dtype is None else dtype)


def tril(x: Operand, *, k: int = 0) -> Tensor:
    """The lower triangle of the last two axes, zeros above the k-th diagonal."""
    t = as_tensor(x)
    return ops.where(_column_minus_row(t) <= k, t, 0)


def triu(x: Operand, *, k: int = 0) -> Tensor:
    """The upper triangle of the last two axes, zeros below the k-th diagonal."""
    t = as_tensor(x)
    return ops.where(_column_minus_row(t) >= k, t, 0)


def _column_minus_row(t: Tensor) -> Tensor:
    if t.ndim < 2:
        raise ShapeError(f"a triangle needs at least two axes and got shape {t.shape} ({users_place()})")
    rows, columns = t.shape[-2:]
    return iota(columns) - ops.reshape(iota(rows), (-1, 1))
