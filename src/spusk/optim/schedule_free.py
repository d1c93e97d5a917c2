"""Schedule-Free SGD and Schedule-Free AdamW.

Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024, "The road less scheduled".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor, scalar
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range
from spusk.optim.state import State


@dataclass(frozen=True)
class ScheduleFreeSGD(Optimizer):
    """Schedule-Free SGD: gradients are taken between the point z and its average x, which is what is used.

        y = (1 − β)z + βx
        z ← z − γ(∇L(y) + λy)
        x ← (1 − c)x + cz,  c = γ²/(γ₀² + γ₁² + … + γₜ²) with γ₀ = γ₁

    Source: Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024, "The road less scheduled", eqs. 3 to 5.

    The parameters that are carried are z; measured, kept and returned is x. With a constant rate x is the
    plain average of all z, the first one included, as in these equations; the weights γ² are Algorithm 1's.
    The authors' code, optax and pytorch_optimizer leave out the first one (γ₀ = 0), and put the largest rate
    so far in place of γ.

    Args:
        lr: the learning rate γ > 0, to be warmed up rather than let fall; default 1.
        beta: β in [0, 1), how far towards the average gradients are taken; default 0.9.
        weight_decay: λ ≥ 0; default 0.
        weight_power: p ≥ 0, for γᵖ in place of γ² in c; default 2; 0 is the plain average.
        first_counts: True gives the first point the weight of the second, False none.
        by_largest: True weighs by the largest rate so far.

    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 0.0, ScheduleFreeSGD(), steps=3).path.round(6).tolist()
    [0.0, -0.5, -1.0, -1.5]
    """

    lr: Hyper = 1.0
    beta: Hyper = 0.9
    weight_decay: Hyper = 0.0
    weight_power: Hyper = 2.0
    first_counts: bool = True
    by_largest: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        library: {"first_counts": False, "by_largest": True}
        for library in ("optax", "pytorch_optimizer", "authors")
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)

    ranges: ClassVar[Mapping[str, Range]] = {"weight_power": NOT_NEGATIVE}

    def evaluated(self, w: Tensor, s: State) -> Tensor:
        return s.x

    def start(self, w: Tensor) -> State:
        return State(x=w, **no_weights(self.by_largest))

    def point(self, w: Tensor, s: State) -> Tensor:
        return (1 - self.beta) * w + self.beta * s.x

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        z = w - self.lr * (g + self.weight_decay * self.point(w, s))
        largest = snp.maximum(s.largest, self.lr) if self.by_largest else None
        weight = (self.lr if largest is None else largest) ** self.weight_power
        before = snp.where(t == 1, weight, s.weights) if self.first_counts else s.weights
        return z, State(**averaged(s.x, z, before, weight, largest))


@dataclass(frozen=True)
class ScheduleFreeAdamW(Optimizer):
    """Schedule-Free AdamW: the same with steps divided by the root of the mean square; β₁ is the momentum.

        y = (1 − β₁)z + β₁x
        v ← β₂v + (1 − β₂)g²,  g = ∇L(y)
        γₜ = γ√(1 − β₂ᵗ)
        z ← z − γₜ·(g/(√v + ε) + λy)
        x ← (1 − c)x + cz,  c = γₜ²/(γ₁² + … + γₜ²)

    Source: Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024, "The road less scheduled", Algorithm 1.

    The parameters that are carried are z; measured, kept and returned is x. The authors' code has moved the
    debiasing into the root, √(v/(1 − β₂ᵗ)), which weighs the first points more, and puts the largest rate
    so far in place of γ; optax and pytorch_optimizer follow it, the latter with 1e-15 added to v̂. Keras
    takes the plain average, c = 1/t; its `weight_decay` shrinks y without z, which is left out here.

    Args:
        lr: the learning rate γ > 0, to be warmed up rather than let fall; default 0.0025.
        beta1: β₁ in [0, 1), how far towards the average gradients are taken; default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-8.
        eps_root: added to v inside the root, ≥ 0; default 0.
        weight_decay: λ ≥ 0; default 0.
        weight_power: p ≥ 0, for γᵖ in place of γ² in c; default 2; 0 is the plain average.
        debias_rate: True (the paper) debiases the rate, False debiases v.
        by_largest: True weighs by the largest rate so far.

    >>> ScheduleFreeAdamW.like("keras").weight_power
    0.0
    """

    lr: Hyper = 0.0025
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-8
    eps_root: Hyper = 0.0
    weight_decay: Hyper = 0.0
    weight_power: Hyper = 2.0
    debias_rate: bool = True
    by_largest: bool = False

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {"debias_rate": False, "by_largest": True},
        "keras": {"debias_rate": False, "weight_power": 0.0},
        "pytorch_optimizer": {"debias_rate": False, "by_largest": True, "eps_root": 1e-15},
        "authors": {"debias_rate": False, "by_largest": True},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    ranges: ClassVar[Mapping[str, Range]] = {"weight_power": NOT_NEGATIVE}

    def evaluated(self, w: Tensor, s: State) -> Tensor:
        return s.x

    def start(self, w: Tensor) -> State:
        return State(x=w, v=snp.zeros_like(w), **no_weights(self.by_largest))

    def point(self, w: Tensor, s: State) -> Tensor:
        return (1 - self.beta1) * w + self.beta1 * s.x

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        v = self.beta2 * s.v + (1 - self.beta2) * g * g
        debias2 = 1 - self.beta2**t
        rate = self.lr * snp.sqrt(debias2) if self.debias_rate else self.lr
        root = snp.sqrt((v if self.debias_rate else v / debias2) + self.eps_root) + self.eps
        z = w - rate * (g / root + self.weight_decay * self.point(w, s))
        largest = snp.maximum(s.largest, rate) if self.by_largest else None
        weight = (rate if largest is None else largest) ** self.weight_power
        return z, State(v=v, **averaged(s.x, z, s.weights, weight, largest))


def no_weights(by_largest: bool) -> dict[str, Tensor]:
    """The slots of an average of nothing, besides x."""
    return {"weights": scalar(0.0), "largest": scalar(0.0)} if by_largest else {"weights": scalar(0.0)}


def averaged(
    x: Tensor, z: Tensor, before: Tensor, weight: Hyper, largest: Tensor | None
) -> dict[str, Tensor]:
    """The slots of the average x of points of total weight `before`, when z has come to it."""
    weights = before + weight
    c = snp.where(weights > 0, weight / weights, 0)
    slots = {"x": (1 - c) * x + c * z, "weights": weights}
    return slots if largest is None else slots | {"largest": largest}
