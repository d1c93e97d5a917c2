"""Training: the step as one graph, the loop around it, and what it leaves."""

from spusk.train.loop import train
from spusk.train.metrics import accuracy, r2
from spusk.train.minimize import Minimum, minimize
from spusk.train.model import Model, load
from spusk.train.run import Run
from spusk.train.step import DescentStep, descent_step

__all__ = [
    "DescentStep",
    "Minimum",
    "Model",
    "Run",
    "accuracy",
    "descent_step",
    "load",
    "minimize",
    "r2",
    "train",
]
