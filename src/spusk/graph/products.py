"""Matrix products, and gathering and scattering rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import ops
from spusk.graph.dtypes import DType
from spusk.graph.primitive import Cotangents, Primitive, Shape
from spusk.graph.tensor import Tensor


class Dot(Primitive):
    """Matrix products: (batch…, m, k) by (batch…, k, n) gives (batch…, m, n)."""

    name = "dot"

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        a, b = (x.shape for x in inputs)
        if a[:-2] != b[:-2] or a[-1] != b[-2]:
            raise ShapeError(f"dot got shapes {a} and {b}; it needs (…, m, k) and (…, k, n)")
        return (*a[:-1], b[-1]), inputs[0].dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        return xp.matmul(*values)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        a, b = inputs
        return ops.dot(grad, b.mT), ops.dot(a.mT, grad)


@dataclass(frozen=True, repr=False)
class Take(Primitive):
    """x at integer indices along one axis, which is replaced by the axes of the indices."""

    name: ClassVar[str] = "take"
    linear: ClassVar[bool] = True
    axis: int

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        x, indices = inputs
        _check_indices("take", indices)
        if indices.size and x.shape[self.axis] == 0:
            raise ShapeError(f"take along axis {self.axis} of shape {x.shape}: no elements to choose from")
        return (*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :]), x.dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        x, indices = values
        if xp is np:
            try:
                return np.take(x, indices, axis=self.axis)
            except IndexError:
                raise _outside("take", x.shape[self.axis]) from None
        wanted = xp.reshape(xp.astype(indices, xp.int64), (-1,))
        wanted = xp.where(wanted < 0, wanted + x.shape[self.axis], wanted)
        flat = xp.take(x, wanted, axis=self.axis)
        return xp.reshape(flat, (*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :]))

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        x, indices = inputs
        return ops.scatter_add(ops.zeros_like(x), indices, grad, self.axis), None


@dataclass(frozen=True, repr=False)
class ScatterAdd(Primitive):
    """x with updates added at integer indices along one axis; repeated indices add up."""

    name: ClassVar[str] = "scatter_add"
    linear: ClassVar[bool] = True
    axis: int

    def result(self, *inputs: Tensor) -> tuple[Shape, DType]:
        x, indices, updates = inputs
        _check_indices("scatter_add", indices)
        expected = (*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :])
        if updates.shape != expected:
            raise ShapeError(f"scatter_add got updates of shape {updates.shape}; it needs {expected}")
        return x.shape, x.dtype

    def evaluate(self, xp: Any, *values: Any) -> Any:
        x, indices, updates = values
        if xp is np:
            out = np.array(x)
            first = self._indices_first(np, x, indices, updates)
            try:
                np.add.at(np.moveaxis(out, self.axis, 0), indices, first)
            except IndexError:
                raise _outside("scatter_add", x.shape[self.axis]) from None
            return out
        return self._by_one_hot(xp, x, indices, updates)

    def _indices_first(self, xp: Any, x: Any, indices: Any, updates: Any) -> Any:
        last = self.axis + indices.ndim
        axes = (*range(self.axis, last), *range(self.axis), *range(last, updates.ndim))
        return xp.permute_dims(updates, axes)

    def _by_one_hot(self, xp: Any, x: Any, indices: Any, updates: Any) -> Any:
        """In the array API there is no scatter: each row sums the updates whose index is its own."""
        n, m = x.shape[self.axis], math.prod(indices.shape)
        flat = xp.reshape(xp.astype(indices, xp.int64), (1, m, 1))
        flat = xp.where(flat < 0, flat + n, flat)
        mine = xp.reshape(xp.arange(n, dtype=xp.int64), (n, 1, 1)) == flat
        other = (*x.shape[: self.axis], *x.shape[self.axis + 1 :])
        first = self._indices_first(xp, x, indices, updates)
        each = xp.reshape(first, (1, m, math.prod(other)))
        added = xp.sum(xp.where(mine, each, xp.zeros_like(each)), axis=1)
        added = xp.reshape(xp.astype(added, x.dtype), (n, *other))
        back = (*range(1, self.axis + 1), 0, *range(self.axis + 1, x.ndim))
        return x + xp.permute_dims(added, back)

    def vjp(self, grad: Tensor, out: Tensor, *inputs: Tensor) -> Cotangents:
        return grad, None, ops.take(grad, inputs[1], self.axis)


def _outside(name: str, length: int) -> InputError:
    return InputError(f"{name} got an index outside of an axis of length {length}")


def _check_indices(name: str, indices: Tensor) -> None:
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"{name} needs integer indices and got {indices.dtype.name}")
