"""Every optimizer, layer and loss: 200 steps of training end at the same weights on both backends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import spusk.numpy as snp
from spusk import data, init, nn, optim
from spusk.init import initialise
from spusk.train.programs import Programs

STEPS, BATCH = 200, 8
RNG = np.random.default_rng(0)
CLASSES = data.arrays(RNG.normal(size=(60, 6)), RNG.integers(0, 3, 60))
TWO = data.arrays(RNG.normal(size=(60, 6)), RNG.integers(0, 2, 60))
NUMBERS = data.arrays(RNG.normal(size=(60, 6)), RNG.normal(size=60))


def trained(backend: Any, net: nn.Layer, dataset: data.Dataset, loss: Any, rule: optim.Optimizer) -> Any:
    """The loop after 200 steps of batches in float64."""
    split = dataset.split(0.2, 0, np.dtype("float64"))
    weights = initialise(net.parameters(), init.XavierUniform(), seed=0, dtype=np.dtype("float64"))
    step = Programs(net, loss, backend).step(weights, split, rule, BATCH)
    values = step.first_values(weights, rule)
    values |= {"x": split.train_x, "y": split.train_y, "key": np.array([7, 8], "uint32")}
    rows = np.random.default_rng(1).integers(0, len(split.train_x), (STEPS, BATCH))
    return step.program.run(values, steps=STEPS, each={"rows": rows}, watch="loss")


def assert_same_training(
    net: nn.Layer, dataset: data.Dataset, loss: Any, rule: optim.Optimizer, tolerance: float = 1e-10
) -> None:
    native, reference = (trained(b, net, dataset, loss, rule) for b in ("native", "numpy"))
    assert (native.status, native.steps) == (reference.status, reference.steps) == ("finished", STEPS)
    for name, value in reference.values.items():
        if name.startswith(("parameters/", "state/")):
            np.testing.assert_allclose(
                native.values[name], value, rtol=tolerance, atol=tolerance, err_msg=name
            )
    np.testing.assert_allclose(native.collected["loss"], reference.collected["loss"], rtol=tolerance)


def small(*middle: nn.Layer, outputs: int = 3) -> nn.Layer:
    return nn.Sequential(nn.Linear(6, 5), *(middle or (nn.Tanh(),)), nn.Linear(5, outputs))


RULES = {name: optim.get(name) for name in optim.CATALOGUE}
RULES |= {
    f"{name}.like({library})": kind.like(library)
    for name, kind in ((n, type(rule)) for n, rule in list(RULES.items()))
    for library in kind.presets
}
# Estimated rates (D-Adaptation, Prodigy) grow until training is chaotic: of a change in the 14th digit of the
# first weights, 200 steps make one in the third. With a tenth of them rounding stays rounding.
RULES |= {
    name: replace(rule, lr=0.1, d0=0.01)
    for name, rule in RULES.items()
    if isinstance(rule, (optim.DAdaptAdam, optim.DAdaptSGD, optim.Prodigy))
}
RULES |= {
    "scheduled": optim.Momentum(lr=optim.Cosine(0.05, steps=150), mu=optim.WarmUp(0.9, steps=20)),
    "one cycle": optim.Adam(lr=optim.OneCycle(0.02, steps=180)),
    "lookahead of nadam": optim.Lookahead(optim.Nadam(lr=0.01), k=3),
    "cyclical adam": optim.CyclicalLR(optim.Adam(), 0.001, 0.01, half_cycle=10),
}


ROUNDING = {"soap": 1e-8}
"""Rules whose formula enlarges rounding errors: an eigenbasis is known to the precision over the ridge."""


@pytest.mark.parametrize("name", RULES)
def test_every_optimizer_trains_alike_on_both_backends(name):
    tolerance = ROUNDING.get(name.split(".")[0], 1e-10)
    assert_same_training(small(), CLASSES, nn.losses.cross_entropy, RULES[name], tolerance)


LAYERS = {
    "relu": (nn.ReLU(),),
    "leaky relu": (nn.LeakyReLU(),),
    "elu": (nn.ELU(),),
    "gelu": (nn.GELU(),),
    "silu": (nn.SiLU(),),
    "tanh": (nn.Tanh(),),
    "sigmoid": (nn.Sigmoid(),),
    "softplus": (nn.Softplus(),),
    "softmax": (nn.Softmax(),),
    "log softmax": (nn.LogSoftmax(),),
    "dropout": (nn.ReLU(), nn.Dropout(0.3)),
    "flatten": (nn.Flatten(),),
    "residual": (nn.Residual(nn.Sequential(nn.Linear(5, 5), nn.Tanh())),),
    "lambda": (nn.Lambda(lambda x: snp.sin(x) * x),),
    "none": (nn.Sequential(),),
}


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_trains_alike_on_both_backends(name):
    assert_same_training(small(*LAYERS[name]), CLASSES, nn.losses.cross_entropy, optim.Adam(lr=0.01))


LOSSES = {
    "cross_entropy": (CLASSES, 3),
    "binary_cross_entropy": (TWO, 1),
    "hinge": (CLASSES, 3),
    "mean_squared": (NUMBERS, 1),
    "mean_absolute": (NUMBERS, 1),
    "huber": (NUMBERS, 1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_trains_alike_on_both_backends(name):
    dataset, outputs = LOSSES[name]
    assert_same_training(small(outputs=outputs), dataset, nn.losses.get(name), optim.SGD(lr=0.05))


def test_every_layer_and_loss_is_in_these_tables():
    layers = {
        n for n in nn.__all__ if isinstance(getattr(nn, n), type) and issubclass(getattr(nn, n), nn.Layer)
    }
    tried = {type(part).__name__ for parts in LAYERS.values() for part in parts} | {"Linear"}
    assert layers - {"Layer"} <= tried
    assert set(LOSSES) == set(nn.losses.CATALOGUE)
