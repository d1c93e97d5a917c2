"""`x[...]`: NumPy's basic indexing, and integer arrays through `take`."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from spusk.errors import DTypeError, ShapeError
from spusk.graph import ops
from spusk.graph.leaves import as_tensor
from spusk.graph.tensor import Tensor, users_place


def index(x: Tensor, key: Any) -> Tensor:
    """x[key] for integers, slices, `None`, `...` and adjacent integer arrays."""
    given: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)  # pyright: ignore[reportUnknownVariableType]
    keys = _complete(x, given)
    x, keys = _basic(x, keys)
    arrays = [i for i, k in enumerate(keys) if isinstance(k, Tensor)]
    if not arrays:
        return _insert_axes(x, keys)
    if arrays != list(range(arrays[0], arrays[-1] + 1)):
        raise ShapeError(f"integer arrays must index adjacent axes ({users_place()})")
    before = keys[: arrays[0]]
    position = sum(k is not None for k in before)
    indices = [keys[i] for i in arrays]
    taken = _take_together(x, position, indices)
    rank = taken.ndim - (x.ndim - len(indices))
    return _insert_axes(taken, [*before, *[slice(None)] * rank, *keys[arrays[-1] + 1 :]])


def _complete(x: Tensor, keys: tuple[Any, ...]) -> list[Any]:
    """Each key made plain, and `...` replaced by the full slices that it stands for."""
    plain: list[Any] = [k if k is None or k is Ellipsis or isinstance(k, slice) else _plain(k) for k in keys]
    used = sum(k is not None and k is not Ellipsis for k in plain)
    if used > x.ndim or sum(k is Ellipsis for k in plain) > 1:
        raise ShapeError(f"index {keys} has too many axes for shape {x.shape} ({users_place()})")
    rest = [slice(None)] * (x.ndim - used)
    where = next((i for i, k in enumerate(plain) if k is Ellipsis), len(plain))
    return [*plain[:where], *rest, *plain[where + 1 :]]


def _plain(key: Any) -> int | Tensor:
    if not isinstance(key, (Tensor, np.ndarray, list, bool)):
        return operator.index(key)
    tensor = as_tensor(key if isinstance(key, Tensor) else np.asarray(key))  # pyright: ignore[reportUnknownArgumentType]
    if tensor.dtype.kind == "b":
        raise DTypeError(
            "a boolean mask gives a shape that depends on values; "
            f"choose with spusk.numpy.where, or index with integers ({users_place()})"
        )
    return tensor


def _basic(x: Tensor, keys: list[Any]) -> tuple[Tensor, list[Any]]:
    """Apply integers and slices; what is left is `None`, full slices and integer arrays."""
    starts, stops, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    flipped: list[int] = []
    dropped: list[int] = []
    left: list[Any] = []
    axis = 0
    for k in keys:
        if k is None:
            left.append(None)
            continue
        n = x.shape[axis]
        if isinstance(k, int):
            if not -n <= k < n:
                raise IndexError(
                    f"index {k} is out of range for axis {axis} of shape {x.shape} ({users_place()})"
                )
            starts[axis], stops[axis] = k % n, k % n + 1
            dropped.append(axis)
        elif isinstance(k, slice):
            chosen = range(n)[k]
            if chosen.step < 0:
                flipped.append(axis)
                chosen = chosen[::-1]
            starts[axis], steps[axis] = min(chosen.start, n), chosen.step
            stops[axis] = chosen[-1] + 1 if chosen else starts[axis]
            left.append(slice(None))
        else:
            left.append(k)
        axis += 1
    x = ops.slice(x, tuple(starts), tuple(stops), tuple(steps))
    x = ops.flip(x, tuple(flipped)) if flipped else x
    kept = tuple(n for axis, n in enumerate(x.shape) if axis not in dropped)
    return ops.reshape(x, kept), left


def _take_together(x: Tensor, axis: int, indices: list[Tensor]) -> Tensor:
    """Adjacent integer arrays index as one: the axes are merged, and so are the indices."""
    if len(indices) == 1:
        return ops.take(x, indices[0], axis)
    sizes = x.shape[axis : axis + len(indices)]
    merged = _wrapped(indices[0], sizes[0])
    for i, n in zip(indices[1:], sizes[1:], strict=True):
        merged = merged * n + _wrapped(i, n)
    shape = (*x.shape[:axis], math.prod(sizes), *x.shape[axis + len(indices) :])
    return ops.take(ops.reshape(x, shape), merged, axis)


def _wrapped(indices: Tensor, n: int) -> Tensor:
    return ops.where(indices < 0, indices + n, indices)


def _insert_axes(x: Tensor, keys: list[Any]) -> Tensor:
    if all(k is not None for k in keys):
        return x
    sizes = iter(x.shape)
    return ops.reshape(x, [1 if k is None else next(sizes) for k in keys])
