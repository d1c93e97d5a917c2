"""AdaHessian.

Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney, 2021, "AdaHessian: An adaptive second order optimizer for
machine learning".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.layout import in_order
from spusk.optim.ranges import NOT_NEGATIVE, PART, Range
from spusk.optim.second_order import SecondOrder
from spusk.optim.state import State


@dataclass(frozen=True)
class AdaHessian(SecondOrder):
    """AdaHessian: Adam with the diagonal of the Hessian where Adam has the gradient's square.

        D = the Hessian's diagonal by z∘(Hz), z random signs; of convolutions, the mean over a kernel of |D|
        m ← β₁m + (1 − β₁)g
        v ← β₂v + (1 − β₂)D²
        w ← w − α·m̂/((√v̂)^k + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)

    Source: Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney, 2021, "AdaHessian: An adaptive second order
    optimizer for machine learning", Algorithm 1.

    The numbers, ε = 1e-4 among them, are those of the authors' code for image classification. Their code for
    other uses moreover takes the mean of |D| over each output's row of a matrix. The package
    pytorch_optimizer has ε = 1e-16 and no mean over kernels. A step costs about three gradients.

    Args:
        lr: the learning rate α > 0; default 0.15.
        beta1: the decay β₁ of the mean in [0, 1); default 0.9.
        beta2: the decay β₂ of the mean square in [0, 1); default 0.999.
        eps: ε ≥ 0; default 1e-4.
        hessian_power: k in (0, 1]; default 1.
        spatial: True takes the mean of |D| over the kernel of a weight (kh, kw, in, out).
        out_first: True for weights (out, in, kernel…), as torch has them, False for (kernel…, in, out); None
            (default) is Spusk's order, and in `spusk.interop.torch` torch's.

    >>> from spusk.optim import AdaHessian
    >>> import spusk as sp
    >>> f = lambda x: x[0] ** 2 + 50 * x[1] ** 2
    >>> sp.minimize(f, [1.0, 1.0], AdaHessian(lr=0.5, eps=0.0), steps=1).x  # half of Newton's step
    array([0.5, 0.5])
    """

    lr: Hyper = 0.15
    beta1: Hyper = 0.9
    beta2: Hyper = 0.999
    eps: Hyper = 1e-4
    hessian_power: Hyper = 1.0
    spatial: bool = True
    out_first: bool | None = None

    ranges: ClassVar[Mapping[str, Range]] = {"hessian_power": PART, "eps": NOT_NEGATIVE}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "authors": {},
        "pytorch_optimizer": {"lr": 0.1, "eps": 1e-16, "spatial": False},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        return State(m=snp.zeros_like(w), v=snp.zeros_like(w))

    def update_curved(self, w: Tensor, g: Tensor, h: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        if self.spatial and w.ndim == 4:
            kernel = in_order(w.ndim, self.out_first)[:2]
            h = snp.mean(abs(h), axis=kernel, keepdims=True)
        m = self.beta1 * s.m + (1 - self.beta1) * g
        v = self.beta2 * s.v + (1 - self.beta2) * h * h
        root = snp.sqrt(v / (1 - self.beta2**t))
        bottom = root**self.hessian_power + self.eps
        # Without curvature and gradient there is no step, also with ε = 0.
        step = snp.where(bottom > 0, m / bottom, 0)
        return w - (self.lr / (1 - self.beta1**t)) * step, State(m=m, v=v)
