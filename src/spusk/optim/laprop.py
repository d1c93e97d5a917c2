"""LaProp.

Ziyin, Wang & Ueda, 2020, "LaProp: Separating momentum and adaptivity in Adam".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor, scalar
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import UNIT, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class LaProp(Optimizer):
    """LaProp: gradients are normalised before they enter the momentum, where Adam normalises the momentum.

        n ← νn + (1 − ν)g²
        m ← μm + (1 − μ)·g/(√(n/cₙ) + ε),  cₙ = 1 − νᵗ
        w ← w − λ·m/cₘ,  cₘ = 1 − μᵗ

    Source: Ziyin, Wang & Ueda, 2020, "LaProp: Separating momentum and adaptivity in Adam", Algorithm 1.

    The authors' code and timm's copy of it keep λ in the momentum, m ← μm + (1 − μ)λg/(…), and divide by
    c = (weighted mean of λ)/λ, which is the same while λ is constant. Pytorch_optimizer moreover adds 1e-15
    inside the root, and ε before debiasing.

    Args:
        lr: the learning rate λ > 0; default 4e-4.
        mu: the momentum μ in [0, 1); default 0.9.
        nu: the decay ν of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-15; with 0, a gradient that is still 0 gives 0/0.
        eps_root: added to n inside the root, ≥ 0; default 0.
        lr_inside: True if the momentum holds steps, False (the paper) if it holds normalised gradients.
        eps_hat: True adds ε and the root's ε before debiasing.

    >>> import spusk as sp
    >>> round(float(sp.minimize(lambda x: 1e6 * x, 1.0, LaProp(lr=0.25), steps=2).x), 12)
    0.5
    """

    lr: Hyper = 4e-4
    mu: Hyper = 0.9
    nu: Hyper = 0.999
    eps: Hyper = 1e-15
    eps_root: Hyper = 0.0
    lr_inside: bool = False
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "authors": {"lr_inside": True},
        "timm": {"lr_inside": True},
        "pytorch_optimizer": {"lr_inside": True, "eps_hat": True, "eps_root": 1e-15},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {"nu": UNIT}

    def start(self, w: Tensor) -> State:
        slots = {"m": snp.zeros_like(w), "n": snp.zeros_like(w)}
        return State(**slots, mean_lr=scalar(0.0)) if self.lr_inside else State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        n = self.nu * s.n + (1 - self.nu) * g * g
        c_n = 1 - self.nu**t
        if self.eps_hat:
            root = (snp.sqrt(n + self.eps_root) + self.eps) / snp.sqrt(c_n)
        else:
            root = snp.sqrt(n / c_n + self.eps_root) + self.eps
        if not self.lr_inside:
            m = self.mu * s.m + (1 - self.mu) * (g / root)
            return w - (self.lr / (1 - self.mu**t)) * m, State(m=m, n=n)
        m = self.mu * s.m + ((1 - self.mu) * self.lr) * (g / root)
        mean_lr = self.mu * s.mean_lr + (1 - self.mu) * self.lr
        return w - (self.lr / mean_lr) * m, State(m=m, n=n, mean_lr=mean_lr)
