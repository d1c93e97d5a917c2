"""Primitives that move elements without changing them, and reductions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from spusk.errors import ShapeError
from spusk.graph import ops
from spusk.graph.dtypes import INT64, DType
from spusk.graph.primitive import Cotangents, Primitive, Shape
from spusk.graph.tensor import Tensor


@dataclass(frozen=True, repr=False)
class Reshape(Primitive):
    """The same elements in row-major order under another shape."""

    name: ClassVar[str] = "reshape"
    linear: ClassVar[bool] = True
    shape: Shape

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        if math.prod(self.shape) != inputs[0].size:
            raise ShapeError(f"reshape cannot make shape {self.shape} of {inputs[0].shape}")
        return self.shape, inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.reshape(values[0], self.shape)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (ops.reshape(grad, inputs[0].shape),)


@dataclass(frozen=True, repr=False)
class Transpose(Primitive):
    """Axes in another order."""

    name: ClassVar[str] = "transpose"
    linear: ClassVar[bool] = True
    axes: tuple[int, ...]

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        shape = inputs[0].shape
        return tuple(shape[a] for a in self.axes), inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.permute_dims(values[0], self.axes)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        inverse = sorted(range(len(self.axes)), key=self.axes.__getitem__)
        return (ops.transpose(grad, tuple(inverse)),)


@dataclass(frozen=True, repr=False)
class Broadcast(Primitive):
    """Axes of length 1 and missing leading axes repeated to a larger shape."""

    name: ClassVar[str] = "broadcast"
    linear: ClassVar[bool] = True
    shape: Shape

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        shape = inputs[0].shape
        offset = len(self.shape) - len(shape)
        fits = offset >= 0 and all(n in (1, m) for n, m in zip(shape, self.shape[offset:], strict=True))
        if not fits:
            raise ShapeError(f"broadcast cannot make shape {self.shape} of {shape}")
        return self.shape, inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.broadcast_to(values[0], self.shape)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (ops.sum_to(grad, inputs[0].shape),)


@dataclass(frozen=True, repr=False)
class Slice(Primitive):
    """start:stop:step along every axis, steps positive."""

    name: ClassVar[str] = "slice"
    linear: ClassVar[bool] = True
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    steps: tuple[int, ...]

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        ranges = zip(self.starts, self.stops, self.steps, strict=True)
        return tuple(len(range(*r)) for r in ranges), inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        ranges = zip(self.starts, self.stops, self.steps, strict=True)
        return values[0][tuple(slice(*r) for r in ranges)]

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        high: list[int] = []
        for n, m, start, step in zip(inputs[0].shape, grad.shape, self.starts, self.steps, strict=True):
            covered = start + (m - 1) * step + 1 if m else start
            high.append(n - covered)
        interior = tuple(step - 1 for step in self.steps)
        return (ops.pad(grad, self.starts, tuple(high), interior),)


@dataclass(frozen=True, repr=False)
class Pad(Primitive):
    """Zeros before, after, and `interior` of them between the elements of each axis."""

    name: ClassVar[str] = "pad"
    linear: ClassVar[bool] = True
    low: tuple[int, ...]
    high: tuple[int, ...]
    interior: tuple[int, ...]

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        shape = tuple(
            low + n + max(n - 1, 0) * between + high
            for n, low, high, between in zip(inputs[0].shape, self.low, self.high, self.interior, strict=True)
        )
        return shape, inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        (x,) = values
        for axis, (low, high, between) in enumerate(zip(self.low, self.high, self.interior, strict=True)):
            if between and x.shape[axis] > 1:
                x = _spread(xp, x, axis, between)
            parts = [_zeros(xp, x, axis, low), x, _zeros(xp, x, axis, high)]
            if low or high:
                x = xp.concat([p for p in parts if p.shape[axis]] or parts, axis=axis)
        return x

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        shape = inputs[0].shape
        steps = tuple(between + 1 for between in self.interior)
        stops = tuple(
            low + (n - 1) * step + 1 if n else low
            for n, low, step in zip(shape, self.low, steps, strict=True)
        )
        return (ops.slice(grad, self.low, stops, steps),)


def _zeros(xp: Any, like: Any, axis: int, n: int) -> Any:
    return xp.zeros((*like.shape[:axis], n, *like.shape[axis + 1 :]), dtype=like.dtype)


def _spread(xp: Any, x: Any, axis: int, between: int) -> Any:
    """Put zeros after each element but the last: a new axis of (element, zeros), flattened and cut."""
    shape, n = x.shape, x.shape[axis]
    element = xp.reshape(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
    spread = xp.concat([element, _zeros(xp, element, axis + 1, between)], axis=axis + 1)
    flat = xp.reshape(spread, (*shape[:axis], n * (between + 1), *shape[axis + 1 :]))
    return flat[(*(slice(None),) * axis, slice(0, n * (between + 1) - between), ...)]


@dataclass(frozen=True, repr=False)
class Concatenate(Primitive):
    """Several arrays joined along one axis."""

    name: ClassVar[str] = "concatenate"
    linear: ClassVar[bool] = True
    axis: int

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        first, axis = inputs[0].shape, self.axis
        for other in inputs[1:]:
            rest, first_rest = list(other.shape), list(first)
            if len(rest) == len(first):
                rest[axis] = first_rest[axis] = 0
            if rest != first_rest:
                shapes = ", ".join(str(x.shape) for x in inputs[:4]) + (", …" if len(inputs) > 4 else "")
                raise ShapeError(f"concatenate along axis {axis} got shapes {shapes}; other axes must agree")
        total = sum(x.shape[axis] for x in inputs)
        return (*first[:axis], total, *first[axis + 1 :]), inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.concat(values, axis=self.axis)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        grads: list[Tensor | None] = []
        start = 0
        for x in inputs:
            starts, stops = [0] * grad.ndim, list(grad.shape)
            starts[self.axis], stops[self.axis] = start, start + x.shape[self.axis]
            grads.append(ops.slice(grad, tuple(starts), tuple(stops), (1,) * grad.ndim))
            start = stops[self.axis]
        return tuple(grads)


@dataclass(frozen=True, repr=False)
class Flip(Primitive):
    """Elements in reversed order along some axes."""

    name: ClassVar[str] = "flip"
    linear: ClassVar[bool] = True
    axes: tuple[int, ...]

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        return inputs[0].shape, inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.flip(values[0], axis=self.axes)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (ops.flip(grad, self.axes),)


# --- reductions ---------------------------------------------------------------------------------------


def _reduced(shape: Shape, axes: tuple[int, ...]) -> Shape:
    return tuple(n for axis, n in enumerate(shape) if axis not in axes)


@dataclass(frozen=True, repr=False)
class Sum(Primitive):
    """The sum over some axes; small integers and booleans are summed as int64."""

    name: ClassVar[str] = "sum"
    linear: ClassVar[bool] = True
    axes: tuple[int, ...]

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        (x,) = inputs
        dtype = x.dtype
        if dtype.kind in "bi":
            dtype = INT64
        elif dtype.kind == "u":
            dtype = np.dtype(np.uint64)
        return _reduced(x.shape, self.axes), dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.sum(values[0], axis=self.axes)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        (x,) = inputs
        kept = grad if grad.shape == () else ops.expand(grad, self.axes)
        return (ops.broadcast(kept, x.shape),)


@dataclass(frozen=True, repr=False)
class Max(Primitive):
    """The largest element over some axes; ties share the gradient equally. NaN if any is NaN."""

    name: ClassVar[str] = "max"
    axes: tuple[int, ...]

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        shape = inputs[0].shape
        if any(shape[a] == 0 for a in self.axes):
            raise ShapeError(f"max over axes {self.axes} of shape {shape}: no elements to choose from")
        return _reduced(shape, self.axes), inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.max(values[0], axis=self.axes)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        (x,) = inputs
        ties = ops.cast(x == ops.expand(out, self.axes), x.dtype)
        share = grad / ops.sum(ties, self.axes)
        return (ties * ops.expand(share, self.axes),)


@dataclass(frozen=True, repr=False)
class ArgMax(Primitive):
    """The index of the first largest element along one axis; no gradient."""

    name: ClassVar[str] = "argmax"
    axis: int

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        shape = inputs[0].shape
        if shape[self.axis] == 0:
            raise ShapeError(f"argmax along axis {self.axis} of shape {shape}: no elements to choose from")
        return _reduced(shape, (self.axis,)), INT64

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.argmax(values[0], axis=self.axis)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return (None,)
