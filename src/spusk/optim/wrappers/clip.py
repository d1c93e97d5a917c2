"""Gradient clipping by value, by norm and by global norm.

Pascanu, Mikolov & Bengio, 2013, "On the difficulty of training recurrent neural networks".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Parameters, replaced
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, POSITIVE, Range
from spusk.optim.together import total
from spusk.optim.wrappers.wrapper import Inside, Wrapper


@dataclass(frozen=True)
class Clip(Wrapper):
    """Gradient clipping: gradients that are too large are cut, or made shorter, before any rule sees them.

        value c:        g ← max(−c, min(c, g))
        norm c:         g ← g·min(1, c/(‖g‖ + ε)),  for each parameter
        global norm c:  g ← g·min(1, c/(‖ĝ‖ + ε)),  ĝ all gradients together

    Source: Pascanu, Mikolov & Bengio, 2013, "On the difficulty of training recurrent neural networks",
    Algorithm 1.

    What is None is left out. Several bounds may be given; they are applied in the order above. Torch's
    `clip_grad_norm_` has ε = 1e-6, so that a gradient is shorter than c after it; optax and keras have none.
    By value an infinite element becomes ±c, so SkipNonFinite must stand outside, `SkipNonFinite(Clip(…))`, to
    see it. Without any bound it is not trained: that is an error.

    Args:
        inner: the optimizer that is given the clipped gradients; default Adam().
        value: the greatest absolute value of an element > 0; default None.
        norm: the greatest norm of a parameter's gradient > 0; default None.
        global_norm: the greatest norm of all gradients together > 0; default None.
        eps: ε ≥ 0, added to norms; default 0.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: 9 * x, 0.0, Clip(SGD(lr=1.0), global_norm=0.5), steps=2).path.tolist()
    [0.0, -0.5, -1.0]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    value: Hyper = None
    norm: Hyper = None
    global_norm: Hyper = None
    eps: Hyper = 0.0

    ranges: ClassVar[Mapping[str, Range]] = {
        **dict.fromkeys(("value", "norm", "global_norm"), POSITIVE),
        "eps": NOT_NEGATIVE,
    }
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"eps": 1e-6},
        "optax": {},
        "keras": {},
    }

    @property
    def lacking(self) -> str:
        """What is missing, in a sentence; no text if nothing is."""
        has_bound = any(x is not None for x in (self.value, self.norm, self.global_norm))
        return "" if has_bound else "Clip got no limit; give value, norm or global_norm"

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        return self.inner, replaced(gradients, self.clipped(gradients)), state, t

    def clipped(self, gradients: Parameters) -> dict[str, Tensor]:
        """The gradients that the inner optimizer sees."""
        g = dict(gradients)
        if self.value is not None:
            g = {name: snp.maximum(-self.value, snp.minimum(self.value, x)) for name, x in g.items()}
        if self.norm is not None:
            g = {name: x * self._share(self.norm, norm_of([x])) for name, x in g.items()}
        if self.global_norm is not None and g:
            share = self._share(self.global_norm, norm_of(list(g.values())))
            g = {name: x * share for name, x in g.items()}
        return g

    def _share(self, bound: Hyper, norm: Tensor) -> Tensor:
        """min(1, bound/(norm + ε)), also where the norm is 0."""
        return bound / snp.maximum(norm + self.eps, bound)


def norm_of(tensors: list[Tensor]) -> Tensor:
    """The Euclidean norm of all elements together."""
    if not tensors:
        raise InputError("there are no tensors to take the norm of")
    return snp.sqrt(total(x * x for x in tensors))
