"""Nadam.

Dozat, 2016, "Incorporating Nesterov momentum into Adam".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.graph import Tensor, scalar
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_choice
from spusk.optim.state import State


@dataclass(frozen=True)
class Nadam(Optimizer):
    """Nadam: Adam whose mean already contains the step that Nesterov's momentum would take next.

        μₜ = β₁(1 − ½·0.96^(ψt))
        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        m̄ = μₜ₊₁·m/(1 − Πμ₁…ₜ₊₁) + (1 − μₜ)·g/(1 − Πμ₁…ₜ)
        w ← w − α·m̄/(√v̂ + ε),  v̂ = v/(1 − β₂ᵗ)

    Source: Dozat, 2016, "Incorporating Nesterov momentum into Adam", Algorithm 2, with its warming momentum.

    The paper's Algorithm 2 moreover multiplies v̂ by β₂; no library does, nor do we. Torch keeps Πμ in
    float32 unless its default dtype is float64. Keras lets μ warm 250 times as fast (ψ = 1). Optax keeps
    μ = β₁ constant. TensorFlow's contrib divides both parts by 1 − β₁ᵗ, and adds ε to the root before
    debiasing.

    Args:
        lr: the learning rate α > 0; default 0.002.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-8.
        psi: ψ ≥ 0, how fast μ warms from β₁/2 to β₁; default 0.004.
        correction: how the momentum is debiased: "warming" by the products of μₜ (the paper); "constant"
            with μₜ = β₁, hence by 1 − β₁ᵗ⁺¹ and 1 − β₁ᵗ; "same" by 1 − β₁ᵗ both.
        eps_hat: True adds ε to √v before debiasing.

    >>> Nadam.like("keras").psi
    1.0
    """

    lr: Hyper = 0.002
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    psi: Hyper = 0.004
    correction: Literal["warming", "constant", "same"] = "warming"
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {},
        "optax": {"correction": "constant"},
        "keras": {"lr": 0.001, "eps": 1e-7, "psi": 1.0},
        "tf-contrib": {"lr": 0.001, "correction": "same", "eps_hat": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "correction", ("warming", "constant", "same"))

    def start(self, w: Tensor) -> State:
        slots = {"m": snp.zeros_like(w), "v": snp.zeros_like(w)}
        return State(**slots, product=scalar(1.0)) if self.correction == "warming" else State(**slots)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        slots = {"m": m, "v": v}
        if self.correction == "warming":
            mu, mu_next = self.mu(t), self.mu(t + 1)
            product = slots["product"] = s.product * mu
            product_next = product * mu_next
        else:
            mu = mu_next = self.beta1
            product = self.beta1**t
            product_next = product if self.correction == "same" else self.beta1 ** (t + 1)
        m_bar = (mu_next / (1 - product_next)) * m + ((1 - mu) / (1 - product)) * g
        debias2 = 1 - self.beta2**t
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat else self.eps
        return w - self.lr * m_bar / (snp.sqrt(v * (1 / debias2)) + eps), State(**slots)

    def mu(self, t: Tensor) -> Tensor:
        """The warming momentum μₜ."""
        return self.beta1 * (1 - 0.5 * 0.96 ** (self.psi * t))
