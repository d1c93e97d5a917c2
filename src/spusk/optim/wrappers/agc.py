"""Adaptive gradient clipping.

Brock, De, Smith & Simonyan, 2021, "High-performance large-scale image recognition without normalization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.layout import in_order
from spusk.optim.objective import Parameters, replaced
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import POSITIVE, Range
from spusk.optim.wrappers.wrapper import Inside, Wrapper


@dataclass(frozen=True)
class AGC(Wrapper):
    """Adaptive gradient clipping: a unit's gradient is at most a share of the norm of the unit's weights.

        if ‖G‖/‖W‖* > λ:  G ← λ·(‖W‖*/‖G‖)·G,  ‖W‖* = max(‖W‖, ε),  for every unit

    Source: Brock, De, Smith & Simonyan, 2021, "High-performance large-scale image recognition without
    normalization", section 4.

    A unit is what leads to one output: a column of a weight (in, out), a filter of (kh, kw, in, out). A
    bias is a unit as a whole, as in the authors' code. Torch's weights are (out, in, kh, kw): timm's units
    are the same. The paper leaves the last layer unclipped (§4.1): `Partition({"4.*": Adam(), "*":
    AGC(Adam())})`.

    Args:
        inner: the optimizer that is given the clipped gradients; default Adam().
        clip: λ > 0; default 0.01, the paper's for batches of 1024 to 4096 (§5.1). The larger the batch, the
            smaller λ must be (§4.1).
        eps: ε > 0, so that weights of zero can leave it; default 1e-3.
        out_first: True for weights (out, in, kernel…), as torch has them, False for (kernel…, in, out); None
            (default) is Spusk's order, and in `spusk.interop.torch` torch's.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: 9 * x, 2.0, AGC(SGD(lr=1.0), clip=0.25), steps=2).path.tolist()
    [2.0, 1.5, 1.125]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    clip: Hyper = 0.01
    eps: Hyper = 1e-3
    out_first: bool | None = None

    ranges: ClassVar[Mapping[str, Range]] = {"clip": POSITIVE, "eps": POSITIVE}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"timm": {}, "optax": {}}

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        clipped = {name: self._clipped(w, gradients[name]) for name, w in parameters.items()}
        return self.inner, replaced(gradients, clipped), state, t

    def _clipped(self, w: Tensor, g: Tensor) -> Tensor:
        bound = self.clip * snp.maximum(self._unit_norm(w), self.eps)
        return g * (bound / snp.maximum(self._unit_norm(g), bound))

    def _unit_norm(self, x: Tensor) -> Tensor:
        """The norm of each unit, with axes of length 1 for those that it has been taken over."""
        axes = in_order(x.ndim, self.out_first)[:-1] if x.ndim > 1 else range(x.ndim)
        return snp.sqrt(snp.sum(x * x, axis=tuple(axes), keepdims=True))
