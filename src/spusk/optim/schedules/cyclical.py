"""What cyclical schedules share: a wave of triangles."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class Cyclical(Schedule):
    """Base of schedules that swing between two values, with an amplitude that may change.

    Args:
        low: the value at t = 1 and after every whole cycle.
        high: the value in the middle of the first cycle; it may be below `low`.
        half_cycle: in steps, from one to the other, > 0.
    """

    low: Hyper
    high: Hyper
    half_cycle: Hyper

    @abstractmethod
    def scale(self, t: Tensor, cycle: Tensor) -> Any:
        """The amplitude in step t, which lies in the given cycle = 1, 2, …"""

    def at(self, t: Tensor) -> Tensor:
        low, high, half_cycle = value(self.low, t), value(self.high, t), value(self.half_cycle, t)
        n = t - 1
        cycle = snp.floor(1 + n / (2 * half_cycle))
        x = snp.abs(n / half_cycle - 2 * cycle + 1)
        return low + (high - low) * snp.maximum(0, 1 - x) * self.scale(t, cycle)

    def inverse(self, low: Hyper, high: Hyper) -> Self:
        """The mirrored wave, for momentum: `high` where this one is at its low value, and vice versa."""
        return replace(self, low=high, high=low)
