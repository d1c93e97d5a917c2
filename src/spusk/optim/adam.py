"""Adam.

Kingma & Ba, 2015, "Adam: A method for stochastic optimization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: the running mean of the gradient over the root of its running mean square, both debiased.

        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        w ← w − α·m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)

    Source: Kingma & Ba, 2015, "Adam: A method for stochastic optimization", Algorithm 1.

    Keras and TensorFlow compute the form at the end of the paper's §2, where ε is added to the root before
    debiasing; their ε = 1e-7 (TensorFlow 1: 1e-8) acts like ε/√(1 − β₂ᵗ), 32 times as much in the first
    step.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-8.
        eps_root: added to v̂ inside the root (optax), ≥ 0; default 0.
        eps_hat: True adds ε to √v before debiasing.

    >>> Adam.like("keras", lr=0.01)
    Adam(lr=0.01, beta1=0.9, beta2=0.999, eps=1e-07, eps_root=0.0, eps_hat=True)
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    eps_root: Hyper = 0.0
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {},
        "optax": {},
        "keras": {"eps": 1e-7, "eps_hat": True},
        "tf1": {"eps_hat": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        debias1, debias2 = 1 - self.beta1**t, 1 - self.beta2**t
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat else self.eps
        # One reciprocal for all elements: quotients and roots are what the update's loop waits for.
        root = snp.sqrt(v * (1 / debias2) + self.eps_root) + eps
        return w - (self.lr / debias1) * m / root, State(m=m, v=v)
