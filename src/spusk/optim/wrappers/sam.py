"""Sharpness-aware minimization, and its adaptive form.

Foret, Kleiner, Mobahi & Neyshabur, 2021, "Sharpness-aware minimization for efficiently improving
generalization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.momentum import Momentum
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range
from spusk.optim.wrappers.clip import norm_of
from spusk.optim.wrappers.wrapper import Wrapper


@dataclass(frozen=True)
class SAM(Wrapper):
    """Sharpness-aware minimization: any optimizer with the gradient of the worst point nearby.

        e = ρ·g/(‖g‖ + ε),  g = ∇L(w)
        adaptive:  e = ρ·T²g/(‖Tg‖ + ε),  T = |w| + η
        w ← inner(w, ∇L(w + e))

    Source: Foret, Kleiner, Mobahi & Neyshabur, 2021, "Sharpness-aware minimization for efficiently improving
    generalization", Algorithm 1.

    The norm is over all parameters together. Adaptive SAM is Kwon, Kim, Park & Choi, 2021, "ASAM: Adaptive
    sharpness-aware minimization for scale-invariant learning of deep neural networks", Algorithm 1; its
    authors' code has T = 1 for biases, and pytorch_optimizer η = 0 and ε = 1e-12. Both gradients see the same
    batch and dropout masks; the loss that is reported is that of w. A step costs two gradients.

    Args:
        inner: the optimizer that takes the step; default Momentum().
        rho: the distance ρ ≥ 0; default 0.05. ASAM's authors take 0.5 (CIFAR-10) and 1 (CIFAR-100).
        adaptive: True is ASAM.
        eta: η ≥ 0 of ASAM; default 0.01.
        eps: ε ≥ 0; default 0, and no displacement where the norm is 0.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: x * x, 1.0, SAM(SGD(lr=0.25), rho=0.5), steps=1).path.tolist()  # slope at 1.5
    [1.0, 0.25]
    """

    inner: Optimizer = Momentum()  # noqa: RUF009 (immutable)
    rho: Hyper = 0.05
    adaptive: bool = False
    eta: Hyper = 0.01
    eps: Hyper = 0.0

    ranges: ClassVar[Mapping[str, Range]] = dict.fromkeys(("rho", "eta", "eps"), NOT_NEGATIVE)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {},
        "pytorch_optimizer": {"eta": 0.0, "eps": 1e-12},
    }

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        point = self.point_all(parameters, state)
        here = objective.gradients(point)
        trained = self.trained(parameters)
        at, slope = {n: point[n] for n in trained}, {n: here[n] for n in trained}
        beside = objective.shifted(self._displacement(at, slope))
        return super().gradients_all(beside, parameters, state, t).with_loss(here.loss)

    def _displacement(self, point: Parameters, here: Parameters) -> dict[str, Tensor]:
        if self.adaptive:
            size = {name: abs(w) + self.eta for name, w in point.items()}
            scaled = {name: size[name] * g for name, g in here.items()}
            direction = {name: size[name] * g for name, g in scaled.items()}
        else:
            scaled = direction = dict(here)
        norm = norm_of(list(scaled.values())) + self.eps
        share = self.rho / snp.where(norm > 0, norm, 1)
        return {name: share * d for name, d in direction.items()}
