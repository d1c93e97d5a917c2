"""Exponential decay."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """A value that shrinks by the same factor over equal times.

        initial · factor^(n/every),  n = t − 1

    Source: Senior, Heigold, Ranzato & Yang, 2013, "An empirical study of learning rates in deep neural
    networks for speech recognition", the exponential schedule.

    Args:
        initial: the value at t = 1.
        factor: what remains of it after `every` steps, > 0.
        every: in steps, > 0; default 1.

    >>> import numpy as np
    >>> ExponentialDecay(1.0, factor=0.25, every=2)(np.arange(1, 5)).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """

    initial: Hyper
    factor: Hyper
    every: Hyper = 1.0

    def at(self, t: Tensor) -> Tensor:
        initial, factor, every = value(self.initial, t), value(self.factor, t), value(self.every, t)
        return initial * factor ** ((t - 1) / every)
