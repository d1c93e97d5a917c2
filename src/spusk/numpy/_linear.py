"""Products of vectors, matrices and higher arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

from spusk.errors import ShapeError
from spusk.graph import ops
from spusk.graph.leaves import as_tensor
from spusk.graph.place import users_place
from spusk.graph.tensor import Operand, Tensor


def matrix_transpose(x: Operand) -> Tensor:
    """The last two axes exchanged."""
    return as_tensor(x).mT


def vecdot(x: Operand, y: Operand, *, axis: int = -1) -> Tensor:
    """The inner product along one axis.

    >>> float(vecdot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    a, b = ops.promote(x, y)
    if a.shape[ops.one_axis("vecdot", axis, a.ndim)] != b.shape[ops.one_axis("vecdot", axis, b.ndim)]:
        raise ShapeError(
            f"vecdot got shapes {a.shape} and {b.shape}; axis {axis} must agree ({users_place()})"
        )
    return ops.sum(a * b, axis)


def outer(x: Operand, y: Operand) -> Tensor:
    """All products of the elements of two vectors, (m,) and (n,) give (m, n)."""
    return ops.reshape(x, (-1, 1)) * ops.reshape(y, (1, -1))


def tensordot(x: Operand, y: Operand, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """The sum of products over pairs of axes.

    Args:
        x, y: arrays.
        axes: how many last axes of x meet as many first axes of y, or two lists of axes.

    Returns:
        An array with the remaining axes of x, then those of y.

    >>> tensordot([[1.0, 2.0]], [[3.0], [4.0]], axes=1).numpy()
    array([[11.]], dtype=float32)
    """
    a, b = ops.promote(x, y)
    if isinstance(axes, int):
        of_a: list[int] = list(range(a.ndim - axes, a.ndim))
        of_b: list[int] = list(range(axes))
    else:
        of_a = [ops.one_axis("tensordot", i, a.ndim) for i in axes[0]]
        of_b = [ops.one_axis("tensordot", i, b.ndim) for i in axes[1]]
    if [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise ShapeError(f"tensordot got shapes {a.shape} and {b.shape} for axes {axes} ({users_place()})")
    left = [i for i in range(a.ndim) if i not in of_a]
    right = [i for i in range(b.ndim) if i not in of_b]
    shared = math.prod(a.shape[i] for i in of_a)
    rows, columns = [a.shape[i] for i in left], [b.shape[i] for i in right]
    matrix_a = ops.reshape(ops.transpose(a, (*left, *of_a)), (math.prod(rows), shared))
    matrix_b = ops.reshape(ops.transpose(b, (*of_b, *right)), (shared, math.prod(columns)))
    return ops.reshape(ops.dot(matrix_a, matrix_b), (*rows, *columns))
