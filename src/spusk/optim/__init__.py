"""Optimizers: update rules as formulas, schedules for their hyperparameters, wrappers around them."""

from spusk.optim import schedules, wrappers
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
from spusk.optim.catalogue import CATALOGUE, LECTURE, SCHEDULES, get
from spusk.optim.dadapt_adam import DAdaptAdam
from spusk.optim.dadapt_sgd import DAdaptSGD
from spusk.optim.dog import DoG, DoWG
from spusk.optim.ftrl import FTRL
from spusk.optim.gradient_descent import GradientDescent
from spusk.optim.grams import Grams
from spusk.optim.hyper import Hyper, Schedule
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
from spusk.optim.objective import Gradients, Objective
from spusk.optim.optimizer import Optimizer
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
from spusk.optim.second_order import SecondOrder
from spusk.optim.sgd import SGD
from spusk.optim.sgdw import SGDW
from spusk.optim.shampoo import Shampoo
from spusk.optim.signsgd import SignSGD
from spusk.optim.soap import SOAP
from spusk.optim.solvers import LBFGS, SOLVERS, Solver, TrustRegion, solver
from spusk.optim.sophia_h import SophiaH
from spusk.optim.state import State
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
    Wrapper,
)
from spusk.optim.yogi import Yogi

__all__ = [
    "ADOPT",
    "AGC",
    "ASGD",
    "CATALOGUE",
    "EMA",
    "FTRL",
    "LAMB",
    "LARS",
    "LBFGS",
    "LECTURE",
    "MADGRAD",
    "MARS",
    "REX",
    "SAM",
    "SCHEDULES",
    "SGD",
    "SGDW",
    "SOAP",
    "SOLVERS",
    "SWA",
    "WSD",
    "AMSGrad",
    "Accumulate",
    "AdEMAMix",
    "AdaBelief",
    "AdaHessian",
    "AdaMax",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adan",
    "Cautious",
    "Clip",
    "Constant",
    "Cosine",
    "CyclicalLR",
    "DAdaptAdam",
    "DAdaptSGD",
    "DoG",
    "DoWG",
    "ExpRange",
    "ExponentialDecay",
    "GradientDescent",
    "Gradients",
    "Grams",
    "Hyper",
    "InverseSqrt",
    "InverseTime",
    "Join",
    "LaProp",
    "LayerRates",
    "LayerwiseDecay",
    "Lion",
    "Lookahead",
    "Mask",
    "Momentum",
    "MultiStep",
    "Muon",
    "Nadam",
    "Nesterov",
    "NovoGrad",
    "Objective",
    "OneCycle",
    "Optimizer",
    "PSGDKron",
    "Partition",
    "Piecewise",
    "Plateau",
    "Polynomial",
    "Prodigy",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Schedule",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "SecondOrder",
    "Shampoo",
    "SignSGD",
    "SkipNonFinite",
    "Solver",
    "SophiaH",
    "State",
    "StepDecay",
    "Triangular",
    "Triangular2",
    "TrustRegion",
    "WarmRestarts",
    "WarmUp",
    "WeightDecay",
    "Wrapper",
    "Yogi",
    "get",
    "schedules",
    "solver",
    "wrappers",
]
