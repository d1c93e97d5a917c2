"""Optimizers and schedules by name, as the command line and `sp.train` take them."""

from __future__ import annotations

from typing import Any

from spusk.errors import InputError, closest
from spusk.optim.adabelief import AdaBelief
from spusk.optim.adadelta import Adadelta
from spusk.optim.adafactor import Adafactor
from spusk.optim.adagrad import Adagrad
from spusk.optim.adahessian import AdaHessian
from spusk.optim.adam import Adam
from spusk.optim.adamax import AdaMax
from spusk.optim.adamw import AdamW
from spusk.optim.adan import Adan
from spusk.optim.ademamix import AdEMAMix
from spusk.optim.adopt import ADOPT
from spusk.optim.amsgrad import AMSGrad
from spusk.optim.asgd import ASGD
from spusk.optim.dadapt_adam import DAdaptAdam
from spusk.optim.dadapt_sgd import DAdaptSGD
from spusk.optim.dog import DoG, DoWG
from spusk.optim.ftrl import FTRL
from spusk.optim.gradient_descent import GradientDescent
from spusk.optim.grams import Grams
from spusk.optim.hyper import Schedule
from spusk.optim.lamb import LAMB
from spusk.optim.laprop import LaProp
from spusk.optim.lars import LARS
from spusk.optim.lion import Lion
from spusk.optim.madgrad import MADGRAD
from spusk.optim.mars import MARS
from spusk.optim.momentum import Momentum
from spusk.optim.muon import Muon
from spusk.optim.nadam import Nadam
from spusk.optim.nesterov import Nesterov
from spusk.optim.novograd import NovoGrad
from spusk.optim.optimizer import Optimizer
from spusk.optim.plugins import plugin, plugin_names
from spusk.optim.prodigy import Prodigy
from spusk.optim.psgd_kron import PSGDKron
from spusk.optim.radam import RAdam
from spusk.optim.rmsprop import RMSprop
from spusk.optim.rprop import Rprop
from spusk.optim.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from spusk.optim.schedules import (
    REX,
    WSD,
    Constant,
    Cosine,
    ExponentialDecay,
    ExpRange,
    InverseSqrt,
    InverseTime,
    Join,
    MultiStep,
    OneCycle,
    Piecewise,
    Polynomial,
    StepDecay,
    Triangular,
    Triangular2,
    WarmRestarts,
    WarmUp,
)
from spusk.optim.sgd import SGD
from spusk.optim.sgdw import SGDW
from spusk.optim.shampoo import Shampoo
from spusk.optim.signsgd import SignSGD
from spusk.optim.soap import SOAP
from spusk.optim.solvers import solver
from spusk.optim.sophia_h import SophiaH
from spusk.optim.wrappers import (
    AGC,
    EMA,
    SAM,
    SWA,
    Accumulate,
    Cautious,
    Clip,
    CyclicalLR,
    LayerRates,
    LayerwiseDecay,
    Lookahead,
    Mask,
    Partition,
    Plateau,
    SkipNonFinite,
    WeightDecay,
)
from spusk.optim.yogi import Yogi

_OF_THE_LECTURE: tuple[type[Optimizer], ...] = (
    GradientDescent,
    SGD,
    Momentum,
    Nesterov,
    Adagrad,
    RMSprop,
    Adadelta,
    Adam,
    AdaMax,
    Nadam,
    RAdam,
    Lookahead,
    CyclicalLR,
)

_OF_THE_FIELD: tuple[type[Optimizer], ...] = (
    AMSGrad,
    AdaBelief,
    AdamW,
    SGDW,
    SignSGD,
    Lion,
    LaProp,
    Yogi,
    Adan,
    ADOPT,
    AdEMAMix,
    Rprop,
    FTRL,
    MADGRAD,
    MARS,
    Grams,
    NovoGrad,
    ASGD,
    ScheduleFreeSGD,
    ScheduleFreeAdamW,
    Prodigy,
    DAdaptAdam,
    DAdaptSGD,
    DoG,
    DoWG,
)

