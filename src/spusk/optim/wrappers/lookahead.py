"""Lookahead.

Zhang, Lucas, Hinton & Ba, 2019, "Lookahead optimizer: k steps forward, 1 step back".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper, members
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_choice, check_whole
from spusk.optim.wrappers.accumulate import Accumulate
from spusk.optim.wrappers.trees import combined
from spusk.optim.wrappers.wrapper import Inside, Wrapper


@dataclass(frozen=True)
class Lookahead(Wrapper):
    """Lookahead: slow weights that go part of the way after every k steps of any optimizer.

        fast ← inner(fast, ∇L)
        every k steps: slow ← slow + α(fast − slow);  fast ← slow

    Source: Zhang, Lucas, Hinton & Ba, 2019, "Lookahead optimizer: k steps forward, 1 step back",
    Algorithm 1.

    The slow weights are the result, as in the Algorithm: they are what is measured and kept, and the same as
    the fast ones after every k-th step. An average that the inner optimizer keeps (EMA) comes before them.
    Timm begins with slow weights that equal the fast ones of step k, so its first synchronisation does
    nothing. In the authors' code for torch, "interpolate" does nothing either (its cached momentum is the
    live buffer), and "reset" clears momentum only.

    Args:
        inner: the optimizer that takes the fast steps, any one, another wrapper too; default Adam().
        k: how many fast steps between synchronisations, ≥ 1; default 5.
        alpha: the slow step α in (0, 1]; default 0.5; 1 is the inner optimizer itself.
        state: what a synchronisation does to the inner optimizer's state: "keep" it; "reset" it, whose
            step number t begins anew as well (schedules go on); or "interpolate" it as the weights. Around
            `Accumulate`, whose sums a reset clears, k must be a multiple of its k.
        use: "slow" or "fast", which weights are measured, kept and returned.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 0.0, Lookahead(SGD(lr=1.0), k=2), steps=4).path.tolist()
    [0.0, 0.0, -1.0, -1.0, -2.0]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    k: int = 5
    alpha: Hyper = 0.5
    state: Literal["keep", "reset", "interpolate"] = "keep"
    use: Literal["slow", "fast"] = "slow"

    keeps_state: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optax": {},
        "authors": {"alpha": 0.8},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "state", ("keep", "reset", "interpolate"))
        check_choice(self, "use", ("slow", "fast"))
        check_whole(self, k=1)
        if self.state == "reset":
            self._refuse_lost_batches(self.inner)

    def _refuse_lost_batches(self, content: Any, batches: int = 1) -> None:
        """A reset in the middle of an accumulation would throw its gradients away."""
        if isinstance(content, Accumulate):
            batches *= content.k
            if self.k % batches:
                raise InputError(
                    f'Lookahead(k={self.k}, state="reset") around steps of {batches} batches each: a reset '
                    f"in the middle of a step would throw batches away; k must be a multiple of {batches}"
                )
        inside = vars(content) if isinstance(content, Optimizer) else members(content)
        for part in inside.values():
            self._refuse_lost_batches(part, batches)

    def start_own(self, parameters: Parameters) -> dict[str, Any]:
        own: dict[str, Any] = {"slow": dict(parameters)}
        return own | {"inner_slow": self.inner.start_all(parameters)} if self.state == "interpolate" else own

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        return super().gradients_all(objective, parameters, state, self.inner_step(t))

    def inner_step(self, t: Tensor) -> Tensor:
        """The number of the step as the inner optimizer counts it."""
        return (t - 1) % self.k + 1 if self.state == "reset" else t

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        used = super().evaluated_all(parameters, state)
        if self.use == "fast":
            return used
        slow = state["slow"]
        return {name: slow[name] if used[name] is w else used[name] for name, w in parameters.items()}

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        return self.inner, gradients, self.inner_state(state), self.inner_step(t)

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        rule, seen, within, step_in = self.inside(parameters, gradients, state, t)
        fast, inner = rule.update_all(parameters, seen, within, step_in)
        is_time = t % self.k == 0

        def synchronised(slow: Tensor, fast: Tensor) -> Tensor:
            return snp.where(is_time, slow + self.alpha * (fast - slow), slow)

        def followed(slow: Tensor, fast: Tensor) -> Tensor:
            return snp.where(is_time, slow, fast)

        slow = combined(synchronised, state["slow"], fast)
        fast = combined(followed, slow, fast)
        if self.state == "reset":
            inner = combined(followed, self.inner.start_all(fast), inner)
        if self.state != "interpolate":
            return fast, {"inner": inner, "slow": slow}
        inner_slow = combined(synchronised, state["inner_slow"], inner)
        inner = combined(followed, inner_slow, inner)
        return fast, {"inner": inner, "slow": slow, "inner_slow": inner_slow}
