"""An exponential moving average of the weights.

Tarvainen & Valpola, 2017, "Mean teachers are better role models: weight-averaged consistency targets improve
semi-supervised deep learning results".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_choice
from spusk.optim.wrappers.wrapper import Wrapper


@dataclass(frozen=True)
class EMA(Wrapper):
    """Exponential moving average of the weights: what any optimizer's steps come to, smoothed.

        w ← inner(w, g)
        w̄ ← βw̄ + (1 − β)w;  w̄₀ = w₀,  or w̄₁ = w₁,  or w̄₀ = 0 and in use is w̄/(1 − βᵗ)

    Source: Tarvainen & Valpola, 2017, "Mean teachers are better role models: weight-averaged consistency
    targets improve semi-supervised deep learning results", section 2.

    The average is what is measured, kept and returned, with nothing to switch (inside PyTorch, `eval()`
    does it); the steps go on from w.

    Args:
        inner: the optimizer; default Adam().
        beta: the decay β in [0, 1); default 0.999: the last thousand steps.
        begin: where the average begins: the "initial" weights (timm), those of the "first" step (torch,
            keras), or nowhere, "debiased" as Adam's means.
        warm_up: True uses min(β, (1 + t)/(10 + t)) in step t, as TensorFlow does with `num_updates`.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 0.0, EMA(SGD(lr=1.0), beta=0.5), steps=3).path.tolist()
    [0.0, -0.5, -1.25, -2.125]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    beta: Hyper = 0.999
    begin: Literal["initial", "first", "debiased"] = "initial"
    warm_up: bool = False

    keeps_state: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"begin": "first"},
        "keras": {"beta": 0.99, "begin": "first"},
        "timm": {"beta": 0.9999},
        "optax": {"begin": "debiased"},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "begin", ("initial", "first", "debiased"))
        if self.warm_up and self.begin == "debiased":
            raise InputError("EMA(begin='debiased', warm_up=True): choose one; either lets the average begin")

    def start_own(self, parameters: Parameters) -> dict[str, Any]:
        if self.begin != "debiased":
            return {"mean": dict(parameters)}
        # The weights that the mean lacks: with them it is the initial weights before the first step.
        return {"mean": {n: snp.zeros_like(w) for n, w in parameters.items()}, "shown": dict(parameters)}

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return dict(state["mean" if self.begin != "debiased" else "shown"])

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        new, inner = self.inner.update_all(parameters, gradients, self.inner_state(state), t)
        used = self.inner.evaluated_all(new, inner)
        beta = snp.minimum(self.beta, (1 + t) / (10 + t)) if self.warm_up else self.beta
        if self.begin == "first":
            beta = snp.where(t == 1, 0, beta)
        mean = {name: beta * m + (1 - beta) * used[name] for name, m in state["mean"].items()}
        if self.begin != "debiased":
            return new, {"inner": inner, "mean": mean}
        shown = {name: m / (1 - beta**t) for name, m in mean.items()}
        return new, {"inner": inner, "mean": mean, "shown": shown}
