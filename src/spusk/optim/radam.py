"""RAdam.

Liu, Jiang, He, Chen, Liu, Gao & Han, 2020, "On the variance of the adaptive learning rate and beyond".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class RAdam(Optimizer):
    """RAdam: Adam rectified for the variance of its first steps, which begin as plain momentum.

        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        ρ∞ = 2/(1 − β₂) − 1,  ρₜ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ)
        r = √((ρₜ − 4)(ρₜ − 2)ρ∞/((ρ∞ − 4)(ρ∞ − 2)ρₜ))
        w ← w − α·r·m̂/(√v̂ + ε) if ρₜ > 4, else w − α·m̂

    Source: Liu, Jiang, He, Chen, Liu, Gao & Han, 2020, "On the variance of the adaptive learning rate and
    beyond", Algorithm 2.

    The paper has no ε. Libraries are more cautious with the variance: torch rectifies when ρₜ > 5; optax,
    timm and the authors' code when ρₜ ≥ 5, and before that the authors' code takes no step at all. With
    β₂ = 0.999 this is the sixth step instead of the fifth. Torch, timm and the authors add ε to the root
    before debiasing, which in the sixth step acts like 13ε.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-8.
        threshold: the ρₜ above which the step is rectified, ≥ 4; default 4.
        at_threshold: True rectifies when ρₜ equals the threshold, too.
        step_before: False takes no step before rectification begins.
        eps_hat: True adds ε to √v before debiasing.

    >>> RAdam.like("torch").threshold
    5.0
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    threshold: Hyper = 4.0
    at_threshold: bool = False
    step_before: bool = True
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"threshold": 5.0, "eps_hat": True},
        "optax": {"threshold": 5.0, "at_threshold": True},
        "timm": {"threshold": 5.0, "at_threshold": True, "eps_hat": True},
        "authors": {"threshold": 5.0, "at_threshold": True, "eps_hat": True, "step_before": False},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_threshold(self)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        rho, r = self.rectification(t)
        debias2 = 1 - self.beta2**t
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat else self.eps
        alpha = self.lr / (1 - self.beta1**t)
        is_rectified = rho >= self.threshold if self.at_threshold else rho > self.threshold
        before = alpha * m if self.step_before else 0
        step = snp.where(is_rectified, (alpha * r) * m / (snp.sqrt(v * (1 / debias2)) + eps), before)
        return w - step, State(m=m, v=v)

    def rectification(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """ρₜ, the length of the moving average, and the factor r, which is NaN or meaningless for ρₜ ≤ 4."""
        return rectification(self.beta2, t)


def rectification(beta2: Hyper, t: Tensor) -> tuple[Tensor, Tensor]:
    """ρₜ, and the factor r, of a mean square that decays with β₂; see `RAdam`."""
    rho_inf = 2 / (1 - beta2) - 1
    beta2_t = beta2**t
    rho = rho_inf - 2 * t * beta2_t / (1 - beta2_t)
    r = snp.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    return rho, r


def check_threshold(rule: Any) -> None:
    """Raise an InputError if the rule's threshold lies where the rectification is not defined."""
    if isinstance(rule.threshold, (int, float)) and rule.threshold < 4:
        raise InputError(
            f"{type(rule).__name__}(threshold={rule.threshold!r}): threshold must be 4 or greater; "
            "the rectification is not defined below"
        )