_LAYERWISE_AND_MATRIX: tuple[type[Optimizer], ...] = (
    LARS,
    LAMB,
    Muon,
    Adafactor,
    Shampoo,
    SOAP,
    PSGDKron,
)

_SECOND_ORDER: tuple[type[Optimizer], ...] = (
    AdaHessian,
    SophiaH,
)

_WRAPPERS: tuple[type[Optimizer], ...] = (
    Clip,
    AGC,
    WeightDecay,
    Accumulate,
    EMA,
    SWA,
    SkipNonFinite,
    Cautious,
    SAM,
    Partition,
    Mask,
    LayerRates,
    LayerwiseDecay,
    Plateau,
)

_SCHEDULES: tuple[type[Schedule], ...] = (
    Constant,
    StepDecay,
    ExponentialDecay,
    Cosine,
    WarmUp,
    OneCycle,
    Triangular,
    Triangular2,
    ExpRange,
    MultiStep,
    Polynomial,
    WarmRestarts,
    InverseSqrt,
    InverseTime,
    WSD,
    REX,
    Piecewise,
    Join,
)

CATALOGUE: dict[str, type[Optimizer]] = {
    cls.__name__.lower(): cls
    for cls in (*_OF_THE_LECTURE, *_OF_THE_FIELD, *_LAYERWISE_AND_MATRIX, *_SECOND_ORDER, *_WRAPPERS)
}
"""Every optimizer, by its class name in lower case."""

LECTURE: tuple[str, ...] = tuple(cls.__name__.lower() for cls in _OF_THE_LECTURE)
"""The names of the lecture's optimizers, in its order."""

SCHEDULES: dict[str, type[Schedule]] = {cls.__name__.lower(): cls for cls in _SCHEDULES}
"""Every schedule, by its class name in lower case."""


def get(optimizer: Optimizer | type[Optimizer] | str) -> Optimizer:
    """The optimizer that a name or a class stands for, with its defaults; an optimizer stands for itself.

    Args:
        optimizer: an optimizer, its class, or its name in any case, e.g. `"adam"`; after the name there may
            be what differs from the defaults, e.g. `"adam(beta1=0.5)"` or `'adam.like("keras")'`. Of a rule
            of your own, file and class: `"./mine.py:MyRule"`; that file is run. Names that are none of ours
            are looked for in the entry-point group `spusk.optimizers` of installed packages.

    Raises:
        InputError: if no optimizer has that name, it is none of the three, or the file cannot be run.

    >>> get("adam") == Adam()
    True
    >>> get("adamm")
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: unknown optimizer 'adamm'; did you mean 'adam'?
    """
    found: Any = optimizer
    if solver(optimizer):
        raise InputError(
            f"{optimizer!r} takes as many evaluations for a step as it needs, so it works in sp.minimize only"
        )
    if isinstance(optimizer, str):
        from spusk.optim.text import OWN, read  # it reads this catalogue

        is_name = "(" not in optimizer and not OWN.search(optimizer)
        return known_rule(optimizer)() if is_name else read(optimizer)
    if isinstance(found, type) and issubclass(found, Optimizer):
        found = found()
    if not isinstance(found, Optimizer):
        raise InputError(
            f"{optimizer!r} is not an optimizer; give one, such as Adam(), its class or its name"
        )
    return found


def known_rule(name: str) -> type[Optimizer]:
    """The class that a name in any case stands for: one of ours, or one that another package registers.

    Raises:
        InputError: if there is none.
    """
    ours = CATALOGUE.get(name.lower())
    if ours is not None:
        return ours
    theirs = plugin(name)
    if theirs is None:
        raise InputError(f"unknown optimizer {name!r}{closest(name, [*CATALOGUE, *plugin_names()])}")
    return theirs.rule
