"""Adafactor.

Shazeer & Stern, 2018, "Adafactor: Adaptive learning rates with sublinear memory cost".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.layout import in_order
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class Adafactor(Optimizer):
    """Adafactor: mean squares kept by rows and columns only, and steps in proportion to the weights.

        β̂ = 1 − t^−c,  ρ = min(α, 1/√t)
        R ← β̂R + (1 − β̂)·mean over columns(G² + ε₁),  C ← β̂C + (1 − β̂)·mean over rows(G² + ε₁)
        V̂ = RC/mean(R);  of vectors V̂ ← β̂V̂ + (1 − β̂)(G² + ε₁)
        U = G/√V̂,  Û = U/max(1, RMS(U)/d)
        X ← X − max(ε₂, RMS(X))·ρ·Û

    Source: Shazeer & Stern, 2018, "Adafactor: Adaptive learning rates with sublinear memory cost",
    Algorithms 4 and 5, with the hyperparameters of Algorithm 6.

    A matrix of n rows and m columns keeps n + m numbers. Of parameters with more axes the last two are
    factored, inputs and outputs of a convolution (kh, kw, in, out). R and C are means where the paper has
    sums; V̂ is the same. The learning rate is the paper's greatest relative step, 0.01.

    Torch adds no ε₁ to G²: mean(R) is at least ε₁, and √V̂ at least ε₁, which is the machine epsilon of the
    dtype (the preset has float32's). It factors the last two axes, too, which in its convolutions
    (out, in, kh, kw) are the kernel's. Optax multiplies by the learning rate alone, without 1/√t, and
    factors the two largest axes if both are at least 128 long; timm inputs and outputs if both are longer
    than 16. Optax computes β̂ in float32.

    Args:
        lr: the greatest relative step α > 0; default 0.01.
        decay_rate: the exponent c of the decay, > 0; default 0.8.
        eps: ε₁ ≥ 0; default 1e-30.
        eps_rms: ε₂, the least scale of a parameter, ≥ 0; default 0.001.
        threshold: d, the RMS to which U is clipped, > 0; default 1.
        beta1: the decay β₁ in [0, 1) of a running mean of the steps, which costs as much memory as the
            weights; None (default) takes the steps themselves.
        weight_decay: decoupled decay λ ≥ 0, X ← (1 − αλ)X before the step; default 0.
        relative_step: False takes ρ = α in all steps.
        scale_by_rms: False multiplies by ρ alone.
        clamp: True takes ε₁ as a lower bound of mean(R) and √V̂, and adds it to nothing.
        min_size: axes shorter than this are not factored; default 1.
        largest_axes: True factors the two longest axes instead of inputs and outputs.
        out_first: True for weights (out, in, kernel…), as torch has them, False for (kernel…, in, out); None
            (default) is Spusk's order, and in `spusk.interop.torch` torch's.

    >>> import spusk as sp
    >>> rule = Adafactor(lr=0.5)  # each step is half of the weights' RMS, until 1/√t is less
    >>> sp.minimize(lambda x: 3 * x, 8.0, rule, steps=3).path.tolist()
    [8.0, 4.0, 2.0, 1.0]
    """

    lr: Hyper = 0.01
    decay_rate: Hyper = 0.8
    eps: Hyper = 1e-30
    eps_rms: Hyper = 0.001
    threshold: Hyper = 1.0
    beta1: Hyper = None
    weight_decay: Hyper = 0.0
    relative_step: bool = True
    scale_by_rms: bool = True
    clamp: bool = False
    min_size: int = 1
    largest_axes: bool = False
    out_first: bool | None = None

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"eps": 2.0**-23, "clamp": True, "out_first": False},
        "optax": {"relative_step": False, "min_size": 128, "largest_axes": True},
        "keras": {"lr": 0.001},
        "timm": {"min_size": 17},
    }
    lr_grid: ClassVar[tuple[float, ...]] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def start(self, w: Tensor) -> State:
        kept: dict[str, Any] = {} if self.beta1 is None else {"m": snp.zeros_like(w)}
        axes = self._axes(w)
        if axes is None:
            return State(v=snp.zeros_like(w), **kept)
        rows, columns = (snp.zeros_like(snp.sum(w, axis=axis, keepdims=True)) for axis in reversed(axes))
        return State(r=rows, c=columns, **kept)

    def update(self, w: Tensor, g: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        beta = 1 - t**-self.decay_rate
        square = g * g if self.clamp else g * g + self.eps
        axes = self._axes(w)
        if axes is None:
            v = beta * s.v + (1 - beta) * square
            root = snp.sqrt(v)
            state: dict[str, Any] = {"v": v}
        else:
            r, c = (
                beta * old + (1 - beta) * snp.mean(square, axis=axis, keepdims=True)
                for old, axis in zip((s.r, s.c), reversed(axes), strict=True)
            )
            mean = snp.mean(r, axis=axes[0], keepdims=True)
            # √V̂ of both factors by itself: where both have only seen zeros, V̂ itself is 0 in float32.
            root = snp.sqrt(r / (snp.maximum(mean, self.eps) if self.clamp else mean)) * snp.sqrt(c)
            state = {"r": r, "c": c}
        u = g / (snp.maximum(root, self.eps) if self.clamp else root)
        step = self._size(w, t) * (u / snp.maximum(1, rms(u) / self.threshold))
        if self.beta1 is not None:
            step = state["m"] = self.beta1 * s.m + (1 - self.beta1) * step
        return (1 - self.lr * self.weight_decay) * w - step, State(**state)

    def _size(self, w: Tensor, t: Tensor) -> Any:
        """The step's RMS."""
        rho = snp.minimum(self.lr, 1 / snp.sqrt(t)) if self.relative_step else self.lr
        return snp.maximum(self.eps_rms, rms(w)) * rho if self.scale_by_rms else rho

    def _axes(self, w: Tensor) -> tuple[int, int] | None:
        """The axes of rows and columns; None if the parameter is not factored."""
        if w.ndim < 2:
            return None
        order = in_order(w.ndim, self.out_first)
        if self.largest_axes:
            order = sorted(order, key=lambda axis: w.shape[axis])
        axes = (order[-2], order[-1])
        return axes if min(w.shape[axis] for axis in axes) >= self.min_size else None


def rms(x: Tensor) -> Tensor:
    """The root of the mean square of all elements."""
    return snp.sqrt(snp.mean(x * x))
