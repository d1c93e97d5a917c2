"""Axes rearranged, arrays joined, repeated and shifted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import ShapeError
from spusk.graph import ops
from spusk.graph.leaves import as_tensor, iota
from spusk.graph.place import users_place
from spusk.graph.tensor import Axis, Operand, Tensor


def permute_dims(x: Operand, axes: Sequence[int]) -> Tensor:
    """Axes in another order."""
    return ops.transpose(x, axes)


def moveaxis(x: Operand, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Tensor:
    """Some axes moved to other places, the rest kept in order."""
    t = as_tensor(x)
    of, to = ([ops.one_axis("moveaxis", a, t.ndim) for a in _several(axes)] for axes in (source, destination))
    if len(set(of)) != len(set(to)) or len(of) != len(set(of)) or len(to) != len(set(to)):
        raise ShapeError(f"moveaxis got source {source} and destination {destination} ({users_place()})")
    order = [axis for axis in range(t.ndim) if axis not in of]
    for place, axis in sorted(zip(to, of, strict=True)):
        order.insert(place, axis)
    return ops.transpose(t, order)


def _several(axes: int | tuple[int, ...]) -> tuple[int, ...]:
    return axes if isinstance(axes, tuple) else (axes,)


def expand_dims(x: Operand, axis: int | tuple[int, ...] = 0) -> Tensor:
    """New axes of length 1 at the given places of the result."""
    t = as_tensor(x)
    axes = _several(axis)
    ndim = t.ndim + len(axes)
    return ops.expand(t, tuple(sorted(ops.one_axis("expand_dims", a, ndim) for a in axes)))


def squeeze(x: Operand, axis: int | tuple[int, ...]) -> Tensor:
    """The given axes of length 1 removed."""
    t = as_tensor(x)
    axes = {ops.one_axis("squeeze", a, t.ndim) for a in _several(axis)}
    if any(t.shape[a] != 1 for a in axes):
        raise ShapeError(
            f"squeeze got axis {axis} of shape {t.shape}, which is not of length 1 ({users_place()})"
        )
    return ops.reshape(t, [n for i, n in enumerate(t.shape) if i not in axes])


def broadcast_to(x: Operand, shape: Sequence[int]) -> Tensor:
    """x repeated along axes of length 1 and new leading axes."""
    return ops.broadcast(x, tuple(int(n) for n in shape))


def broadcast_arrays(*arrays: Operand) -> list[Tensor]:
    """All arrays broadcast to their common shape."""
    tensors = [as_tensor(a) for a in arrays]
    try:
        shape = np.broadcast_shapes(*(t.shape for t in tensors))
    except ValueError:
        shapes = ", ".join(str(t.shape) for t in tensors)
        raise ShapeError(f"broadcast_arrays got {shapes}, which do not broadcast ({users_place()})") from None
    return [ops.broadcast(t, shape) for t in tensors]


def unstack(x: Operand, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along one axis."""
    moved = moveaxis(x, axis, 0)
    return tuple(moved[i] for i in range(moved.shape[0]))


