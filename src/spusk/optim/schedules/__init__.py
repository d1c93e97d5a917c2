"""Schedules: hyperparameters as closed-form functions of the step number t = 1, 2, …

With n = t − 1 steps done, every schedule has its starting value at t = 1. Any hyperparameter of an optimizer
may be a schedule, and so may most fields of schedules.

>>> from spusk import optim
>>> optim.Adam(lr=optim.WarmUp(optim.Cosine(1e-3, steps=900), steps=100)).lr(101)
0.001
"""

from spusk.optim.schedules.constant import Constant
from spusk.optim.schedules.cosine import Cosine
from spusk.optim.schedules.exp_range import ExpRange
from spusk.optim.schedules.exponential_decay import ExponentialDecay
from spusk.optim.schedules.inverse_sqrt import InverseSqrt
from spusk.optim.schedules.inverse_time import InverseTime
from spusk.optim.schedules.join import Join
from spusk.optim.schedules.multi_step import MultiStep
from spusk.optim.schedules.one_cycle import OneCycle
from spusk.optim.schedules.piecewise import Piecewise
from spusk.optim.schedules.polynomial import Polynomial
from spusk.optim.schedules.rex import REX
from spusk.optim.schedules.step_decay import StepDecay
from spusk.optim.schedules.triangular import Triangular
from spusk.optim.schedules.triangular2 import Triangular2
from spusk.optim.schedules.warm_restarts import WarmRestarts
from spusk.optim.schedules.warm_up import WarmUp
from spusk.optim.schedules.wsd import WSD

__all__ = [
    "REX",
    "WSD",
    "Constant",
    "Cosine",
    "ExpRange",
    "ExponentialDecay",
    "InverseSqrt",
    "InverseTime",
    "Join",
    "MultiStep",
    "OneCycle",
    "Piecewise",
    "Polynomial",
    "StepDecay",
    "Triangular",
    "Triangular2",
    "WarmRestarts",
    "WarmUp",
]
