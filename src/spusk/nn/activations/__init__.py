"""Activations: each a function of Tensors and, beside it in its file, a layer that applies the function.

All of them work at ±1e4 and beyond without overflow, in value and in gradients of first and second order.
"""

from spusk.nn.activations.normalised import LogSoftmax, Softmax, log_softmax, softmax
from spusk.nn.activations.rectified import ELU, LeakyReLU, ReLU, elu, leaky_relu, relu
from spusk.nn.activations.smooth import GELU, SiLU, Softplus, gelu, silu, softplus
from spusk.nn.activations.squashing import Sigmoid, Tanh, sigmoid, tanh

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
