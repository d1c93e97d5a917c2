"""Linear warm-up."""

from __future__ import annotations

from dataclasses import dataclass

import spusk.numpy as snp
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper, Schedule, value


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A linear climb to another schedule's first value (or to a number), which then takes over.

        start + (then(1) − start)·n/steps   for n < steps,  n = t − 1
        then(t − steps)                     from there on

    Source: Goyal, Dollár, Girshick, Noordhuis, Wesolowski, Kyrola, Tulloch, Jia & He, 2017, "Accurate, large
    minibatch SGD: Training ImageNet in 1 hour", §2.2.

    Args:
        then: a number, or the schedule that begins after the climb.
        steps: the length of the climb, > 0.
        start: the value at t = 1; default 0, with which a learning rate makes no first step.

    >>> import numpy as np
    >>> from spusk.optim import StepDecay
    >>> WarmUp(StepDecay(1.0, every=2, factor=0.5), steps=2, start=0.5)(np.arange(1, 7)).tolist()
    [0.5, 0.75, 1.0, 1.0, 0.5, 0.5]
    """

    then: Hyper
    steps: Hyper
    start: Hyper = 0.0

    def at(self, t: Tensor) -> Tensor:
        steps, start = value(self.steps, t), value(self.start, t)
        then = value(self.then, snp.maximum(t - steps, 1))  # during the climb: its first value
        return snp.where(t - 1 < steps, start + (then - start) * (t - 1) / steps, then)
