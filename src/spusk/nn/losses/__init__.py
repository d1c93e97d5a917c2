"""Losses: functions of outputs and targets that return the mean over the examples as a scalar Tensor.

Those of classifiers take scores, not probabilities, so that nothing overflows or is lost to rounding. No
loss broadcasts outputs against targets: shapes are equal, up to a last axis of 1. The loss has the dtype of
the outputs.

>>> from spusk.nn import losses
>>> float(losses.mean_squared([[1.0], [2.0]], [1.0, 4.0]))
2.0
"""

from spusk.nn.losses.catalogue import CATALOGUE, Loss, get, name_of, written
from spusk.nn.losses.classification import binary_cross_entropy, cross_entropy, hinge
from spusk.nn.losses.regression import huber, mean_absolute, mean_squared

__all__ = [
    "CATALOGUE",
    "Loss",
    "binary_cross_entropy",
    "cross_entropy",
    "get",
    "hinge",
    "huber",
    "mean_absolute",
    "mean_squared",
    "name_of",
    "written",
]
