"""A wrapper that averages, as small as can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spusk.optim import Wrapper


@dataclass(frozen=True)
class Average(Wrapper):
    """The mean of all weights so far, the first ones included."""

    keeps_state: ClassVar[bool] = True

    def start_own(self, parameters):
        return {"mean": dict(parameters)}

    def evaluated_all(self, parameters, state):
        return dict(state["mean"])

    def update_all(self, parameters, gradients, state, t):
        new, inner = self.inner.update_all(parameters, gradients, self.inner_state(state), t)
        mean = {name: m + (new[name] - m) / (t + 1) for name, m in state["mean"].items()}
        return new, {"inner": inner, "mean": mean}
