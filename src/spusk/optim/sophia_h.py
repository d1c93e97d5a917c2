"""Sophia-H.

Liu, Li, Hall, Liang & Ma, 2024, "Sophia: A scalable stochastic second-order optimizer for language model
pre-training".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.ranges import NOT_NEGATIVE, POSITIVE, Range, check_whole
from spusk.optim.second_order import SecondOrder
from spusk.optim.state import State


@dataclass(frozen=True)
class SophiaH(SecondOrder):
    """Sophia-H: the mean gradient over the Hessian's diagonal, cut element by element.

        m ← β₁m + (1 − β₁)g
        in steps 1, 1 + k, …:  h ← β₂h + (1 − β₂)·D,  D = z∘(Hz), z random signs
        w ← w − αλw
        w ← w − α·clip(m/max(γh, ε), c)

    Source: Liu, Li, Hall, Liang & Ma, 2024, "Sophia: A scalable stochastic second-order optimizer for
    language model pre-training", with Hutchinson's estimator.

    The paper draws z from the normal distribution; random signs have the same mean and less variance. β₁, β₂,
    ε, k, λ and γ = 0.01 are the paper's for Sophia-H (Sophia-G, with the Gauss–Newton–Bartlett estimator, has
    γ = 0.05); its rate depends on the model, and 0.001 is ours. The authors' code is Sophia-G only. Optax
    debiases m and uses h before it is renewed. The package pytorch_optimizer has γ = 1 and c = 0.01. The
    product with the Hessian is part of every step's graph; only every k-th is used.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.96.
        beta2: the decay β₂ of the curvature in [0, 1); default 0.99.
        gamma: γ > 0; default 0.01. The smaller, the more elements are cut.
        eps: ε > 0, so that negative curvature gives a step of full size; default 1e-12.
        clip: c > 0; default 1.
        weight_decay: λ ≥ 0; default 0.2.
        k: how often the curvature is renewed, ≥ 1; default 10.
        debias: True divides m by 1 − β₁ᵗ.
        late: True takes the step with the h of the step before.

    >>> import spusk as sp
    >>> rule = SophiaH(lr=0.5, beta1=0.0, beta2=0.0, gamma=1.0, weight_decay=0.0)
    >>> sp.minimize(lambda x: x[0] ** 2 - x[1] ** 2, [0.5, 2.0], rule, steps=1).x
    array([0.25, 2.5 ])
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.96
    beta2: Hyper = 0.99
    gamma: Hyper = 0.01
    eps: Hyper = 1e-12
    clip: Hyper = 1.0
    weight_decay: Hyper = 0.2
    k: int = 10
    debias: bool = False
    late: bool = False

    ranges: ClassVar[Mapping[str, Range]] = {
        **dict.fromkeys(("gamma", "eps", "clip"), POSITIVE),
        "weight_decay": NOT_NEGATIVE,
    }
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"beta1": 0.965, "eps": 1e-8, "weight_decay": 1e-4, "debias": True, "late": True},
        "pytorch_optimizer": {"lr": 0.06, "gamma": 1.0, "clip": 0.01, "weight_decay": 0.0},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, k=1)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), h=snp.zeros_like(w))

    def update_curved(self, w: Tensor, g: Tensor, h: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        renewed = snp.where((t - 1) % self.k == 0, self.beta2 * s.h + (1 - self.beta2) * h, s.h)
        m_hat = m / (1 - self.beta1**t) if self.debias else m
        used = s.h if self.late else renewed
        ratio = m_hat / snp.maximum(self.gamma * used, self.eps)
        step = snp.maximum(-self.clip, snp.minimum(self.clip, ratio))
        return w - self.lr * (step + self.weight_decay * w), State(m=m, h=renewed)
