"""AdaBelief.

Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris & Duncan, 2020, "AdaBelief optimizer: adapting stepsizes
by the belief in observed gradients".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.radam import check_threshold, rectification
from spusk.optim.state import State


@dataclass(frozen=True)
class AdaBelief(Optimizer):
    """AdaBelief: Adam that divides by how far the gradient is from its running mean, not by its size.

        m ← β₁m + (1 − β₁)g
        s ← β₂s + (1 − β₂)(g − m)² + ε
        w ← w − α·m̂/(√ŝ + ε),  m̂ = m/(1 − β₁ᵗ),  ŝ = s/(1 − β₂ᵗ)

    Source: Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris & Duncan, 2020, "AdaBelief optimizer:
    adapting stepsizes by the belief in observed gradients", Algorithm 2.

    ε is added to s in every step, hence adds up to ε/(1 − β₂): its size matters more than Adam's, and what
    is ε² there is ε here. The authors' code rectifies as RAdam does, when ρₜ ≥ 5; that for torch, and timm
    after it, then adds ε to the root before debiasing, and that for TensorFlow has ε = 1e-14.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean squared surprise in [0, 1); default 0.999.
        eps: the ε beside the root, ≥ 0; default 1e-16.
        eps_root: the ε added to s in every step, ≥ 0; default 1e-16. The paper has one ε for both.
        rectified: True multiplies the step by RAdam's factor r, and takes α·m̂ before that is defined.
        threshold: the ρₜ above which the step is rectified, ≥ 4; default 4, as in RAdam's paper.
        at_threshold: True rectifies when ρₜ equals the threshold, too.
        eps_hat: True adds ε to √s before debiasing.

    >>> AdaBelief.like("authors-tf").eps
    1e-14
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-16
    eps_root: Hyper = 1e-16
    rectified: bool = False
    threshold: Hyper = 4.0
    at_threshold: bool = False
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {},
        "timm": {"rectified": True, "threshold": 5.0, "at_threshold": True, "eps_hat": True},
        "authors": {"rectified": True, "threshold": 5.0, "at_threshold": True, "eps_hat": True},
        "authors-tf": {
            "rectified": True, "threshold": 5.0, "at_threshold": True, "eps": 1e-14, "eps_root": 1e-14,
        },
    }  # fmt: skip
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_threshold(self)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), s=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        surprise = g - m
        spread = self.beta2 * s.s + (1 - self.beta2) * surprise * surprise + self.eps_root
        debias2 = 1 - self.beta2**t
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat else self.eps
        root = snp.sqrt(spread / debias2) + eps
        alpha = self.lr / (1 - self.beta1**t)
        if not self.rectified:
            return w - alpha * m / root, State(m=m, s=spread)
        rho, r = rectification(self.beta2, t)
        is_rectified = rho >= self.threshold if self.at_threshold else rho > self.threshold
        return w - snp.where(is_rectified, (alpha * r) * m / root, alpha * m), State(m=m, s=spread)
