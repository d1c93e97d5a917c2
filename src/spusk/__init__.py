"""Spusk: train neural networks, and find out how to train them.

The network, its gradient and the optimizer's update rule are one computational graph. `train` trains one
network, `lab.compare` finds out which optimizer and learning rate suit it, `minimize` follows any function
downhill, and `grad`, `backprop` and their kin differentiate.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from spusk import data, init, lab, nn, numpy, optim
from spusk._version import __version__
from spusk.compile import jit
from spusk.errors import DTypeError, GradientError, InputError, ShapeError, SpuskError
from spusk.graph import (
    GradientCheck,
    Tensor,
    as_tensor,
    backprop,
    check_gradient,
    evaluate,
    grad,
    graph_text,
    hvp,
    input,
    jacobian,
    scatter_add,
    stop_gradient,
    value_and_grad,
)
from spusk.train import Minimum, Model, Run, load, minimize, train

if TYPE_CHECKING:
    from spusk import interop as interop


def __getattr__(name: str) -> ModuleType:
    if name == "interop":  # nobody who stays with Spusk needs it
        return import_module("spusk.interop")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DTypeError",
    "GradientCheck",
    "GradientError",
    "InputError",
    "Minimum",
    "Model",
    "Run",
    "ShapeError",
    "SpuskError",
    "Tensor",
    "__version__",
    "as_tensor",
    "backprop",
    "check_gradient",
    "data",
    "evaluate",
    "grad",
    "graph_text",
    "hvp",
    "init",
    "input",
    "jacobian",
    "jit",
    "lab",
    "load",
    "minimize",
    "nn",
    "numpy",
    "optim",
    "scatter_add",
    "stop_gradient",
    "train",
    "value_and_grad",
]
