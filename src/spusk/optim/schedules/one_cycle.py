"""The one-cycle policy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value
from spusk.optim.ranges import check_choice


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One climb to a high value and back, then a descent far below the first value.

        p = min(n/steps, 1),  n = t − 1,  start = peak/div,  final = start/final_div
        start → peak    while p < rise
        peak  → start   while p < back
        start → final   while p < 1

    Source: Smith & Topin, 2019, "Super-convergence: Very fast training of neural networks using large
    learning rates", the 1cycle policy.

    With three_phase=False the second descent starts at the peak: peak → final while p < 1. Optax reaches the
    final value after `steps` steps as we do; torch after total_steps − 1, so `OneCycleLR(max_lr, total_steps,
    pct_start)` is `OneCycle(max_lr, total_steps − 1, rise=(pct_start·total_steps − 1)/(total_steps − 1),
    div=25, shape="cosine", three_phase=False)`.

    Args:
        peak: the highest value.
        steps: the length of the whole, > 0; the final value stays afterwards.
        rise: the share of the steps at which the peak is reached, in (0, 1); default 0.45.
        back: the share at which the start value is reached again, in (rise, 1); default 0.9.
        div: peak / start, > 0; default 10.
        final_div: start / final, > 0; default 1e4.
        shape: "linear" (the paper) or "cosine": the form of each part.
        three_phase: False leaves the way back to the start value out.

    >>> import numpy as np
    >>> OneCycle(1.0, steps=10, rise=0.4, back=0.8, div=5, final_div=10)(np.arange(1, 12)).round(2).tolist()
    [0.2, 0.4, 0.6, 0.8, 1.0, 0.8, 0.6, 0.4, 0.2, 0.11, 0.02]
    """

    peak: Hyper
    steps: Hyper
    rise: Hyper = 0.45
    back: Hyper = 0.9
    div: Hyper = 10.0
    final_div: Hyper = 1e4
    shape: Literal["linear", "cosine"] = "linear"
    three_phase: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "shape", ("linear", "cosine"))
        if _is_number(self.rise) and not 0 < self.rise < 1:
            raise InputError(f"OneCycle(rise={self.rise!r}): rise must be greater than 0 and below 1")
        if not self.three_phase:
            return
        if _is_number(self.back) and _is_number(self.rise) and not self.rise < self.back < 1:
            raise InputError(
                f"OneCycle(back={self.back!r}): back must be greater than rise={self.rise!r} and below 1"
            )

    def at(self, t: Tensor) -> Tensor:
        peak, rise, back = value(self.peak, t), value(self.rise, t), value(self.back, t)
        start = peak / value(self.div, t)
        final = start / value(self.final_div, t)
        p = snp.minimum((t - 1) / value(self.steps, t), 1)
        climb = self._part(start, peak, p / rise)
        if not self.three_phase:
            return snp.where(p < rise, climb, self._part(peak, final, (p - rise) / (1 - rise)))
        descent = self._part(peak, start, (p - rise) / (back - rise))
        annealing = self._part(start, final, (p - back) / (1 - back))
        return snp.where(p < rise, climb, snp.where(p < back, descent, annealing))

    def inverse(self, low: Hyper, high: Hyper) -> Self:
        """The mirrored cycle for momentum: from `high` down to `low` > 0 and back to `high`, where it stays.

        >>> import numpy as np
        >>> OneCycle(1.0, steps=4, rise=0.25, back=0.5).inverse(0.5, 1.0)(np.arange(1, 6)).tolist()
        [1.0, 0.5, 1.0, 1.0, 1.0]
        """
        return replace(self, peak=low, div=low / high, final_div=1.0)

    def _part(self, first: Any, last: Any, share: Tensor) -> Tensor:
        if self.shape == "linear":
            return first + (last - first) * share
        return last + 0.5 * (first - last) * (1 + snp.cos(math.pi * share))


def _is_number(hyper: Hyper) -> bool:
    return isinstance(hyper, (int, float))
