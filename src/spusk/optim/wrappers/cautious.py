"""Cautious optimizers.

Liang, Chen, Liu & Liu, 2024, "Cautious optimizers: Improving training with one line of code".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, SHARE, Range
from spusk.optim.wrappers.wrapper import Wrapper


@dataclass(frozen=True)
class Cautious(Wrapper):
    """Cautious steps: where an optimizer's step does not go against the gradient, it is not taken.

        u = w − inner(w, g)
        φ = [u∘g > 0],  a parameter of d elements
        w ← w − d/(max(Σφ, μd) + ξ)·φ∘u

    Source: Liang, Chen, Liu & Liu, 2024, "Cautious optimizers: Improving training with one line of code",
    Algorithms 1 and 2.

    Only the step is masked; the inner optimizer's state goes on as without. The authors' code, as timm's,
    has no ξ and lets the share of elements that move count as 1e-3 at least. Decoupled weight decay belongs
    outside: `WeightDecay(Cautious(Adam()))`.

    Args:
        inner: the optimizer, one with momentum; default Adam().
        xi: ξ ≥ 0; default 1.
        floor: the least share μ of elements that counts, in [0, 1]; default 0.

    >>> from spusk.optim import Momentum
    >>> import spusk as sp
    >>> rule = Cautious(Momentum(lr=0.5), xi=0.0)
    >>> sp.minimize(lambda x: x * x, 1.0, rule, steps=3).path.tolist()
    [1.0, 0.0, 0.0, 0.0]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    xi: Hyper = 1.0
    floor: Hyper = 0.0

    ranges: ClassVar[Mapping[str, Range]] = {"xi": NOT_NEGATIVE, "floor": SHARE}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "authors": {"xi": 0.0, "floor": 1e-3},
        "timm": {"xi": 0.0, "floor": 1e-3},
    }

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        new, after = self.inner.update_all(parameters, gradients, state, t)
        return {name: self._masked(w, new[name], gradients[name]) for name, w in parameters.items()}, after

    def _masked(self, w: Tensor, new: Tensor, g: Tensor) -> Tensor:
        u = w - new
        phi = snp.astype(snp.sign(u) * snp.sign(g) > 0, w.dtype)  # u·g of tiny numbers would be 0
        moving, d = snp.sum(phi), prod(w.shape)
        count = snp.maximum(moving, self.floor * d) + self.xi
        return w - (d / snp.where(count > 0, count, 1)) * (phi * u)
