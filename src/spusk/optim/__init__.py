"""Optimizers: update rules as formulas, schedules for their hyperparameters, wrappers around them."""

from typing import TYPE_CHECKING

from spusk.lazy import lazy
from spusk.optim import where

if TYPE_CHECKING:
    from spusk.optim import schedules as schedules
    from spusk.optim import wrappers as wrappers
    from spusk.optim.adabelief import AdaBelief as AdaBelief
    from spusk.optim.adadelta import Adadelta as Adadelta
    from spusk.optim.adafactor import Adafactor as Adafactor
    from spusk.optim.adagrad import Adagrad as Adagrad
    from spusk.optim.adahessian import AdaHessian as AdaHessian
    from spusk.optim.adam import Adam as Adam
    from spusk.optim.adamax import AdaMax as AdaMax
    from spusk.optim.adamw import AdamW as AdamW
    from spusk.optim.adan import Adan as Adan
    from spusk.optim.ademamix import AdEMAMix as AdEMAMix
    from spusk.optim.adopt import ADOPT as ADOPT
    from spusk.optim.amsgrad import AMSGrad as AMSGrad
    from spusk.optim.asgd import ASGD as ASGD
    from spusk.optim.catalogue import CATALOGUE as CATALOGUE
    from spusk.optim.catalogue import LECTURE as LECTURE
    from spusk.optim.catalogue import SCHEDULES as SCHEDULES
    from spusk.optim.catalogue import get as get
    from spusk.optim.dadapt_adam import DAdaptAdam as DAdaptAdam
    from spusk.optim.dadapt_sgd import DAdaptSGD as DAdaptSGD
    from spusk.optim.dog import DoG as DoG
    from spusk.optim.dog import DoWG as DoWG
    from spusk.optim.ftrl import FTRL as FTRL
    from spusk.optim.gradient_descent import GradientDescent as GradientDescent
    from spusk.optim.grams import Grams as Grams
    from spusk.optim.hyper import Hyper as Hyper
    from spusk.optim.hyper import Schedule as Schedule
    from spusk.optim.lamb import LAMB as LAMB
    from spusk.optim.laprop import LaProp as LaProp
    from spusk.optim.lars import LARS as LARS
    from spusk.optim.lion import Lion as Lion
    from spusk.optim.madgrad import MADGRAD as MADGRAD
    from spusk.optim.mars import MARS as MARS
    from spusk.optim.momentum import Momentum as Momentum
    from spusk.optim.muon import Muon as Muon
    from spusk.optim.nadam import Nadam as Nadam
    from spusk.optim.nesterov import Nesterov as Nesterov
    from spusk.optim.novograd import NovoGrad as NovoGrad
    from spusk.optim.objective import Gradients as Gradients
    from spusk.optim.objective import Objective as Objective
    from spusk.optim.optimizer import Optimizer as Optimizer
    from spusk.optim.prodigy import Prodigy as Prodigy
    from spusk.optim.psgd_kron import PSGDKron as PSGDKron
    from spusk.optim.radam import RAdam as RAdam
    from spusk.optim.rmsprop import RMSprop as RMSprop
    from spusk.optim.rprop import Rprop as Rprop
    from spusk.optim.schedule_free import ScheduleFreeAdamW as ScheduleFreeAdamW
    from spusk.optim.schedule_free import ScheduleFreeSGD as ScheduleFreeSGD
    from spusk.optim.schedules import *  # noqa: F403
    from spusk.optim.second_order import SecondOrder as SecondOrder
    from spusk.optim.sgd import SGD as SGD
    from spusk.optim.sgdw import SGDW as SGDW
    from spusk.optim.shampoo import Shampoo as Shampoo
    from spusk.optim.signsgd import SignSGD as SignSGD
    from spusk.optim.soap import SOAP as SOAP
    from spusk.optim.solvers import LBFGS as LBFGS
    from spusk.optim.solvers import SOLVERS as SOLVERS
    from spusk.optim.solvers import Solver as Solver
    from spusk.optim.solvers import TrustRegion as TrustRegion
    from spusk.optim.solvers import solver as solver
    from spusk.optim.sophia_h import SophiaH as SophiaH
    from spusk.optim.state import State as State
    from spusk.optim.wrappers import *  # noqa: F403
    from spusk.optim.yogi import Yogi as Yogi
else:
    __all__, __getattr__, __dir__ = lazy(
        __name__, {**where.RULES, **dict.fromkeys(where.SCHEDULES, "schedules"), **where.PARTS}
    )
