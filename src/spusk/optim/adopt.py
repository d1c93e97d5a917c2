"""ADOPT.

Taniguchi, Harada, Minegishi, Oshima, Jeong, Nagahara, Iiyama, Suzuki, Iwasawa & Matsuo, 2024, "ADOPT:
Modified Adam can converge with any β₂ with the optimal rate".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class ADOPT(Optimizer):
    """ADOPT: gradients are normalised by the mean square of those before them, then averaged.

        step 1: v ← g², and nothing moves; from step 2 on:
        m ← β₁m + (1 − β₁)·g/max(√v, ε)
        w ← w − αm
        v ← β₂v + (1 − β₂)g²
        with clipping, g/max(√v, ε) is first clipped to ±cₜ, cₜ = (t − 1)^p

    Source: Taniguchi, Harada, Minegishi, Oshima, Jeong, Nagahara, Iiyama, Suzuki, Iwasawa & Matsuo, 2024,
    "ADOPT: Modified Adam can converge with any β₂ with the optimal rate", as first published.

    The authors added the clipping, p = ¼, in November 2024, to their code and to the paper's later version,
    against the first steps of weights whose first gradient was tiny; optax has it, too. Timm's p is 0.333.
    Pytorch_optimizer's is ¼, but it counts the step that takes no step: cₜ = t^p.

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the momentum β₁ in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.9999.
        eps: ε > 0, the smallest divisor; default 1e-6.
        clip_power: the p of clipping, ≥ 0; default None, no clipping.
        clip_from: the number subtracted from t in cₜ; default 1.

    >>> ADOPT.like("authors").clip_power
    0.25
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.9999
    eps: Hyper = 1e-6
    clip_power: Hyper = None
    clip_from: Hyper = 1.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"clip_power": 0.25},
        "timm": {"clip_power": 0.333},
        "pytorch_optimizer": {"clip_power": 0.25, "clip_from": 0.0},
        "authors": {"clip_power": 0.25},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    ranges: ClassVar[Mapping[str, Range]] = {"clip_power": NOT_NEGATIVE}

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        is_first = t == 1
        normalised = g / snp.maximum(snp.sqrt(s.v), self.eps)
        if self.clip_power is not None:
            c = (t - self.clip_from) ** self.clip_power
            normalised = snp.maximum(-c, snp.minimum(normalised, c))
        m = snp.where(is_first, 0, self.beta1 * s.m + (1 - self.beta1) * normalised)
        v = snp.where(is_first, g * g, self.beta2 * s.v + (1 - self.beta2) * g * g)
        return w - self.lr * m, State(m=m, v=v)
