"""Optimizers around optimizers."""

from spusk.optim.wrappers.accumulate import Accumulate
from spusk.optim.wrappers.agc import AGC
from spusk.optim.wrappers.cautious import Cautious
from spusk.optim.wrappers.clip import Clip
from spusk.optim.wrappers.cyclical_lr import CyclicalLR
from spusk.optim.wrappers.ema import EMA
from spusk.optim.wrappers.layer_rates import LayerRates, LayerwiseDecay
from spusk.optim.wrappers.lookahead import Lookahead
from spusk.optim.wrappers.mask import Mask
from spusk.optim.wrappers.partition import Partition
from spusk.optim.wrappers.plateau import Plateau
from spusk.optim.wrappers.sam import SAM
from spusk.optim.wrappers.skip_non_finite import SkipNonFinite
from spusk.optim.wrappers.swa import SWA
from spusk.optim.wrappers.weight_decay import WeightDecay
from spusk.optim.wrappers.wrapper import Wrapper

__all__ = [
    "AGC",
    "EMA",
    "SAM",
    "SWA",
    "Accumulate",
    "Cautious",
    "Clip",
    "CyclicalLR",
    "LayerRates",
    "LayerwiseDecay",
    "Lookahead",
    "Mask",
    "Partition",
    "Plateau",
    "SkipNonFinite",
    "WeightDecay",
    "Wrapper",
]
