"""Prodigy.

Mishchenko & Defazio, 2023, "Prodigy: An expeditiously adaptive parameter-free learner".
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
class Prodigy(Together):
    """Prodigy: Adam whose rate is an estimate d of the distance from the first weights to the solution.

        m ← β₁m + (1 − β₁)dg
        v ← β₂v + (1 − β₂)d²g²
        r ← β₃r + (1 − β₃)γd²⟨g, w₀ − w⟩
        s ← β₃s + (1 − β₃)γd²g
        w ← w − γd·(m/(√v + dε) + λw)
        d ← max(d, r/‖s‖₁)

    Source: Mishchenko & Defazio, 2023, "Prodigy: An expeditiously adaptive parameter-free learner",
    Algorithm 3, the form for Adam (λ and `d_coef` are the authors' code's).

    ⟨·⟩ and ‖·‖₁ go over all parameters, so that there is one d. The authors' code, optax and
    pytorch_optimizer multiply ε by the new d. Optax multiplies γ by √(1 − β₂ᵗ)/(1 − β₁ᵗ), which the others
    do when asked.

    Args:
        lr: the factor γ > 0, which schedules change; default 1.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        beta3: the decay β₃ of r and s in [0, 1); default None, √β₂.
        eps: ε ≥ 0; default 1e-8; with 0, a gradient that is still 0 gives 0/0.
        d0: the first d > 0; default 1e-6.
        d_coef: a factor > 0 of r/‖s‖₁; default 1.
        weight_decay: λ ≥ 0; default 0.
        debias: True multiplies γ by √(1 − β₂ᵗ)/(1 − β₁ᵗ).
        eps_by_new: True multiplies ε by the new d.

    >>> import spusk as sp
    >>> round(float(sp.minimize(lambda x: (x - 100.0) ** 2, 0.0, Prodigy(), steps=900).x))
    100
    """

    lr: Hyper = 1.0
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    beta3: Hyper = None
    eps: Hyper = 1e-8
    d0: Hyper = 1e-6
    d_coef: Hyper = 1.0
    weight_decay: Hyper = 0.0
    debias: bool = False
    eps_by_new: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"debias": True, "eps_by_new": True},
        "pytorch_optimizer": {"eps_by_new": True},
        "authors": {"eps_by_new": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ranges: ClassVar[Mapping[str, Range]] = {"d0": POSITIVE, "d_coef": POSITIVE}

    def start(self, w: Tensor) -> State:
        return State(first=w, m=snp.zeros_like(w), v=snp.zeros_like(w), s=snp.zeros_like(w))

    def start_shared(self, parameters: Parameters) -> State:
        zero = nothing(parameters)
        return State(d=zero + self.d0, r=zero)

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        each, d = state["each"], state["all"].d
        beta3 = snp.sqrt(self.beta2) if self.beta3 is None else self.beta3
        debias = snp.sqrt(1 - self.beta2**t) / (1 - self.beta1**t) if self.debias else 1
        gamma = {name: lr * debias for name, lr in self.rates_of(parameters).items()}
        share = {name: (1 - beta3) * gamma[name] * d * d for name in parameters}
        s = {n: beta3 * each[n].s + snp.astype(share[n], g.dtype) * g for n, g in gradients.items()}
        towards = total(
            share[name] * snp.sum(gradients[name] * (each[name].first - w)) for name, w in parameters.items()
        )
        r = beta3 * state["all"].r + towards
        norm = total(snp.abs(x) for x in s.values())
        new_d = snp.maximum(d, snp.where(norm > 0, self.d_coef * r / norm, 0))

        new_w: dict[str, Tensor] = {}
        new_each: dict[str, State] = {}
        for name, w in parameters.items():
            d_here = snp.astype(d, w.dtype)
            g = d_here * gradients[name]
            m = self.beta1 * each[name].m + (1 - self.beta1) * g
            v = self.beta2 * each[name].v + (1 - self.beta2) * g * g
            root = snp.sqrt(v) + self.eps * snp.astype(new_d if self.eps_by_new else d, w.dtype)
            new_w[name] = w - gamma[name] * d_here * (m / root + self.weight_decay * w)
            new_each[name] = State(first=each[name].first, m=m, v=v, s=s[name])
        return new_w, {"each": new_each, "all": State(d=new_d, r=r)}
