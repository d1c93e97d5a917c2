"""DoG and DoWG.

Ivgi, Hinder & Carmon, 2023, "DoG is SGD's best friend: A parameter-free dynamic step size schedule"; Khaled,
Mishchenko & Jin, 2023, "DoWG unleashed: An efficient universal parameter-free gradient descent method".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.optimizer import Optimizer, Parameters
from spusk.optim.ranges import POSITIVE, Range
from spusk.optim.state import State
from spusk.optim.together import Together, nothing, total


@dataclass(frozen=True)
class DoG(Together):
    """DoG: the rate is the distance gone so far over the root of all squared gradients' sum.

        r ← max(r, ‖w − w₀‖),  r = ρ(1 + ‖w₀‖) at first
        G ← G + ‖g‖²
        w ← w − c·r/√(G + ε)·g

    Source: Ivgi, Hinder & Carmon, 2023, "DoG is SGD's best friend: A parameter-free dynamic step size
    schedule", the formula (DoG), with ρ as in the authors' code.

    Norms go over all parameters. The paper uses an average of the weights, as SGD wants it.

    Args:
        lr: a factor c > 0; default 1.
        rho: the first distance ρ > 0, in proportion to 1 + ‖w₀‖; default 1e-6.
        eps: ε ≥ 0; default 1e-8; with 0, a first gradient of 0 gives 0/0.

    >>> import spusk as sp
    >>> round(float(sp.minimize(lambda x: (x - 100.0) ** 2, 0.0, DoG(), steps=900).x))
    100
    """

    lr: Hyper = 1.0
    rho: Hyper = 1e-6
    eps: Hyper = 1e-8

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"optax": {}}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ranges: ClassVar[Mapping[str, Range]] = {"rho": POSITIVE}

    def start(self, w: Tensor) -> State:
        return State(first=w)

    def start_shared(self, parameters: Parameters) -> State:
        size = snp.sqrt(total(w * w for w in parameters.values()))
        return State(r=self.rho * (1 + size), squares=nothing(parameters))

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        r = snp.maximum(state["all"].r, snp.sqrt(gone(parameters, state)))
        squares = state["all"].squares + total(g * g for g in gradients.values())
        rate = r / snp.sqrt(squares + self.eps)
        return moved(self, parameters, gradients, rate), dict(state) | {"all": State(r=r, squares=squares)}


@dataclass(frozen=True)
class DoWG(Together):
    """DoWG: as DoG, with gradients weighed by the distance gone when they came.

        r ← max(r, ‖w − w₀‖)
        v ← v + r²‖g‖²
        w ← w − c·r²/(√v + ε)·g

    Source: Khaled, Mishchenko & Jin, 2023, "DoWG unleashed: An efficient universal parameter-free gradient
    descent method", Algorithm 1.

    Norms go over all parameters. The paper has no ε and gives no value for the first distance; optax has
    both, 1e-4 for ε and for r². Without ε no step is made while all gradients are 0.

    Args:
        lr: a factor c > 0; default 1.
        r0: the first distance r > 0; default 0.01.
        eps: ε ≥ 0; default 0.

    >>> import spusk as sp
    >>> round(float(sp.minimize(lambda x: (x - 100.0) ** 2, 0.0, DoWG(), steps=900).x))
    100
    """

    lr: Hyper = 1.0
    r0: Hyper = 0.01
    eps: Hyper = 0.0

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"optax": {"eps": 1e-4}}
    lr_grid: ClassVar[tuple[float, ...]] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ranges: ClassVar[Mapping[str, Range]] = {"r0": POSITIVE}

    def start(self, w: Tensor) -> State:
        return State(first=w)

    def start_shared(self, parameters: Parameters) -> State:
        zero = nothing(parameters)
        return State(r2=zero + self.r0 * self.r0, v=zero)

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        r2 = snp.maximum(state["all"].r2, gone(parameters, state))
        v = state["all"].v + r2 * total(g * g for g in gradients.values())
        rate = snp.where(v > 0, r2 / (snp.sqrt(v) + self.eps), 0)
        return moved(self, parameters, gradients, rate), dict(state) | {"all": State(r2=r2, v=v)}


def gone(parameters: Parameters, state: Mapping[str, Any]) -> Tensor:
    """The squared distance from the first weights."""
    ways = (w - state["each"][name].first for name, w in parameters.items())
    return total(way * way for way in ways)


def moved(rule: Optimizer, parameters: Parameters, gradients: Parameters, rate: Tensor) -> dict[str, Tensor]:
    """One step of gradient descent, with the rule's factor of each parameter."""
    factors = rule.rates_of(parameters)
    return {
        name: w - snp.astype(factors[name] * rate, w.dtype) * gradients[name]
        for name, w in parameters.items()
    }
