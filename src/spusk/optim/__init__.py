"""Optimizers: update rules as formulas, schedules for their hyperparameters, wrappers around them."""

from spusk.optim.hyper import Hyper, Schedule
from spusk.optim.momentum import Momentum
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State

__all__ = ["Hyper", "Momentum", "Optimizer", "Schedule", "State"]
