"""What rules with matrix preconditioners share: products along an axis, and inverse roots by iteration."""

from __future__ import annotations

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper


def gram(x: Tensor, axis: int) -> Tensor:
    """The products of all slices across an axis of length n with each other, (n, n)."""
    unfolded = snp.reshape(snp.moveaxis(x, axis, 0), (x.shape[axis], -1))
    return unfolded @ unfolded.mT


def along(x: Tensor, axis: int, factor: Tensor) -> Tensor:
    """x multiplied along an axis of length n: by a matrix (n, n) from the left, or by (n,) elementwise."""
    if factor.ndim == 1:
        return x * snp.reshape(factor, (-1, *(1,) * (x.ndim - axis - 1)))
    first = snp.moveaxis(x, axis, 0)
    product = factor @ snp.reshape(first, (first.shape[0], -1))
    return snp.moveaxis(snp.reshape(product, first.shape), 0, axis)


def inverse_root(a: Tensor, p: int, iterations: int, ridge: Hyper = 0.0) -> Tensor:
    """(A + ridge·‖A‖·I)^(−1/p) of a symmetric positive definite matrix, by coupled Newton iterations.

        z = (1 + p)/(2‖A‖),  X = z^(1/p)·I,  M = zA
        T = ((p + 1)I − M)/p,  X ← XT,  M ← TᵖM

    M goes to I, and X to A^(−1/p). An eigenvalue that is 1/κ of the norm needs about
    log κ/(p·log(1 + 1/p)) iterations, and six to settle: with p = 4, 25 give a relative error below 1e-8 up
    to κ = 1e8 in float64, and below 1e-2 up to 1e6 in float32. The rounding error is about κ times the
    dtype's precision, and beyond its inverse the iteration diverges, which the ridge prevents.

    Source: Guo & Higham, 2006, "A Schur–Newton method for the matrix pth root and its inverse", equation 3.4;
    as used by Anil et al., 2020, "Scalable second order optimization for deep learning".

    Args:
        a: the matrix (n, n).
        p: a whole number ≥ 1.
        iterations: how many, ≥ 1.
        ridge: what is added to the diagonal, as a share of the Frobenius norm, ≥ 0.

    >>> import numpy as np
    >>> from spusk.graph import as_tensor
    >>> inverse_root(as_tensor(np.diag([1.0, 16.0])), 4, 25).numpy().round(6)
    array([[1. , 0. ],
           [0. , 0.5]])
    """
    eye = snp.eye(a.shape[0], dtype=a.dtype)
    a = a + (ridge * norm(a)) * eye
    z = (1 + p) / (2 * norm(a))
    x, m = z ** (1 / p) * eye, z * a
    for i in range(iterations):
        step = ((p + 1) * eye - m) / p
        x = x @ step
        if i < iterations - 1:
            m = _power(step, p) @ m
    return x


def _power(a: Tensor, p: int) -> Tensor:
    if p == 1:
        return a
    half = _power(a, p // 2)
    return half @ half if p % 2 == 0 else (half @ half) @ a


def norm(a: Tensor) -> Tensor:
    """The Euclidean norm of all elements."""
    return snp.sqrt(snp.sum(a * a))


def orthogonal(s: Tensor) -> Tensor:
    """Q of the QR decomposition S = QR with a positive diagonal of R, by n Householder reflections.

    Columns that depend on those before them get directions at right angles to all others, so that Q is
    orthogonal whatever S is. All n steps are the same operations on the same shapes, so that they share
    their kernels: of 64 columns, a program is built in about a second. QᵀQ − I is below 1e-14 in float64.

    Source: Golub & Van Loan, 2013, "Matrix computations", §5.2.2.

    Args:
        s: a matrix (n, n).

    >>> from spusk.graph import as_tensor
    >>> orthogonal(as_tensor([[3.0, 1.0], [4.0, 1.0]])).numpy().round(6)
    array([[ 0.6,  0.8],
           [ 0.8, -0.6]], dtype=float32)
    """
    n = s.shape[0]
    q = snp.eye(n, dtype=s.dtype)
    unit, below, signs = q[:, 0], snp.ones((n,), dtype=s.dtype), snp.zeros((n,), dtype=s.dtype)
    for _ in range(n):
        x = below * (q.mT @ (s @ unit))  # what is left of the column after the reflections so far
        size, first = norm(x), snp.sum(x * unit)
        is_negative = first < 0
        v = x + snp.where(is_negative, -size, size) * unit
        square = snp.sum(v * v)
        share = 2 / snp.where(square > 0, square, 1)  # of a vector that is 0 it does not matter which
        q = q - snp.outer(q @ v, share * v)
        signs = signs + snp.where(is_negative | (size == 0), unit, -unit)
        below, unit = below - unit, snp.roll(unit, 1)
    return q * signs


def descending(values: Tensor) -> Tensor:
    """The permutation Π (n, n) for which values @ Π has the greatest value first; ties keep their order."""
    n = values.shape[0]
    order = snp.arange(n)
    column, row = snp.reshape(values, (-1, 1)), snp.reshape(values, (1, -1))
    is_before = (row > column) | ((row == column) & (order < snp.reshape(order, (-1, 1))))
    rank = snp.sum(snp.astype(is_before, snp.int64), axis=1)
    return snp.astype(snp.reshape(rank, (-1, 1)) == order, values.dtype)
