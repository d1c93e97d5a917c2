"""Published training curves on quadratic_deep, as numbers with their sources.

Problem: Schneider, Balles & Hennig, 2019, "DeepOBS: a deep learning optimizer benchmark suite". Curves:
Schmidt, Schneider & Hennig, 2021, "Descending through a crowded valley: benchmarking deep learning
optimizers", one seed each, most of them run in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spusk.optim import (
    SGD,
    AdaBelief,
    Adadelta,
    Adagrad,
    Adam,
    AMSGrad,
    Momentum,
    Nadam,
    Optimizer,
    RAdam,
    RMSprop,
)

SOURCE = 'Schmidt, Schneider & Hennig, 2021, "Descending through a crowded valley" (DeepOBS)'

INITIAL: Mapping[int, float] = {0: 353.446765, 1: 347.358223, 2: 351.840812, 9: 274.101254, 11: 379.299118}
"""The test loss before the first step, of the problem drawn after so many others from one generator."""


@dataclass(frozen=True)
class Curve:
    """A published training.

    Attributes:
        name: as it is named on the command line.
        rule: the optimizer that computes what was run.
        losses: the published test loss after some epochs.
        problem: which of the problems that one generator draws; several runs drew more than one.
    """

    name: str
    rule: Optimizer
    losses: Mapping[int, float]
    problem: int = 0


def _at(*losses: float) -> Mapping[int, float]:
    return dict(zip((1, 10, 50, 100), losses, strict=True))


CURVES: tuple[Curve, ...] = (
    Curve("sgd", SGD(lr=0.01), _at(106.2497, 95.8818, 88.0289, 87.2981)),
    Curve("momentum", Momentum(lr=0.00251, mu=0.99), {100: 87.0701}),
    Curve("adam-0.0398", Adam.like("tf1", lr=0.0398), {100: 87.1201}),
    Curve("adam", Adam.like("tf1", lr=0.001), _at(345.184, 279.436, 137.155, 106.676)),
    Curve("nadam", Nadam.like("tf-contrib", lr=0.001, eps=1e-7), _at(342.686, 276.928, 136.496, 106.560)),
    Curve(
        "radam",
        RAdam(lr=0.001, eps=1e-7, threshold=5.0, at_threshold=True),
        _at(256.908, 250.016, 188.808, 129.540),
    ),
    Curve("adabelief", AdaBelief.like("authors-tf", lr=0.001), _at(256.886, 237.369, 110.192, 102.262)),
    Curve("adagrad", Adagrad(lr=0.01, s0=0.1), _at(306.995, 214.607, 138.167, 122.291), problem=2),
    # TensorFlow's ε is 1e-8.
    Curve(
        "adadelta",
        Adadelta(lr=0.001, rho=0.95, eps=1e-8),
        _at(347.3545, 347.3197, 347.1388, 346.8653),
        problem=1,
    ),
    Curve("amsgrad", AMSGrad.like("torch", lr=0.01), _at(215.281, 108.116, 93.510, 89.727), problem=9),
    Curve(
        "rmsprop", RMSprop.like("tf1", lr=0.001, rho=0.9), _at(362.474, 288.985, 121.839, 107.397), problem=11
    ),
)
