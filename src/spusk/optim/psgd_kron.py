"""PSGD with Kronecker factors.

Li, 2018, "Preconditioner on matrix Lie group for SGD".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.matrices import along, gram, norm
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_choice, check_whole
from spusk.optim.state import State


@dataclass(frozen=True)
class PSGDKron(Optimizer):
    """PSGD-Kron: gradients whitened by a triangular matrix for each axis, which learns from every gradient.

        A = Q₁GQ₂ᵀ,  H = Q₁ᵀAQ₂
        M ← βM + (1 − β)H,  β = min(1 − 1/t, μ),  W ← W − α·M
        of each axis:  T₁ = mat(A)mat(A)ᵀ,  T₂ = Q^(−T)Q^(−1)·Π‖Q_j^(−1)‖²
            L ← max(0.9L + 0.1ℓ, ℓ),  ℓ = ‖T₁ + T₂‖
            Q ← Q − (η/L)·triu(T₁ − T₂)Q

    Source: Li, 2018, "Preconditioner on matrix Lie group for SGD", whitening of the gradient; the Kronecker
    factors are from Li, 2015, "Preconditioned stochastic gradient descent"; as in the author's code
    (github.com/lixilinx/psgd_torch, the form dQ = EQ).

    At rest T₁ = T₂ in the mean: the elements of H are uncorrelated, with a mean square of 1. T₂ is the
    expectation of mat(B)mat(B)ᵀ, B = Q₁^(−T)VQ₂^(−1), over Gaussian V (the product is over the other axes);
    the author, kron_torch, timm and pytorch_optimizer draw one V in each step. So no preset gives
    their numbers to the last digit, and nothing here is random. The form dQ = QE needs no inverse, but is
    unstable where the eigenvalues of QᵀQ are more than about 20 apart, as with softmax, whose gradients sum
    to 0. The inverse of a triangular D(I + N) is (I − N)(I + N²)(I + N⁴)…D^(−1), exact after log₂n factors.

    ‖T‖ is the lower bound ‖Tx‖/‖x‖, x = Ta, of T's longest row a. Q begins as a multiple of I, which gives H
    of the first gradient a mean fourth power of 1. A gradient of 0 teaches nothing: Q stays as it is.
    kron_torch, timm and pytorch_optimizer bound steps with clip = 1.1, and fit momentum that is debiased.

    An axis keeps a diagonal Q if it is longer than `max_size`, of length 1, or if its matrix would have
    more than max_skew times as many elements as the parameter; of a matrix that is not square, this is the
    longer axis. A fit takes about (4 + 2·log₂n)n³ + 3n·size multiplications for each axis. There is no branch
    in a step, so that `every` spares none of them.

    Args:
        lr: the learning rate α > 0; default 0.001.
        mu: the decay μ of the mean in [0, 1); default 0.9.
        fit_rate: η of the fit in (0, 1]; default 0.1.
        clip: the greatest RMS of a step before α, > 0; None (default) leaves it out.
        scale: of the first Q, > 0; None (default) takes it from the first gradient, and 1 if that is 0.
        whiten: "gradient" takes the mean of whitened gradients; "momentum" whitens the mean of gradients.
        every: Q is fitted in steps 1, 1 + every, 1 + 2·every, …; ≥ 1; default 1.
        balance: the factors' greatest elements are made equal after so many steps, ≥ 1; default 100 (the
            authors: with a chance of 0.01).
        max_size: the longest axis with a full Q, ≥ 0; default 1024.
        max_skew: a whole number, ≥ 0; default 1.

    >>> import spusk as sp
    >>> f = lambda x: ((x @ [[1.0, 0.9], [0.9, 1.0]] - 1) ** 2).sum()
    >>> sp.minimize(f, [[2.0, -1.0], [1.0, 3.0]], PSGDKron(lr=0.1), steps=200).value < 0.01
    True
    """

    lr: Hyper = 0.001
    mu: Hyper = 0.9
    fit_rate: Hyper = 0.1
    clip: Hyper = None
    scale: Hyper = None
    whiten: str = "gradient"
    every: int = 1
    balance: int = 100
    max_size: int = 1024
    max_skew: int = 1

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "authors": {"mu": 0.0},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "whiten", ("gradient", "momentum"))
        check_whole(self, every=1, balance=1, max_size=0, max_skew=0)

    def start(self, w: Tensor) -> State:
        slots: dict[str, Tensor] = {"m": snp.zeros_like(w)}
        shape = w.shape or (1,)
        for axis, n in enumerate(shape):
            is_full = 1 < n <= self.max_size and n * n <= self.max_skew * math.prod(shape)
            slots[f"q{axis}"] = snp.eye(n, dtype=w.dtype) if is_full else snp.ones((n,), dtype=w.dtype)
            slots[f"l{axis}"] = snp.zeros((), dtype=w.dtype)
        return State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        beta = snp.minimum(1 - 1 / t, self.mu)
        m = beta * s.m + (1 - beta) * g
        x = snp.reshape(m if self.whiten == "momentum" else g, w.shape or (1,))
        first = self._first_scale(x) ** (1 / x.ndim)
        q = [snp.where(t < 2, first * s[f"q{axis}"], s[f"q{axis}"]) for axis in range(x.ndim)]
        a = x
        for axis, of_axis in enumerate(q):
            a = along(a, axis, of_axis)
        h = a
        for axis, of_axis in enumerate(q):
            h = along(h, axis, of_axis.mT if of_axis.ndim == 2 else of_axis)
        fitted, slots = self._fitted(q, a, s, t)

        step = snp.reshape(h, w.shape)
        if self.whiten == "gradient":
            step = m = beta * s.m + (1 - beta) * step
        if self.clip is not None:
            rms = snp.sqrt(snp.mean(step * step))
            step = step * snp.where(rms > self.clip, self.clip / snp.where(rms > 0, rms, 1), 1)
        slots |= {f"q{axis}": of_axis for axis, of_axis in enumerate(self._balanced(fitted, t))}
        return w - self.lr * step, State(m=m, **{name: slots[name] for name in s if name != "m"})

    def _first_scale(self, x: Tensor) -> Any:
        """By what Q = I is multiplied in the first step."""
        if self.scale is not None:
            return self.scale
        greatest = snp.max(snp.abs(x))
        unit = snp.where(greatest > 0, greatest, 1)
        fourth = snp.mean((x / unit) ** 4)
        return snp.where(greatest > 0, fourth, 1) ** -0.125 / snp.sqrt(unit)

    def _fitted(
        self, q: list[Tensor], a: Tensor, s: State, t: Tensor
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Q of each axis after this step's fit, and L by slot."""
        is_due = ((t - 1) % self.every == 0) & (snp.max(snp.abs(a)) > 0)
        inverses = [1 / of_axis if of_axis.ndim == 1 else triangular_inverse(of_axis) for of_axis in q]
        sizes = [snp.sum(inverse * inverse) for inverse in inverses]
        fitted: list[Tensor] = []
        slots: dict[str, Tensor] = {}
        for axis, (of_axis, inverse) in enumerate(zip(q, inverses, strict=True)):
            others = math.prod(
                (size for i, size in enumerate(sizes) if i != axis), start=snp.ones_like(sizes[0])
            )
            if of_axis.ndim == 1:
                t1 = snp.sum(a * a, axis=tuple(i for i in range(a.ndim) if i != axis))
                t2 = others * inverse * inverse
                ell, change = snp.max(t1 + t2), (t1 - t2) * of_axis
            else:
                t1, t2 = gram(a, axis), others * (inverse.mT @ inverse)
                ell, change = norm_lower_bound(t1 + t2), snp.triu(t1 - t2) @ of_axis
            old = s[f"l{axis}"]
            lipschitz = snp.maximum(0.9 * old + 0.1 * ell, ell)
            fitted.append(snp.where(is_due, of_axis - (self.fit_rate / lipschitz) * change, of_axis))
            slots[f"l{axis}"] = snp.where(is_due, lipschitz, old)
        return fitted, slots

    def _balanced(self, q: list[Tensor], t: Tensor) -> list[Tensor]:
        """The factors with equal greatest elements, when it is time; their product is the same."""
        if len(q) == 1:
            return q
        greatest = [snp.max(snp.abs(of_axis)) for of_axis in q]
        mean = snp.exp(snp.mean(snp.log(snp.stack(greatest))))
        is_time = t % self.balance == 0
        return [
            snp.where(is_time, of_axis * (mean / one), of_axis)
            for of_axis, one in zip(q, greatest, strict=True)
        ]


def norm_lower_bound(a: Tensor) -> Tensor:
    """A lower bound of a symmetric matrix's spectral norm: ‖Ax‖/‖x‖, x = Aa, a its longest row."""
    greatest = snp.max(snp.abs(a))
    scaled = a / snp.where(greatest > 0, greatest, 1)
    row = snp.take(scaled, snp.argmax(snp.sum(scaled * scaled, axis=1)), axis=0)
    x = scaled @ row
    length = norm(x)
    return greatest * norm(scaled @ (x / snp.where(length > 0, length, 1)))


def triangular_inverse(q: Tensor) -> Tensor:
    """The inverse of an upper triangular matrix (n, n), by log₂n squarings of its nilpotent part."""
    n = q.shape[0]
    eye = snp.eye(n, dtype=q.dtype)
    diagonal = snp.sum(q * eye, axis=0)
    power = snp.reshape(-1 / diagonal, (-1, 1)) * (q - q * eye)  # -N
    inverse, exponent = eye + power, 2
    while exponent < n:
        power = power @ power
        inverse = inverse + inverse @ power
        exponent *= 2
    return inverse / diagonal
