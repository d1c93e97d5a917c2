"""Losses of regressions: mean squared, mean absolute, Huber."""

from __future__ import annotations

import math
from numbers import Real

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor, ops
from spusk.graph.tensor import Operand
from spusk.nn.losses.targets import pair


def mean_squared(outputs: Operand, targets: Operand) -> Tensor:
    """Mean squared error: its minimiser is the conditional mean.

        L = (1/n) Σᵢ (yᵢ − tᵢ)²

    Source: Legendre, 1805, "Nouvelles méthodes pour la détermination des orbites des comètes".

    Args:
        outputs: y, of any shape, e.g. [n] or [n, k].
        targets: t, of the outputs' shape, up to a last axis of 1.

    Returns:
        The mean over all elements, a scalar of the outputs' dtype.

    Raises:
        ShapeError: if the shapes do not fit.

    >>> float(mean_squared([[1.0], [2.0]], [1.0, 4.0]))
    2.0
    """
    d = _difference("mean_squared", outputs, targets)
    return ops.mean(d * d)


def mean_absolute(outputs: Operand, targets: Operand) -> Tensor:
    """Mean absolute error: its minimiser is the conditional median, which outliers hardly move.

        L = (1/n) Σᵢ |yᵢ − tᵢ|

    Source: Edgeworth, 1887, "On observations relating to several quantities".

    Args:
        outputs: y, of any shape, e.g. [n] or [n, k].
        targets: t, of the outputs' shape, up to a last axis of 1.

    Returns:
        The mean over all elements, a scalar of the outputs' dtype. The gradient where y = t is 0.

    Raises:
        ShapeError: if the shapes do not fit.

    >>> float(mean_absolute([[1.0], [2.0]], [1.0, 4.0]))
    1.0
    """
    return ops.mean(ops.abs(_difference("mean_absolute", outputs, targets)))


def huber(outputs: Operand, targets: Operand, *, delta: float = 1.0) -> Tensor:
    """Huber's loss: squared for small errors, absolute for large ones.

        L = (1/n) Σᵢ ½dᵢ²              where |dᵢ| ≤ δ,   d = y − t
                     δ·(|dᵢ| − ½δ)     elsewhere

    Source: Huber, 1964, "Robust estimation of a location parameter".

    Args:
        outputs: y, of any shape, e.g. [n] or [n, k].
        targets: t, of the outputs' shape, up to a last axis of 1.
        delta: δ, above 0, default 1.0; in the units of the targets. Those of a regression are standardised
            for training unless it is told otherwise, so δ then counts in their standard deviations.

    Returns:
        The mean over all elements, a scalar of the outputs' dtype.

    Raises:
        ShapeError: if the shapes do not fit.
        InputError: if δ is not a finite number above 0.

    >>> float(huber([1.0, 4.0], [0.5, 1.0]))
    1.3125
    """
    if not isinstance(delta, Real) or not 0 < delta < math.inf:
        raise InputError(f"huber got delta={delta!r}; it needs a finite number above 0")
    delta, d = float(delta), _difference("huber", outputs, targets)
    clipped = snp.clip(d, -delta, delta)  # δ·sign(d) on the outer parts, so one product covers all three
    return ops.mean(clipped * (d - 0.5 * clipped))


def _difference(name: str, outputs: Operand, targets: Operand) -> Tensor:
    y, t = pair(name, outputs, targets)
    return y - ops.cast(t, y.dtype)
