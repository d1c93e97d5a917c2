"""AdamW.

Loshchilov & Hutter, 2019, "Decoupled weight decay regularization".
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
class AdamW(Optimizer):
    """AdamW: Adam that shrinks the weights themselves, instead of adding λw to the gradient.

        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)g²
        w ← w − η·(α·m̂/(√v̂ + ε) + λw),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)

    Source: Loshchilov & Hutter, 2019, "Decoupled weight decay regularization", Algorithm 2.

    In the paper, the schedule's multiplier η scales step and decay alike, and α the step alone: give a
    schedule as `eta`, e.g. `AdamW(eta=Cosine(1.0, steps=900))`. Torch, optax and keras have no η and decay
    by αλ, so that their λ = 0.01 at α = 0.001 is the paper's 1e-5. Keras moreover adds ε to the root before
    debiasing. The paper makes λ proportional to √(batch size/(examples · epochs)).

    Args:
        lr: the learning rate α > 0; default 0.001.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-8.
        weight_decay: λ ≥ 0; the paper gives no value; default 1e-4.
        eta: the schedule's multiplier η ≥ 0; default 1.
        decay_by_lr: True decays by ηαλ instead of ηλ.
        eps_hat: True adds ε to √v before debiasing.

    >>> AdamW.like("torch").weight_decay
    0.01
    """

    lr: Hyper = 0.001
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    weight_decay: Hyper = 1e-4
    eta: Hyper = 1.0
    decay_by_lr: bool = False
    eps_hat: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"weight_decay": 0.01, "decay_by_lr": True},
        "optax": {"weight_decay": 1e-4, "decay_by_lr": True},
        "keras": {"weight_decay": 0.004, "decay_by_lr": True, "eps": 1e-7, "eps_hat": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        debias1, debias2 = 1 - self.beta1**t, 1 - self.beta2**t
        eps = self.eps / snp.sqrt(debias2) if self.eps_hat else self.eps
        step = (self.lr / debias1) * m / (snp.sqrt(v * (1 / debias2)) + eps)
        decay = self.lr * self.weight_decay if self.decay_by_lr else self.weight_decay
        return w - self.eta * (step + decay * w), State(m=m, v=v)