def pad(x: Operand, pad_width: int | Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
    """Zeros before and after the elements of each axis.

    Args:
        x: the array.
        pad_width: how many zeros, 0 or more, as NumPy's `pad` takes it: one number for everywhere, a pair
            (before, after) for every axis, or a list with a pair, or one number in a list, for each axis.

    Raises:
        ShapeError: if `pad_width` is none of these.

    >>> pad([1.0, 2.0], 1).numpy()
    array([0., 1., 2., 0.], dtype=float32)
    >>> pad([1.0, 2.0], (1, 0)).numpy()
    array([0., 1., 2.], dtype=float32)
    >>> pad([[1.0, 2.0]], [(1, 0), (0, 2)]).numpy()
    array([[0., 0., 0., 0.],
           [1., 2., 0., 0.]], dtype=float32)
    """
    t = as_tensor(x)
    refused = ShapeError(
        f"pad got pad_width={pad_width!r:.60} for shape {t.shape}; it needs a whole number of 0 or more, "
        f"a pair (before, after) of them, or a list of a pair for each axis ({users_place()})"
    )
    try:
        given: NDArray[Any] = np.asarray(pad_width)
        pairs: NDArray[Any] = np.broadcast_to(given, (t.ndim, 2))
    except ValueError:
        raise refused from None
    if given.dtype.kind not in "iu" or (given < 0).any():
        raise refused
    return ops.pad(t, tuple(pairs[:, 0].tolist()), tuple(pairs[:, 1].tolist()))


def _counts(name: str, counts: Sequence[Any]) -> list[int]:
    """How often to repeat, each 0 or more; `name` is the function that the error names."""
    for n in counts:
        if isinstance(n, (bool, np.bool)) or not isinstance(n, (int, np.integer)) or n < 0:
            raise ShapeError(f"{name} got {n!r:.60} repetitions; it needs 0 or more ({users_place()})")
    return [int(n) for n in counts]


def repeat(x: Operand, repeats: int, *, axis: int | None = None) -> Tensor:
    """Each element repeated, along one axis or flattened; `repeats` is 0 or more."""
    t = as_tensor(x)
    (repeats,) = _counts("repeat", [repeats])
    if axis is None:
        t, axis = ops.reshape(t, -1), 0
    number = ops.one_axis("repeat", axis, t.ndim)
    spread = ops.expand(t, (number + 1,))
    shape = (*t.shape[: number + 1], repeats, *t.shape[number + 1 :])
    return ops.reshape(
        ops.broadcast(spread, shape), (*t.shape[:number], t.shape[number] * repeats, *t.shape[number + 1 :])
    )


def tile(x: Operand, repetitions: int | Sequence[int]) -> Tensor:
    """The whole array repeated along each axis, or so many times along the last one; each 0 or more."""
    t = as_tensor(x)
    several = isinstance(repetitions, (Sequence, np.ndarray))
    counts = _counts("tile", repetitions if several else [repetitions])
    rank = max(t.ndim, len(counts))
    t = ops.reshape(t, (*(1,) * (rank - t.ndim), *t.shape))
    for axis, count in enumerate([1] * (rank - len(counts)) + counts):
        if count != 1:
            t = ops.concatenate([t] * count, axis) if count else t[(*[slice(None)] * axis, slice(0, 0))]
    return t


def roll(x: Operand, shift: int | tuple[int, ...], *, axis: Axis = None) -> Tensor:
    """Elements shifted along axes; those that leave at the end come back at the start."""
    t = as_tensor(x)
    if axis is None:
        return ops.reshape(roll(ops.reshape(t, -1), shift, axis=0), t.shape)
    axes = _several(axis)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    for a, s in zip(axes, shifts, strict=True):
        number = ops.one_axis("roll", a, t.ndim)
        if t.shape[number] and s % t.shape[number]:
            front: list[Any] = [slice(None)] * number
            cut = t.shape[number] - s % t.shape[number]
            parts = t[(*front, slice(cut, None))], t[(*front, slice(0, cut))]
            t = ops.concatenate(parts, number)
    return t


def take_along_axis(x: Operand, indices: Operand, *, axis: int = -1) -> Tensor:
    """x at indices that differ along the other axes, such as those that `argmax` gives.

    >>> take_along_axis([[1.0, 5.0], [7.0, 2.0]], [[1], [0]]).numpy()
    array([[5.],
           [7.]], dtype=float32)
    """
    t, i = as_tensor(x), as_tensor(indices)
    number = ops.one_axis("take_along_axis", axis, t.ndim)
    others = [n for a, n in enumerate(t.shape) if a != number]
    if [n for a, n in enumerate(i.shape) if a != number] != others:
        raise ShapeError(
            f"take_along_axis got shapes {t.shape} and {i.shape}; "
            f"all axes but {number} must agree ({users_place()})"
        )
    n = t.shape[number]
    rows = ops.reshape(moveaxis(t, number, -1), -1)
    starts = ops.reshape(iota(math.prod(others)) * n, (*others, 1))
    inside = ops.wrapped(moveaxis(i, number, -1), n, outside=rows.size)
    return moveaxis(ops.take(rows, starts + inside), -1, number)
