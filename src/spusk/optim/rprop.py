"""Rprop.

Riedmiller & Braun, 1993, "A direct adaptive method for faster backpropagation learning: the RPROP
algorithm".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import AT_LEAST_ONE, POSITIVE, UNIT, Range, check_choice
from spusk.optim.state import State


@dataclass(frozen=True)
class Rprop(Optimizer):
    """Rprop: every weight has a step of its own, which grows while the gradient's sign lasts.

        g·g₋₁ > 0:  Δ ← min(η₊Δ, Δ_max);  Δw = −sign(g)Δ
        g·g₋₁ < 0:  Δ ← max(η₋Δ, Δ_min);  Δw = −Δw₋₁, and g counts as 0 in the next step
        g·g₋₁ = 0:  Δw = −sign(g)Δ
        w ← w + Δw

    Source: Riedmiller & Braun, 1993, "A direct adaptive method for faster backpropagation learning: the
    RPROP algorithm", the rule that goes back where the sign has changed.

    Rprop wants the gradient of the whole training set: in mini-batches, signs change by chance. Torch does
    not go back when the sign changes, Δw = 0 (Igel & Hüsken, 2003, call it iRprop⁻). So does optax, which
    moreover is one step late: it makes the step found before, unless the sign has changed since.

    Args:
        lr: the first step Δ > 0; a change of it later has no effect; default 0.1.
        eta_minus: η₋ in [0, 1); default 0.5.
        eta_plus: η₊ ≥ 1; default 1.2.
        step_min: Δ_min > 0; default 1e-6.
        step_max: Δ_max > 0; default 50.
        at_change: what to do where the sign has changed: "go back", "stay", or "stay, late" (optax).

    >>> import spusk as sp
    >>> sp.minimize(lambda x: 1e9 * x, 0.0, Rprop(lr=1.0), steps=3).path.round(12).tolist()
    [0.0, -1.0, -2.2, -3.64]
    """

    lr: Hyper = 0.1
    eta_minus: Hyper = 0.5
    eta_plus: Hyper = 1.2
    step_min: Hyper = 1e-6
    step_max: Hyper = 50.0
    at_change: Literal["go back", "stay", "stay, late"] = "go back"

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"lr": 0.01, "at_change": "stay"},
        "optax": {"lr": 0.01, "at_change": "stay, late"},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    ranges: ClassVar[Mapping[str, Range]] = {
        "eta_minus": UNIT,
        "eta_plus": AT_LEAST_ONE,
        "step_min": POSITIVE,
        "step_max": POSITIVE,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "at_change", ("go back", "stay", "stay, late"))

    def start(self, w: Tensor) -> State:
        slots = {"sign": snp.zeros_like(w), "step": snp.zeros_like(w) + self.lr}
        return State(**slots) if self.at_change == "stay" else State(**slots, moved=snp.zeros_like(w))

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        sign = snp.sign(g)
        lasts, changes = sign * s.sign > 0, sign * s.sign < 0
        longer = snp.minimum(self.eta_plus * s.step, self.step_max)
        shorter = snp.maximum(self.eta_minus * s.step, self.step_min)
        step = snp.where(lasts, longer, snp.where(changes, shorter, s.step))
        slots = {"sign": snp.where(changes, 0, sign), "step": step}
        if self.at_change == "stay":
            return w + snp.where(changes, 0, -sign * step), State(**slots)
        if self.at_change == "stay, late":
            slots["moved"] = snp.where(changes, 0, -sign * step)
            return w + snp.where(changes, 0, s.moved), State(**slots)
        slots["moved"] = snp.where(changes, -s.moved, -sign * step)
        return w + slots["moved"], State(**slots)
