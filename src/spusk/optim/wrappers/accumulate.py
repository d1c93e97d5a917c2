"""Gradient accumulation.

Ott, Edunov, Grangier & Auli, 2018, "Scaling neural machine translation".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_whole
from spusk.optim.wrappers.trees import combined
from spusk.optim.wrappers.wrapper import Inside, Wrapper, moving_if


@dataclass(frozen=True)
class Accumulate(Wrapper):
    """Gradient accumulation: one step of any optimizer with the mean gradient of k batches.

        a ← a + g
        every k steps: w ← inner(w, a/k);  a ← 0

    Source: Ott, Edunov, Grangier & Auli, 2018, "Scaling neural machine translation", on training with
    larger batches.

    Between two steps of the inner optimizer the parameters and its state stand still. Its step number t and
    its schedules count its own steps, so k batches give what one batch k times as large gives. Batches of
    different sizes (the last one of an epoch) count alike; `drop_last=True` leaves smaller ones out. A
    curvature is averaged as the gradient. Averages of weights belong inside:
    `Accumulate(EMA(Adam()), k=8)`.

    Args:
        inner: the optimizer; default Adam().
        k: how many batches, ≥ 1; default 4.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 0.0, Accumulate(SGD(lr=1.0), k=2), steps=4).path.tolist()
    [0.0, 0.0, -1.0, -1.0, -2.0]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    k: int = 4

    keeps_state: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"optax": {}}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, k=1)

    def inner_time(self, t: Tensor) -> Tensor:
        """The number of the inner optimizer's step that batch t is part of."""
        return snp.floor((t - 1) / self.k) + 1

    def start_own(self, parameters: Parameters) -> dict[str, Any]:
        zeros = {name: snp.zeros_like(w) for name, w in parameters.items()}
        return {"sum": zeros, "curvature": dict(zeros)} if self.needs_curvature else {"sum": zeros}

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        return super().gradients_all(objective, parameters, state, self.inner_time(t))

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        total, curved = self._totals(gradients, state)
        mean: Parameters = {name: a / self.k for name, a in total.items()}
        if isinstance(gradients, Gradients):
            mean = gradients.replaced(mean)
            if gradients.curvature is not None:
                known = [name for name in gradients.curvature if name in curved]
                mean = mean.with_curvature({name: curved[name] / self.k for name in known})
        return self.inner, mean, self.inner_state(state), self.inner_time(t)

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        return moving_if(t % self.k == 0, parameters, super().moving_all(parameters, gradients, state, t))

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        is_time = t % self.k == 0

        def step(after: Tensor, before: Tensor) -> Tensor:
            return snp.where(is_time, after, before)

        rule, seen, within, step_in = self.inside(parameters, gradients, state, t)
        new, inner = rule.update_all(parameters, seen, within, step_in)
        total, curved = self._totals(gradients, state)
        own = {"sum": _begun_anew(total, is_time)}
        own |= {"curvature": _begun_anew(curved, is_time)} if "curvature" in state else {}
        return combined(step, new, parameters), {
            "inner": combined(step, inner, self.inner_state(state)),
            **own,
        }

    def _totals(
        self, gradients: Parameters, state: Mapping[str, Any]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The sums of gradients and curvatures with those of this batch."""
        h = gradients.curvature or {} if isinstance(gradients, Gradients) else {}
        return (
            {name: a + gradients[name] for name, a in state["sum"].items()},
            {name: a + h[name] if name in h else a for name, a in state.get("curvature", {}).items()},
        )


def _begun_anew(total: Mapping[str, Tensor], is_time: Tensor) -> dict[str, Tensor]:
    """The sums that go on; after a step they are 0."""
    return {name: snp.where(is_time, snp.zeros_like(a), a) for name, a in total.items()}
