"""D-Adaptation for SGD.

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
from spusk.optim.ranges import POSITIVE, UNIT, Range
from spusk.optim.state import State
from spusk.optim.together import Together, nothing, total


@dataclass(frozen=True)
class DAdaptSGD(Together):
    """D-Adaptation for SGD: the rate d/‖g₁‖, with d a lower bound of the distance to the solution.

        λ = γd/‖g₁‖
        r ← r + λ⟨g, s⟩
        s ← s + λg
        z = w₀ − s
        w ← βw + (1 − β)z
        d ← max(d, 2r/‖s‖)

    Source: Defazio & Mishchenko, 2023, "Learning-rate-free learning by D-Adaptation", the form for SGD.

    ⟨·⟩ and ‖·‖ go over all parameters, so that there is one d; ‖g₁‖ is the first gradient's norm that is
    not 0.

    Args:
        lr: the factor γ > 0, which schedules change; default 1.
        beta: the momentum β in [0, 1); default 0.9.
        d0: the first d > 0; default 1e-6.

    >>> import spusk as sp
    >>> round(float(sp.minimize(lambda x: (x - 100.0) ** 2, 0.0, DAdaptSGD(), steps=900).x))
    100
    """

    lr: Hyper = 1.0
    beta: Hyper = 0.9
    d0: Hyper = 1e-6

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"pytorch_optimizer": {}}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ranges: ClassVar[Mapping[str, Range]] = {"d0": POSITIVE, "beta": UNIT}

    def start(self, w: Tensor) -> State:
        return State(first=w, s=snp.zeros_like(w))

    def start_shared(self, parameters: Parameters) -> State:
        zero = nothing(parameters)
        return State(d=zero + self.d0, r=zero, norm=zero)

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        each, shared = state["each"], state["all"]
        now = snp.sqrt(total(g * g for g in gradients.values()))
        norm = snp.where(shared.norm > 0, shared.norm, now)
        whole = snp.where(norm > 0, shared.d / norm, 0)
        rate = {name: lr * whole for name, lr in self.rates_of(parameters).items()}
        r = shared.r + total(rate[name] * snp.sum(g * each[name].s) for name, g in gradients.items())
        s = {name: each[name].s + snp.astype(rate[name], g.dtype) * g for name, g in gradients.items()}
        size = snp.sqrt(total(x * x for x in s.values()))
        d = snp.maximum(shared.d, snp.where(size > 0, 2 * r / size, 0))

        new_w: dict[str, Tensor] = {}
        new_each: dict[str, State] = {}
        for name, w in parameters.items():
            z = each[name].first - s[name]
            new_w[name] = self.beta * w + (1 - self.beta) * z
            new_each[name] = State(first=each[name].first, s=s[name])
        return new_w, {"each": new_each, "all": State(d=d, r=r, norm=norm)}
