"""SOAP.

Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson & Kakade, 2025, "SOAP: Improving and stabilizing
Shampoo using Adam".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.matrices import along, descending, gram, norm, orthogonal
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_whole
from spusk.optim.state import State


@dataclass(frozen=True)
class SOAP(Optimizer):
    """SOAP: Adam in the slowly turning eigenbasis of Shampoo's matrices.

        G' = Q_LᵀGQ_R
        M ← β₁M + (1 − β₁)G,  M' = Q_LᵀMQ_R
        V ← β₂V + (1 − β₂)G'²
        N = Q_L(M̂'/(√V̂ + ε))Q_Rᵀ,  W ← (1 − αλ)(W − αN)
        L ← βL + (1 − β)GGᵀ,  R ← βR + (1 − β)GᵀG
        every f steps: Q_L ← QR(LQ_L), Q_R ← QR(RQ_R)

    Source: Vyas et al., 2025, "SOAP: Improving and stabilizing Shampoo using Adam", Algorithms 3 and 4.

    As in the authors' code, the first gradient only starts L, R and the bases, Adam begins with the second
    one (its t is one less), and the columns of Q, with V, are sorted by QᵀLQ before each QR. Theirs begins
    with an eigendecomposition, of which there is none in a graph: here Q begins as I, and is updated in each
    of the first `first` steps. An update is one orthogonal iteration: between neighbouring eigenvectors the
    error shrinks by the ratio of their eigenvalues. Theirs adds ε to √V before debiasing.

    Directions in which there has been no gradient have no eigenvectors, only rounding errors that could
    turn the basis any way. The QR is therefore one of (L + ridge·‖L‖·I)Q, which has the same eigenvectors,
    and leaves directions that are below the ridge as they were.

    Scalars, vectors and axes longer than `max_size` are not turned. A QR of an n×n matrix is n Householder
    reflections, 3n³ multiplications in 12n small kernels: what a program takes to build grows with n. There
    is no branch in a step, so that a greater f spares nothing: bases that are not due are computed and
    dropped.

    Args:
        lr: the learning rate α > 0; default 0.003.
        beta1: the decay β₁ of the mean in [0, 1); default 0.95.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.95.
        shampoo_beta: the decay β of L and R in [0, 1); None (default) takes β₂.
        eps: ε ≥ 0; default 1e-8.
        weight_decay: λ ≥ 0; default 0.01.
        ridge: share of ‖L‖ below which directions are left as they are, ≥ 0; default 1e-6.
        every: f ≥ 1; default 10.
        first: in how many first steps the bases are updated besides, ≥ 1; default 10.
        max_size: the longest axis that is turned, ≥ 0; default 128 (the authors' 10000).
        debias: False takes M' and V as they are.
        eps_hat: True adds ε to √V before debiasing.

    >>> import spusk as sp
    >>> f = lambda x: ((x @ [[1.0, 0.9], [0.9, 1.0]] - 1) ** 2).sum()
    >>> sp.minimize(f, [[2.0, -1.0]], SOAP(lr=0.1, weight_decay=0.0), steps=100).value < 2e-4
    True
    >>> sp.minimize(f, [[2.0, -1.0]], "adam(lr=0.1)", steps=100).value < 2e-4  # nor with other rates
    False
    """

    lr: Hyper = 0.003
    beta1: Hyper = 0.95
    beta2: Hyper = 0.95
    shampoo_beta: Hyper = None
    eps: Hyper = 1e-8
    weight_decay: Hyper = 0.01
    ridge: Hyper = 1e-6
    every: int = 10
    first: int = 10
    max_size: int = 128
    debias: bool = True
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "authors": {"first": 1, "eps_hat": True},
        "pytorch_optimizer": {"first": 1, "eps_hat": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, every=1, first=1, max_size=0)

    def start(self, w: Tensor) -> State:
        slots = {"m": snp.zeros_like(w), "v": snp.zeros_like(w)}
        for axis in self._turned(w):
            n = w.shape[axis]
            slots[f"l{axis}"] = snp.zeros((n, n), dtype=w.dtype)
            slots[f"q{axis}"] = snp.eye(n, dtype=w.dtype)
        return State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        bases = {axis: s[f"q{axis}"] for axis in self._turned(w)}
        is_first = t < 2
        steps = snp.maximum(t - 1, 1)
        m = snp.where(is_first, s.m, self.beta1 * s.m + (1 - self.beta1) * g)
        turned = _turned_into(g, bases)
        v = snp.where(is_first, s.v, self.beta2 * s.v + (1 - self.beta2) * turned * turned)

        debias1, debias2 = (1 - self.beta1**steps, 1 - self.beta2**steps) if self.debias else (1, 1)
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat and self.debias else self.eps
        step = (_turned_into(m, bases) / debias1) / (snp.sqrt(v / debias2) + eps)
        moved = w - self.lr * _turned_back(step, bases)
        new_w = snp.where(is_first, w, (1 - self.lr * self.weight_decay) * moved)

        slots: dict[str, Tensor] = {}
        beta = self.beta2 if self.shampoo_beta is None else self.shampoo_beta
        is_due = ((t - 1) % self.every == 0) | (t <= self.first)
        for axis, q in bases.items():
            slots[f"l{axis}"] = square = beta * s[f"l{axis}"] + (1 - beta) * gram(g, axis)
            powered = square @ q
            values, least = snp.sum(q * powered, axis=0), self.ridge * norm(square)
            order = descending(snp.where(values > least, values, 0))
            slots[f"q{axis}"] = snp.where(is_due, orthogonal((powered + least * q) @ order), q)
            v = snp.where(is_due, along(v, axis, order.mT), v)
        return new_w, State(m=m, v=v, **slots)

    def _turned(self, w: Tensor) -> tuple[int, ...]:
        """The axes with a basis of their own."""
        return tuple(i for i, n in enumerate(w.shape) if n <= self.max_size) if w.ndim >= 2 else ()


def _turned_into(x: Tensor, bases: Mapping[int, Tensor]) -> Tensor:
    for axis, q in bases.items():
        x = along(x, axis, q.mT)
    return x


def _turned_back(x: Tensor, bases: Mapping[int, Tensor]) -> Tensor:
    for axis, q in bases.items():
        x = along(x, axis, q)
    return x
