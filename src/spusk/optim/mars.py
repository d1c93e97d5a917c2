"""MARS-AdamW.

Yuan, Liu, Wu, Zhou & Gu, 2024, "MARS: Unleashing the power of variance reduction for training large models".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, UNIT, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class MARS(Optimizer):
    """MARS-AdamW: AdamW on gradients corrected by how they have changed since the step before.

        c = g + γ·β₁/(1 − β₁)·(g − g₋₁),  g₋₁ = g in the first step
        c̃ = c/max(1, ‖c‖)
        m ← β₁m + (1 − β₁)c̃
        v ← β₂v + (1 − β₂)c̃²
        w ← w − η·(m̂/(√v̂ + ε) + λw),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)

    Source: Yuan, Liu, Wu, Zhou & Gu, 2024, "MARS: Unleashing the power of variance reduction for training
    large models", Algorithm 2, in the approximate form that the paper's experiments use.

    The exact form takes g₋₁ on the new batch, at twice the cost. ‖c‖ is that of each parameter. The
    authors' code and pytorch_optimizer have g₋₁ = 0 in the first step, and timm is as here; all of them do
    so for matrices only, and plain AdamW for vectors, with other numbers (timm: with the same). For vectors
    the authors and pytorch_optimizer have a rate besides η, 0.003 at first; here it is η. The authors count
    parameters of more than two axes as vectors. Pytorch_optimizer moreover adds 1e-15 inside the root, and ε
    before debiasing.

    Args:
        lr: the learning rate η > 0; default 0.003.
        beta1: the decay β₁ of the mean in [0, 1); default 0.95.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.99.
        gamma: the correction's strength γ ≥ 0; default 0.025.
        eps: ε ≥ 0; default 1e-8.
        eps_root: added to v̂ inside the root, ≥ 0; default 0.
        weight_decay: λ ≥ 0; default 0.
        eps_hat: True adds ε and the root's ε before debiasing.
        start_from_zero: True has g₋₁ = 0 in the first step.
        vectors_too: False does plain AdamW for parameters of fewer than two axes.
        vector_beta1: its β₁ in [0, 1); default 0.9.
        vector_beta2: its β₂ in [0, 1); default 0.95.
        vector_decay: its λ ≥ 0; default 0.1.

    >>> MARS.like("timm").vectors_too
    False
    """

    lr: Hyper = 0.003
    beta1: Hyper = 0.95
    beta2: Hyper = 0.99
    gamma: Hyper = 0.025
    eps: Hyper = 1e-8
    eps_root: Hyper = 0.0
    weight_decay: Hyper = 0.0
    eps_hat: bool = False
    start_from_zero: bool = False
    vectors_too: bool = True
    vector_beta1: Hyper = 0.9
    vector_beta2: Hyper = 0.95
    vector_decay: Hyper = 0.1

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "timm": {"beta1": 0.9, "vectors_too": False, "vector_beta2": 0.99, "vector_decay": 0.0},
        "pytorch_optimizer": {
            "eps_root": 1e-15,
            "eps_hat": True,
            "start_from_zero": True,
            "vectors_too": False,
        },
        "authors": {"start_from_zero": True, "vectors_too": False},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {
        "gamma": NOT_NEGATIVE,
        "vector_beta1": UNIT,
        "vector_beta2": UNIT,
        "vector_decay": NOT_NEGATIVE,
    }

    def start(self, w: Tensor) -> State:
        slots = {"m": snp.zeros_like(w), "v": snp.zeros_like(w)}
        return State(**slots, g=snp.zeros_like(w)) if self.corrects(w) else State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        if not self.corrects(w):
            step, slots = self.adam(g, s, t, self.vector_beta1, self.vector_beta2)
            return w - self.lr * (step + self.vector_decay * w), State(**slots)
        change = g - s.g if self.start_from_zero else snp.where(t == 1, 0, g - s.g)
        c = g + (self.gamma * self.beta1 / (1 - self.beta1)) * change
        clipped = c / snp.maximum(1, snp.sqrt(snp.sum(c * c)))
        step, slots = self.adam(clipped, s, t, self.beta1, self.beta2)
        return w - self.lr * (step + self.weight_decay * w), State(**slots, g=g)

    def corrects(self, w: Tensor) -> bool:
        """Whether a parameter's gradient is corrected."""
        return self.vectors_too or len(w.shape) >= 2

    def adam(
        self, g: Tensor, s: State, t: Tensor, beta1: Hyper, beta2: Hyper
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Adam's step for a rate of 1, and its two means."""
        m = beta1 * s.m + (1 - beta1) * g
        v = beta2 * s.v + (1 - beta2) * g * g
        debias1, debias2 = 1 - beta1**t, 1 - beta2**t
        if self.eps_hat:
            root = (snp.sqrt(v + self.eps_root) + self.eps) / snp.sqrt(debias2)
        else:
            root = snp.sqrt(v / debias2 + self.eps_root) + self.eps
        return (m / debias1) / root, {"m": m, "v": v}
