"""Stochastic weight averaging.

Izmailov, Podoprikhin, Garipov, Vetrov & Wilson, 2018, "Averaging weights leads to wider optima and better
generalization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.objective import Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import check_whole
from spusk.optim.wrappers.wrapper import Wrapper


@dataclass(frozen=True)
class SWA(Wrapper):
    """Stochastic weight averaging: the mean of the weights after every c steps of any optimizer.

        w ← inner(w, g)
        up to step s:                w̄ ← w
        in step s + n·c, n = 1, 2…:  w̄ ← (w̄·n + w)/(n + 1)

    Source: Izmailov, Podoprikhin, Garipov, Vetrov & Wilson, 2018, "Averaging weights leads to wider optima
    and better generalization", Algorithm 1.

    The mean is what is measured, kept and returned, with nothing to switch (inside PyTorch, `eval()` does
    it); the steps go on from w. The paper trains s steps as usual, then with a high constant or a cyclical
    rate, such as `SWA(CyclicalLR(SGD(), half_cycle=100), begin=1000, every=200)`. Its c is an epoch or a
    cycle.

    Args:
        inner: the optimizer; default Adam().
        begin: s, the step with whose weights the mean begins, ≥ 0; default 1000. 0 counts the initial ones.
        every: c ≥ 1; default 100.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 0.0, SWA(SGD(lr=1.0), begin=1, every=2), steps=5).path.tolist()
    [0.0, -1.0, -1.0, -2.0, -2.0, -3.0]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    begin: int = 1000
    every: int = 100

    keeps_state: ClassVar[bool] = True
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"torch": {}}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, begin=0, every=1)

    def start_own(self, parameters: Parameters) -> dict[str, Any]:
        return {"mean": dict(parameters)}

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return dict(state["mean"])

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        new, inner = self.inner.update_all(parameters, gradients, self.inner_state(state), t)
        used = self.inner.evaluated_all(new, inner)
        since = t - self.begin
        n = snp.maximum(since / self.every, 0)  # whole where it counts
        counts = (since <= 0) | (since % self.every == 0)
        share = snp.where(counts, 1 / (n + 1), 0)
        return new, {
            "inner": inner,
            "mean": {name: m + share * (used[name] - m) for name, m in state["mean"].items()},
        }
