"""D-Adaptation for Adam.

Defazio & Mishchenko, 2023, "Learning-rate-free learning by D-Adaptation".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Parameters
from spusk.optim.ranges import POSITIVE, Range
from spusk.optim.state import State
from spusk.optim.together import Together, nothing, total


@dataclass(frozen=True)
class DAdaptAdam(Together):
    """D-Adaptation for Adam: the rate d is a lower bound of the distance to the solution, which only grows.

        r ← √β₂·r + (1 − √β₂)γd⟨g, s/(√v + ε)⟩
        m ← β₁m + (1 − β₁)γdg
        v ← β₂v + (1 − β₂)g²
        s ← √β₂·s + (1 − √β₂)γdg
        w ← w − m/(√v + ε) − γdλw
        d ← max(d, r/((1 − √β₂)‖s‖₁))

    Source: Defazio & Mishchenko, 2023, "Learning-rate-free learning by D-Adaptation", the form for Adam
    (the root in r is the one before this step, and λ is added, as in the authors' code).

    ⟨·⟩ and ‖·‖₁ go over all parameters, so that there is one d. Optax multiplies γ by
    √(1 − β₂ᵗ)/(1 − β₁ᵗ). The `weight_decay` of the authors' code and of pytorch_optimizer is added to the
    gradient unless asked otherwise.

    Args:
        lr: the factor γ > 0, which schedules change; default 1.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε > 0; default 1e-8.
        d0: the first d > 0; default 1e-6.
        weight_decay: λ ≥ 0; default 0.
        debias: True multiplies γ by √(1 − β₂ᵗ)/(1 − β₁ᵗ).

    >>> DAdaptAdam.like("optax").debias
    True
    """

    lr: Hyper = 1.0
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    d0: Hyper = 1e-6
    weight_decay: Hyper = 0.0
    debias: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"debias": True},
        "pytorch_optimizer": {},
        "authors": {},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ranges: ClassVar[Mapping[str, Range]] = {"d0": POSITIVE, "eps": POSITIVE}

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w), s=snp.zeros_like(w))

    def start_shared(self, parameters: Parameters) -> State:
        zero = nothing(parameters)
        return State(d=zero + self.d0, r=zero)

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        each, d = state["each"], state["all"].d
        debias = snp.sqrt(1 - self.beta2**t) / (1 - self.beta1**t) if self.debias else 1
        rate = {name: lr * debias * d for name, lr in self.rates_of(parameters).items()}
        root2 = snp.sqrt(self.beta2)
        rest2 = 1 - root2
        along = total(
            rate[name] * snp.sum(g * (each[name].s / (snp.sqrt(each[name].v) + self.eps)))
            for name, g in gradients.items()
        )
        r = root2 * state["all"].r + rest2 * along

        new_w: dict[str, Tensor] = {}
        new_each: dict[str, State] = {}
        for name, w in parameters.items():
            g, rate_here = gradients[name], snp.astype(rate[name], w.dtype)
            m = self.beta1 * each[name].m + (1 - self.beta1) * rate_here * g
            v = self.beta2 * each[name].v + (1 - self.beta2) * g * g
            s = root2 * each[name].s + rest2 * rate_here * g
            new_w[name] = w - m / (snp.sqrt(v) + self.eps) - self.weight_decay * rate_here * w
            new_each[name] = State(m=m, v=v, s=s)
        norm = rest2 * total(snp.abs(s.s) for s in new_each.values())
        new_d = snp.maximum(d, snp.where(norm > 0, r / norm, 0))
        return new_w, {"each": new_each, "all": State(d=new_d, r=r)}
