"""Optimizers: update rules as formulas, schedules for their hyperparameters, wrappers around them."""

from spusk.optim import schedules, wrappers
from spusk.optim.adabelief import AdaBelief
from spusk.optim.adadelta import Adadelta
from spusk.optim.adafactor import Adafactor
from spusk.optim.adagrad import Adagrad
from spusk.optim.adam import Adam
from spusk.optim.adamax import AdaMax
from spusk.optim.amsgrad import AMSGrad
from spusk.optim.catalogue import CATALOGUE, LECTURE, SCHEDULES, get
from spusk.optim.gradient_descent import GradientDescent
from spusk.optim.hyper import Hyper, Schedule
from spusk.optim.lamb import LAMB
from spusk.optim.lars import LARS
from spusk.optim.momentum import Momentum
from spusk.optim.muon import Muon
from spusk.optim.nadam import Nadam
from spusk.optim.nesterov import Nesterov
from spusk.optim.objective import Gradients, Objective
from spusk.optim.optimizer import Optimizer
from spusk.optim.psgd_kron import PSGDKron
from spusk.optim.radam import RAdam
from spusk.optim.rmsprop import RMSprop
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
from spusk.optim.second_order import SecondOrder
from spusk.optim.sgd import SGD
from spusk.optim.shampoo import Shampoo
from spusk.optim.soap import SOAP
from spusk.optim.solvers import LBFGS, SOLVERS, Solver, TrustRegion, solver
from spusk.optim.state import State
from spusk.optim.wrappers import CyclicalLR, Lookahead, Wrapper

__all__ = [
    "CATALOGUE",
    "LAMB",
    "LARS",
    "LBFGS",
    "LECTURE",
    "REX",
    "SCHEDULES",
    "SGD",
    "SOAP",
    "SOLVERS",
    "WSD",
    "AMSGrad",
    "AdaBelief",
    "AdaMax",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "Constant",
    "Cosine",
    "CyclicalLR",
    "ExpRange",
    "ExponentialDecay",
    "GradientDescent",
    "Gradients",
    "Hyper",
    "InverseSqrt",
    "InverseTime",
    "Join",
    "Lookahead",
    "Momentum",
    "MultiStep",
    "Muon",
    "Nadam",
    "Nesterov",
    "Objective",
    "OneCycle",
    "Optimizer",
    "PSGDKron",
    "Piecewise",
    "Polynomial",
    "RAdam",
    "RMSprop",
    "Schedule",
    "SecondOrder",
    "Shampoo",
    "Solver",
    "State",
    "StepDecay",
    "Triangular",
    "Triangular2",
    "TrustRegion",
    "WarmRestarts",
    "WarmUp",
    "Wrapper",
    "get",
    "schedules",
    "solver",
    "wrappers",
]
