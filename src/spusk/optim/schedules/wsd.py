"""Warm-up, stable, decay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value
from spusk.optim.ranges import check_choice


@dataclass(frozen=True)
class WSD(Schedule):
    """Warm-up, stable, decay: a climb, a plateau that may be as long as one likes, and a short cool-down.

        peak·n/warm_up                       while n < warm_up,  n = t − 1
        peak                                 while n < steps − decay
        final + (peak − final)·shape(p)      p = (n − steps + decay)/decay from 0 to 1, then final
        shape(p): 1 − p ("linear"), 1 − √p ("sqrt"), ½(1 + cos πp) ("cosine"),
                  (final/peak)^p instead of the line above ("exponential")

    Source: Hu et al., 2024, "MiniCPM: Unveiling the potential of small language models with scalable training
    strategies", §4.2.

    The form 1 − √p is the best of those in Hägele, Bakouch, Kosson, Ben Allal, Von Werra & Jaggi, 2024,
    "Scaling laws and compute-optimal training beyond fixed training durations", §3.

    Args:
        peak: the value of the plateau.
        steps: when the final value is reached, > 0; it stays.
        warm_up: length of the climb in steps, ≥ 0; default 0.
        decay: length of the cool-down in steps, > 0; default a fifth of `steps`.
        final: default 0; for "exponential", greater than 0.
        shape: of the cool-down; default "sqrt".

    >>> import numpy as np
    >>> WSD(1.0, steps=8, warm_up=2, decay=4)(np.arange(1, 11)).round(2).tolist()
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.29, 0.13, 0.0, 0.0]
    """

    peak: Hyper
    steps: Hyper
    warm_up: Hyper = 0.0
    decay: Hyper | None = None
    final: Hyper = 0.0
    shape: Literal["sqrt", "linear", "cosine", "exponential"] = "sqrt"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "shape", ("sqrt", "linear", "cosine", "exponential"))
        if self.shape == "exponential" and isinstance(self.final, (int, float)) and self.final <= 0:
            raise InputError(f"WSD(final={self.final!r}): an exponential decay needs final greater than 0")
        length = self.steps / 5 if self.decay is None and isinstance(self.steps, Real) else self.decay
        parts = (self.steps, self.warm_up, length)
        if all(isinstance(x, Real) for x in parts) and self.warm_up + length > self.steps:
            raise InputError(
                f"WSD(steps={self.steps!r}): warm_up={self.warm_up!r} and decay={length!r} "
                "are longer together"
            )

    def at(self, t: Tensor) -> Tensor:
        peak, steps, final = value(self.peak, t), value(self.steps, t), value(self.final, t)
        warm_up, n = value(self.warm_up, t), t - 1
        decay = steps / 5 if self.decay is None else value(self.decay, t)
        climb = peak * n / snp.where(warm_up > 0, warm_up, 1)
        p = snp.clip((n - steps + decay) / decay, 0, 1)
        return snp.where(n < warm_up, climb, self._cooled(peak, final, p))

    def _cooled(self, peak: Hyper, final: Hyper, p: Tensor) -> Tensor:
        if self.shape == "exponential":
            return peak * (final / peak) ** p
        shares = {"linear": 1 - p, "sqrt": 1 - snp.sqrt(p), "cosine": 0.5 * (1 + snp.cos(math.pi * p))}
        return final + (peak - final) * shares[self.shape]
