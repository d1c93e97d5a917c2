"""`x[...]`: NumPy's basic indexing, and integer arrays through `take`."""

from __future__ import annotations

import math
import operator
from typing import Any, cast

import numpy as np

from spusk.errors import DTypeError, ShapeError
from spusk.graph import ops
from spusk.graph.dtypes import INT64
from spusk.graph.leaves import as_tensor
from spusk.graph.place import users_place
from spusk.graph.tensor import Tensor


def index(x: Tensor, key: Any) -> Tensor:
    """x[key] for integers, slices, `None`, `...` and adjacent integer arrays."""
    given: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)  # pyright: ignore[reportUnknownVariableType]
    keys = _complete(x, given)
    if any(isinstance(k, Tensor) for k in keys):
        chosen = [i for i, k in enumerate(keys) if isinstance(k, (int, Tensor))]
        if chosen != list(range(chosen[0], chosen[-1] + 1)):
            raise ShapeError(f"integers and integer arrays must index adjacent axes ({users_place()})")
    x, keys = _basic(x, keys)
    arrays = [i for i, k in enumerate(keys) if isinstance(k, Tensor)]
    if not arrays:
        return _insert_axes(x, keys)
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
    if not isinstance(key, (Tensor, np.ndarray, list, bool, np.bool_)):
        try:
            return operator.index(key)
        except TypeError:
            raise DTypeError(
                f"an index is an integer, a slice, None, ... or an integer array, not {key!r} "
                f"({users_place()})"
            ) from None
    tensor = as_tensor(key)  # pyright: ignore[reportUnknownArgumentType]
    if tensor.size == 0 and isinstance(key, list):
        tensor = ops.cast(tensor, INT64)
    if tensor.dtype.kind == "b":
        raise DTypeError(
            "a boolean mask gives a shape that depends on values; "
            f"choose with spusk.numpy.where, or index with integers ({users_place()})"
        )
    if tensor.dtype.kind not in "iu":
        raise DTypeError(f"an index needs whole numbers and got {tensor.dtype.name} ({users_place()})")
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
            chosen = _chosen(cast("slice[Any, Any, Any]", k), n)
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


def _chosen(key: slice, n: int) -> range:
    """What a slice chooses of an axis of length n."""
    try:
        return range(n)[key]
    except (TypeError, ValueError):  # no whole number; a step of 0
        shown = f"{key.start}:{key.stop}:{key.step}".replace("None", "")
        raise ShapeError(
            f"an index got the slice {shown}; it needs whole numbers, and a step other than 0 "
            f"({users_place()})"
        ) from None


def _take_together(x: Tensor, axis: int, indices: list[Tensor]) -> Tensor:
    """Adjacent integer arrays index as one: the axes are merged, and so are the indices."""
    if len(indices) == 1:
        return ops.take(x, indices[0], axis)
    sizes = x.shape[axis : axis + len(indices)]
    total = math.prod(sizes)
    merged, stride = as_tensor(0), total
    for i, n in zip(indices, sizes, strict=True):
        stride //= max(n, 1)
        merged = merged + ops.wrapped(i, n, outside=total) * stride  # one outside puts the sum outside
    shape = (*x.shape[:axis], total, *x.shape[axis + len(indices) :])
    return ops.take(ops.reshape(x, shape), merged, axis)


def _insert_axes(x: Tensor, keys: list[Any]) -> Tensor:
    if all(k is not None for k in keys):
        return x
    sizes = iter(x.shape)
    return ops.reshape(x, [1 if k is None else next(sizes) for k in keys])
