"""Adan.

Xie, Zhou, Li, Lin & Yan, 2022, "Adan: Adaptive Nesterov momentum algorithm for faster optimizing deep
models".
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
class Adan(Optimizer):
    """Adan: Nesterov's look-ahead from the difference of successive gradients, with Adam's normalisation.

        d = g − g₋₁  (0 in the first step)
        m ← (1 − β₁)m + β₁g
        v ← (1 − β₂)v + β₂d
        n ← (1 − β₃)n + β₃(g + (1 − β₂)d)²
        w ← (w − η·(m + (1 − β₂)v)/(√n + ε))/(1 + λη)

    Source: Xie, Zhou, Li, Lin & Yan, 2022, "Adan: Adaptive Nesterov momentum algorithm for faster
    optimizing deep models", Algorithm 1.

    The averages begin with the first values they get: m = g and n = g² in the first step, v = d in the
    second. The paper's β are the weights of the new value; all libraries call 1 − β₁, 1 − β₂, 1 − β₃
    (0.98, 0.92, 0.99) by these names. The authors' code, timm, optax and pytorch_optimizer begin with zeros
    and debias, in which d = 0 counts as the first value of v. Optax decays by −ηλw. The paper's restart
    condition is in none of them, nor here. Optax 0.2.8 moreover takes the paper's 1 − β₂, before d and v, for
    its own: it looks ahead by 0.08 where the paper and the others look ahead by 0.92.

    Args:
        lr: the learning rate η > 0; default 0.001.
        beta1: the weight β₁ of the new gradient in (0, 1]; default 0.02.
        beta2: the weight β₂ of the new difference in (0, 1]; default 0.08.
        beta3: the weight β₃ of the new square in (0, 1]; default 0.01.
        eps: ε ≥ 0; default 1e-8.
        eps_root: added to n inside the root, ≥ 0; default 0.
        weight_decay: λ ≥ 0; default 0.
        debias: True begins all averages with 0 and divides them by 1 − (1 − β)ᵗ.
        ahead_by_weight: True looks ahead by β₂ instead of 1 − β₂.
        proximal: True (the paper) divides by 1 + λη after the step, False subtracts ηλw with the step.

    >>> Adan.like("authors").debias
    True
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.02
    beta2: Hyper = 0.08
    beta3: Hyper = 0.01
    eps: Hyper = 1e-8
    eps_root: Hyper = 0.0
    weight_decay: Hyper = 0.0
    debias: bool = False
    ahead_by_weight: bool = False
    proximal: bool = True

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"debias": True, "ahead_by_weight": True, "proximal": False, "eps_root": 1e-8},
        "timm": {"debias": True},
        "pytorch_optimizer": {"debias": True},
        "authors": {"debias": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = dict.fromkeys(("beta1", "beta2", "beta3"), PART)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w), n=snp.zeros_like(w), g=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        d = snp.where(t == 1, 0, g - s.g)
        ahead_by = self.beta2 if self.ahead_by_weight else 1 - self.beta2
        ahead = g + ahead_by * d
        m = self.averaged(s.m, g, self.beta1, t == 1)
        v = self.averaged(s.v, d, self.beta2, t == 2)
        n = self.averaged(s.n, ahead * ahead, self.beta3, t == 1)
        state = State(m=m, v=v, n=n, g=g)
        if self.debias:
            m, v, n = (
                x / (1 - (1 - beta) ** t) for x, beta in ((m, self.beta1), (v, self.beta2), (n, self.beta3))
            )
        step = self.lr * (m + ahead_by * v) / (snp.sqrt(n + self.eps_root) + self.eps)
        if self.proximal:
            return (w - step) / (1 + self.weight_decay * self.lr), state
        return w - step - self.lr * self.weight_decay * w, state

    def averaged(self, before: Tensor, new: Tensor, beta: Hyper, is_first: Tensor) -> Tensor:
        """The exponential average, which without debiasing begins with its first value."""
        after = (1 - beta) * before + beta * new
        return after if self.debias else snp.where(is_first, new, after)
