"""AMSGrad.

Reddi, Kale & Kumar, 2018, "On the convergence of Adam and beyond".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_choice
from spusk.optim.state import State


@dataclass(frozen=True)
class AMSGrad(Optimizer):
    """AMSGrad: Adam whose mean square never falls, so that a rare large gradient is not forgotten.

        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        v̂ ← max(v̂, v)
        w ← w − α·m/(√v̂ + ε)

    Source: Reddi, Kale & Kumar, 2018, "On the convergence of Adam and beyond", Algorithm 2.

    The paper has no ε, and in its theory α falls as 1/√t, which a schedule can do. Its algorithm does not
    debias; libraries do, in two ways. Torch and Keras debias after the maximum, by what is right for the
    present step: the divisor √(v̂/(1 − β₂ᵗ)) then falls in the first steps. Optax takes the maximum of what
    is debiased already, in which the first gradients weigh a thousand times as much and are never
    forgotten. Keras moreover adds ε to the root before debiasing.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-8.
        eps_root: added inside the root (optax), ≥ 0; default 0.
        debias: "none" (the paper); "after" divides m by 1 − β₁ᵗ and the maximum by 1 − β₂ᵗ; "before" divides
            m, and v before the maximum is taken.
        eps_hat: True adds ε to √v̂ before debiasing; only with "after".

    >>> AMSGrad.like("torch").debias
    'after'
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    eps_root: Hyper = 0.0
    debias: Literal["none", "after", "before"] = "none"
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"debias": "after"},
        "optax": {"debias": "before"},
        "keras": {"debias": "after", "eps": 1e-7, "eps_hat": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "debias", ("none", "after", "before"))

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w), v_hat=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        debias1, debias2 = 1 - self.beta1**t, 1 - self.beta2**t
        v_hat = snp.maximum(s.v_hat, v / debias2 if self.debias == "before" else v)
        largest = v_hat / debias2 if self.debias == "after" else v_hat
        alpha = self.lr if self.debias == "none" else self.lr / debias1
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat and self.debias == "after" else self.eps
        return w - alpha * m / (snp.sqrt(largest + self.eps_root) + eps), State(m=m, v=v, v_hat=v_hat)
