"""Elementwise functions composed from the primitives."""

from __future__ import annotations

import math

from spusk.graph import ops
from spusk.graph.dtypes import is_float
from spusk.graph.leaves import as_tensor
from spusk.graph.tensor import Operand, Tensor


def positive(x: Operand) -> Tensor:
    """+x."""
    return as_tensor(x)


def square(x: Operand) -> Tensor:
    """x·x."""
    return ops.mul(x, x)


def reciprocal(x: Operand) -> Tensor:
    """1 / x."""
    return ops.div(1, x)


def ceil(x: Operand) -> Tensor:
    """The smallest whole number not below x."""
    return ops.neg(ops.floor(ops.neg(x)))


def trunc(x: Operand) -> Tensor:
    """The whole part of x, towards zero."""
    t = as_tensor(x)
    return ops.where(t < 0, ceil(t), ops.floor(t))


def round(x: Operand) -> Tensor:
    """The nearest whole number; halves go to the even one."""
    t = as_tensor(x)
    if not is_float(t.dtype):
        return t
    below = ops.floor(t)
    fraction = t - below
    odd = below - 2 * ops.floor(below * 0.5)
    up = ops.logical_or(fraction > 0.5, ops.logical_and(fraction == 0.5, odd == 1))
    return below + ops.cast(up, t.dtype)


def clip(x: Operand, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """x, not below min and not above max; NaN where one of the three is NaN, as in NumPy.

    >>> clip([-1.0, 0.5, 2.0], 0, 1).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    t = as_tensor(x)
    if min is not None:
        t = ops.where(_or_nan(t < min, min), min, t)
    if max is not None:
        t = ops.where(_or_nan(t > max, max), max, t)
    return t


def _or_nan(beyond: Tensor, bound: Operand) -> Tensor:
    """Where x is beyond a bound, or the bound is NaN."""
    if isinstance(bound, (int, float)) and not math.isnan(bound):
        return beyond
    limit = as_tensor(bound)
    return ops.logical_or(beyond, isnan(limit)) if is_float(limit.dtype) else beyond


def log2(x: Operand) -> Tensor:
    """The logarithm to base 2."""
    return ops.log(x) * (1 / math.log(2))


def log10(x: Operand) -> Tensor:
    """The logarithm to base 10."""
    return ops.log(x) * (1 / math.log(10))


def logaddexp(x: Operand, y: Operand) -> Tensor:
    """log(eˣ + eʸ) without overflow."""
    a, b = (ops.floating(t) for t in ops.promote(x, y))
    larger = ops.stop_gradient(ops.maximum(a, b))
    shift = ops.where(isinf(larger), 0, larger)
    a, b = a - shift, b - shift  # of the two, the one that is 0 cancels the 1 that log1p adds
    others = ops.where(a > b, ops.expm1(a) + ops.exp(b), ops.exp(a) + ops.expm1(b))
    return shift + ops.log1p(others)


def hypot(x: Operand, y: Operand) -> Tensor:
    """√(x² + y²) without overflow; its gradient at 0 is 0."""
    a, b = (ops.abs(ops.floating(t)) for t in ops.promote(x, y))
    larger = ops.stop_gradient(ops.maximum(a, b))
    is_zero, is_infinite = larger == 0, ops.logical_or(a == math.inf, b == math.inf)
    scale = ops.where(ops.logical_or(is_zero, is_infinite), 1, larger)
    a, b = a / scale, b / scale
    finite = scale * ops.sqrt(ops.where(is_zero, 1, a * a + b * b))
    return ops.where(is_infinite, math.inf, ops.where(is_zero, 0, finite))


def sinh(x: Operand) -> Tensor:
    """The hyperbolic sine, exact near 0."""
    half = 0.5 * ops.floating(x)  # eˣ overflows before ½eˣ does, e^(x/2) does not
    up, down = ops.expm1(half), ops.expm1(-half)
    return up * (0.5 * up + 1) - down * (0.5 * down + 1)


def cosh(x: Operand) -> Tensor:
    """The hyperbolic cosine."""
    half = 0.5 * ops.floating(x)  # as in `sinh`
    up, down = ops.exp(half), ops.exp(-half)
    return 0.5 * up * up + 0.5 * down * down


def tan(x: Operand) -> Tensor:
    """The tangent."""
    return ops.sin(x) / ops.cos(x)


def isnan(x: Operand) -> Tensor:
    """Whether each element is not a number."""
    return ops.not_equal(x, x)


def isinf(x: Operand) -> Tensor:
    """Whether each element is +∞ or −∞."""
    return ops.equal(ops.abs(x), math.inf)


def isfinite(x: Operand) -> Tensor:
    """Whether each element is a finite number."""
    return ops.less(ops.abs(x), math.inf)
