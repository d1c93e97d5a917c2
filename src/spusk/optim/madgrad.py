"""MADGRAD.

Defazio & Jelassi, 2021, "Adaptivity without compromise: A momentumized, adaptive, dual averaged gradient
method for stochastic optimization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import PART, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class MADGRAD(Optimizer):
    """MADGRAD: dual averaging from the first point, normalised by a cube root, with momentum.

        λ = γ√t
        s ← s + λg
        ν ← ν + λg²
        z = w₀ − s/(∛ν + ε)
        w ← (1 − c)w + cz

    Source: Defazio & Jelassi, 2021, "Adaptivity without compromise: A momentumized, adaptive, dual averaged
    gradient method for stochastic optimization", Algorithm 1.

    The authors' code, and with it optax, timm and pytorch_optimizer, take γ + ε for γ, so that a rate of 0
    still trains a little. Their `momentum` is 1 − c.

    Args:
        lr: the learning rate γ > 0; default 0.01.
        c: the share c of the new point, in (0, 1]; default 0.1.
        eps: ε ≥ 0; default 1e-6; with 0, a gradient that is still 0 gives 0/0.
        lr_plus_eps: True takes γ + ε for γ.

    >>> MADGRAD.like("authors").lr_plus_eps
    True
    """

    lr: Hyper = 0.01
    c: Hyper = 0.1
    eps: Hyper = 1e-6
    lr_plus_eps: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"lr_plus_eps": True},
        "timm": {"lr_plus_eps": True},
        "pytorch_optimizer": {"lr": 0.001, "lr_plus_eps": True},
        "authors": {"lr_plus_eps": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {"c": PART}

    def start(self, w: Tensor) -> State:
        return State(first=w, s=snp.zeros_like(w), nu=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        lamb = (self.lr + self.eps if self.lr_plus_eps else self.lr) * snp.sqrt(t)
        total = s.s + lamb * g
        nu = s.nu + lamb * (g * g)
        z = s.first - total / (nu ** (1 / 3) + self.eps)
        return (1 - self.c) * w + self.c * z, State(first=s.first, s=total, nu=nu)
