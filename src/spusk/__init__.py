"""Spusk: train neural networks, and find out how to train them."""

from spusk import numpy
from spusk._version import __version__
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
    jit,
    scatter_add,
    stop_gradient,
    value_and_grad,
)

__all__ = [
    "GradientCheck",
    "Tensor",
    "__version__",
    "as_tensor",
    "backprop",
    "check_gradient",
    "evaluate",
    "grad",
    "graph_text",
    "hvp",
    "input",
    "jacobian",
    "jit",
    "numpy",
    "scatter_add",
    "stop_gradient",
    "value_and_grad",
]
