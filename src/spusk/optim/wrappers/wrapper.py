"""What a wrapper is: an optimizer around another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeAlias

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer

Inside: TypeAlias = tuple[Optimizer, Parameters, Mapping[str, Any], Tensor]
"""The rule that takes a step inside a wrapper; the gradients, state and step number that are given to it."""


@dataclass(frozen=True)
class Wrapper(Optimizer):
    """Base of optimizers that hold another one in `inner`; as it stands it does what `inner` does.

    The learning rate, the grid of rates to compare and the use of the full batch are those of `inner`.

    Class attributes:
        keeps_state: True if the wrapper has state of its own. Its state then is the mapping that
            `start_own` returns, with the state of `inner` beside it under that name. `inner_state` finds it
            in either case.
    """

    keeps_state: ClassVar[bool] = False

    inner: Optimizer

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.inner, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"{type(self).__name__}(inner={self.inner!r}): inner must be an optimizer, such as Adam()"
            )

    @property
    def lr_grid(self) -> tuple[float, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.lr_grid

    @property
    def full_batch(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.full_batch

    @property
    def needs_curvature(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.needs_curvature

    @property
    def needs_names(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.needs_names

    def rates_of(self, parameters: Parameters) -> dict[str, Hyper]:
        return self.inner.rates_of(parameters)

    def trained(self, names: Iterable[str]) -> list[str]:
        return self.inner.trained(names)

    def with_lr(self, lr: Hyper) -> Self:
        """The same wrapper around `inner` with another learning rate."""
        return replace(self, inner=self.inner.with_lr(lr))

    # --- state ------------------------------------------------------------------------------------

    def start_own(self, parameters: Parameters) -> dict[str, Any]:
        """What the wrapper itself keeps, by name, before the first step; only if `keeps_state`."""
        return {}

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        inner = self.inner.start_all(parameters)
        return {"inner": inner, **self.start_own(parameters)} if self.keeps_state else inner

    def inner_state(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """The state of `inner` within the wrapper's state."""
        return state["inner"] if self.keeps_state else state

    # --- what inner does --------------------------------------------------------------------------

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self.inner.point_all(parameters, self.inner_state(state))

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        return self.inner.gradients_all(objective, parameters, self.inner_state(state), t)

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self.inner.evaluated_all(parameters, self.inner_state(state))

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        """What takes the step inside, and what it is given: `inner`, unless overridden, as the wrapper is."""
        return self.inner, gradients, self.inner_state(state), t

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The step inside; a wrapper that keeps state of its own says how that goes on."""
        if self.keeps_state:
            raise InputError(f"{type(self).__name__} keeps state and does not define update_all")
        rule, seen, within, step_in = self.inside(parameters, gradients, state, t)
        return rule.update_all(parameters, seen, within, step_in)

    def moving_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> dict[str, Tensor]:
        rule, seen, within, step_in = self.inside(parameters, gradients, state, t)
        return rule.moving_all(parameters, seen, within, step_in)


def moving_if(condition: Tensor, names: Iterable[str], inside: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Whether each parameter is moved, if all are only under a condition; `inside` is what `inner` says."""
    return {n: snp.logical_and(condition, inside[n]) if n in inside else condition for n in names}
