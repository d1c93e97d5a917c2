"""Shampoo.

Gupta, Koren & Singer, 2018, "Shampoo: Preconditioned stochastic tensor optimization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.matrices import along, gram, inverse_root
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_whole
from spusk.optim.state import State


@dataclass(frozen=True)
class Shampoo(Optimizer):
    """Shampoo: Adagrad with full matrices, one for each axis of a parameter.

        L ← L + GGᵀ,  R ← R + GᵀG,  L₀ = εI, R₀ = εI
        W ← W − α·L^(−1/4)·G·R^(−1/4)
        of k axes, each: H ← H + mat(G)mat(G)ᵀ, and G multiplied by H^(−1/2k) along it

    Source: Gupta, Koren & Singer, 2018, "Shampoo: Preconditioned stochastic tensor optimization",
    Algorithms 1 and 2. ε = 1e-4 is that of the package torch_optimizer; the default rate is ours.

    The roots are computed by 25 coupled Newton iterations (`matrices.inverse_root`) of H + ridge·‖H‖·I. With
    the default ridge their relative error is below 1e-6 in float64 and 1e-2 in float32, against an
    eigendecomposition of the same matrix. The ridge is Anil et al.'s (2020); it bends the roots of
    eigenvalues that are less than about 1e-5 of the norm. Pytorch_optimizer has no ridge, and takes its roots
    from a decomposition: without one, iterations in float32 do not find the roots of eigenvalues near ε, and
    end as NaN where gradients leave directions out; float64 does. Of an axis longer than `max_size` only the
    diagonal of H is kept, the diagonal variant that the paper has for large axes.

    A root of an n×n matrix takes 97 products of n×n matrices (of two axes). There is no branch in a step, so
    that `every` spares none of them: roots that are not due are computed and dropped. It is there for the
    numbers of implementations that wait.

    Args:
        lr: the learning rate α > 0; default 0.1.
        eps: ε ≥ 0; default 1e-4.
        ridge: share of the norm that is added to the diagonal before a root, ≥ 0; default 1e-6.
        momentum: decay μ in [0, 1) of v ← μv + the step, W ← W − αv; None (default) leaves it out.
        every: roots are those of steps 1, 1 + every, 1 + 2·every, …; ≥ 1; default 1.
        max_size: the longest axis with a full matrix, ≥ 0; default 256. 0 keeps diagonals only.
        iterations: for a root, ≥ 1; default 25.

    >>> import spusk as sp
    >>> slope = [[3.0, 0.0], [0.0, 1.0]]
    >>> sp.minimize(lambda x: (x * slope).sum(), [[0.0, 0.0], [0.0, 0.0]], Shampoo(), steps=1).x.round(3)
    array([[-0.1,  0. ],
           [ 0. , -0.1]])
    """

    lr: Hyper = 0.1
    eps: Hyper = 1e-4
    ridge: Hyper = 1e-6
    momentum: Hyper = None
    every: int = 1
    max_size: int = 256
    iterations: int = 25

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "pytorch_optimizer": {"lr": 0.001, "eps": 1e-6, "ridge": 0.0},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, every=1, max_size=0, iterations=1)

    def start(self, w: Tensor) -> State:
        slots: dict[str, Tensor] = {}
        for axis, n in enumerate(w.shape or (1,)):
            one = snp.eye(n, dtype=w.dtype) if n <= self.max_size else snp.ones((n,), dtype=w.dtype)
            slots[f"h{axis}"] = self.eps * one
            if self.every > 1:
                slots[f"root{axis}"] = snp.zeros_like(one)
        if self.momentum is not None:
            slots["v"] = snp.zeros_like(w)
        return State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        tensor = snp.reshape(g, (1,)) if g.ndim == 0 else g
        slots: dict[str, Tensor] = {}
        step = tensor
        for axis in range(tensor.ndim):
            others = tuple(i for i in range(tensor.ndim) if i != axis)
            is_full = s[f"h{axis}"].ndim == 2
            h = s[f"h{axis}"] + (gram(tensor, axis) if is_full else snp.sum(tensor * tensor, axis=others))
            root = self._root(h, 2 * tensor.ndim)
            slots[f"h{axis}"] = h
            if self.every > 1:
                is_due = (t - 1) % self.every == 0
                root = slots[f"root{axis}"] = snp.where(is_due, root, s[f"root{axis}"])
            step = along(step, axis, root)
        step = snp.reshape(step, w.shape)
        if self.momentum is not None:
            step = slots["v"] = self.momentum * s.v + step
        return w - self.lr * step, State(**slots)

    def _root(self, h: Tensor, p: int) -> Tensor:
        """H^(−1/p)."""
        return h ** (-1 / p) if h.ndim == 1 else inverse_root(h, p, self.iterations, self.ridge)
