"""Architecture and losses.

A layer is a description: a frozen dataclass that says which parameters it has and what it computes from
them. It holds no weights, so one network can be trained many times at once, and is compared, hashed and
pickled like any value. The weights are a mapping from names to arrays.

>>> import numpy as np
>>> from spusk import nn
>>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), head=nn.Linear(3, 1))
>>> [p.name for p in net.parameters()]
['0.weight', '0.bias', 'head.weight', 'head.bias']
>>> weights = {p.name: np.ones(p.shape, np.float32) for p in net.parameters()}
>>> net(weights, [[1.0, 2.0]]).numpy()
array([[13.]], dtype=float32)

Losses are functions in `nn.losses`. To write a layer of your own, see `nn.Layer`.
"""

from spusk.nn import losses
from spusk.nn.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from spusk.nn.config import from_config, to_config
from spusk.nn.dropout import Dropout
from spusk.nn.flatten import Flatten
from spusk.nn.function import Lambda
from spusk.nn.layer import Layer
from spusk.nn.linear import Linear
from spusk.nn.parameter import Parameter
from spusk.nn.residual import Residual
from spusk.nn.scope import Scope
from spusk.nn.sequential import Sequential

__all__ = [
    "ELU",
    "GELU",
    "Dropout",
    "Flatten",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Parameter",
    "ReLU",
    "Residual",
    "Scope",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "elu",
    "from_config",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "losses",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "to_config",
]
