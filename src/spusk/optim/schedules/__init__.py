"""Schedules: hyperparameters as closed-form functions of the step number t = 1, 2, …

With n = t − 1 steps done, every schedule has its starting value at t = 1. Any hyperparameter of an optimizer
may be a schedule, and so may most fields of schedules.

>>> from spusk import optim
>>> optim.Adam(lr=optim.WarmUp(optim.Cosine(1e-3, steps=900), steps=100)).lr(101)
0.001
"""

from typing import TYPE_CHECKING

from spusk.lazy import lazy
from spusk.optim.where import SCHEDULES

if TYPE_CHECKING:
    from spusk.optim.schedules.constant import Constant as Constant
    from spusk.optim.schedules.cosine import Cosine as Cosine
    from spusk.optim.schedules.exp_range import ExpRange as ExpRange
    from spusk.optim.schedules.exponential_decay import ExponentialDecay as ExponentialDecay
    from spusk.optim.schedules.inverse_sqrt import InverseSqrt as InverseSqrt
    from spusk.optim.schedules.inverse_time import InverseTime as InverseTime
    from spusk.optim.schedules.join import Join as Join
    from spusk.optim.schedules.multi_step import MultiStep as MultiStep
    from spusk.optim.schedules.one_cycle import OneCycle as OneCycle
    from spusk.optim.schedules.piecewise import Piecewise as Piecewise
    from spusk.optim.schedules.polynomial import Polynomial as Polynomial
    from spusk.optim.schedules.rex import REX as REX
    from spusk.optim.schedules.step_decay import StepDecay as StepDecay
    from spusk.optim.schedules.triangular import Triangular as Triangular
    from spusk.optim.schedules.triangular2 import Triangular2 as Triangular2
    from spusk.optim.schedules.warm_restarts import WarmRestarts as WarmRestarts
    from spusk.optim.schedules.warm_up import WarmUp as WarmUp
    from spusk.optim.schedules.wsd import WSD as WSD
else:
    __all__, __getattr__, __dir__ = lazy(__name__, SCHEDULES)
