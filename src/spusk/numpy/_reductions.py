"""Reductions composed from sum and max."""

from __future__ import annotations

import math

from spusk.errors import ShapeError
from spusk.graph import ops
from spusk.graph.leaves import as_tensor
from spusk.graph.place import users_place
from spusk.graph.tensor import Axis, Operand, Tensor


def count_nonzero(x: Operand, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero, int64."""
    return ops.sum(ops.not_equal(x, 0), axis, keepdims=keepdims)


def any(x: Operand, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is true."""
    return count_nonzero(x, axis=axis, keepdims=keepdims) > 0


def all(x: Operand, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true."""
    return ops.sum(ops.logical_not(as_tensor(x)), axis, keepdims=keepdims) == 0


def logsumexp(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """log Σ eˣ over some axes, without overflow.

    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931762695312
    """
    t = ops.floating(x)
    if 0 in {t.shape[a] for a in ops.normalised_axes("logsumexp", axis, t.ndim)}:
        raise ShapeError(f"logsumexp got shape {t.shape}: no elements to add ({users_place()})")
    largest = ops.stop_gradient(ops.max(t, axis, keepdims=True))
    shift = ops.where(ops.abs(largest) == math.inf, 0, largest)
    total = ops.log(ops.sum(ops.exp(t - shift), axis, keepdims=True)) + shift
    return total if keepdims else ops.reshape(total, ops.sum(t, axis).shape)
