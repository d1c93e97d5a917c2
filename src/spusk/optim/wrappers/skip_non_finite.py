"""Steps whose loss or gradient is not finite change nothing.

Micikevicius et al., 2018, "Mixed precision training".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor, scalar
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range
from spusk.optim.wrappers.trees import combined
from spusk.optim.wrappers.wrapper import Inside, Wrapper, moving_if


@dataclass(frozen=True)
class SkipNonFinite(Wrapper):
    """Skips what is not finite: such a step of any optimizer changes nothing.

        if L and all g are finite:  w ← inner(w, g),  r ← 0
        else:                       w and all state stay,  r ← r + 1

    Source: Micikevicius et al., 2018, "Mixed precision training", section 3.2.

    The inner optimizer's step number t does not count skipped steps; schedules follow the steps of the
    training. A training has diverged once more than `limit` steps in a row have been skipped, and goes on
    until then, its batch losses telling which they were. In the state, `skipped` counts all of them. Optax's
    `apply_if_finite` then applies what is not finite; here nothing ever does.

    Args:
        inner: the optimizer; default Adam().
        limit: how many steps in a row may be skipped, ≥ 0; default 10.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: sp.numpy.sqrt(x), -1.0, SkipNonFinite(SGD(lr=1.0)), steps=5).status
    'diverged'
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    limit: Hyper = 10

    keeps_state: ClassVar[bool] = True
    ranges: ClassVar[Mapping[str, Range]] = {"limit": NOT_NEGATIVE}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"optax": {}}

    def start_own(self, parameters: Parameters) -> dict[str, Any]:
        # Weak, because the inner optimizer's step number follows from it.
        return {"skipped": scalar(0.0), "in_a_row": scalar(0.0)}

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        found = super().gradients_all(objective, parameters, state, t - state["skipped"])
        in_a_row = snp.where(_finite(found), 0, state["in_a_row"] + 1)
        return found.watching(snp.where(in_a_row > self.limit, snp.nan, 0.0))

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        return self.inner, gradients, self.inner_state(state), t - state["skipped"]

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        return moving_if(_finite(gradients), parameters, super().moving_all(parameters, gradients, state, t))

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        is_finite = _finite(gradients)

        def step(after: Tensor, before: Tensor) -> Tensor:
            return snp.where(is_finite, after, before)

        rule, seen, within, step_in = self.inside(parameters, gradients, state, t)
        new, inner = rule.update_all(parameters, seen, within, step_in)
        return combined(step, new, parameters), {
            "inner": combined(step, inner, self.inner_state(state)),
            "skipped": step(state["skipped"], state["skipped"] + 1),
            "in_a_row": step(scalar(0.0), state["in_a_row"] + 1),
        }


def _finite(gradients: Parameters) -> Tensor:
    """Whether the loss and every element of every gradient is finite."""
    parts = [*gradients.values()]
    if isinstance(gradients, Gradients):
        parts += [gradients.loss, *(gradients.curvature or {}).values()]
    finite = snp.all(snp.isfinite(parts[0]))
    for x in parts[1:]:
        finite = snp.logical_and(finite, snp.all(snp.isfinite(x)))
    return finite
