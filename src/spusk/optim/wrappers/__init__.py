"""Optimizers around optimizers."""

from typing import TYPE_CHECKING

from spusk.lazy import lazy
from spusk.optim.where import WRAPPERS

if TYPE_CHECKING:
    from spusk.optim.wrappers.accumulate import Accumulate as Accumulate
    from spusk.optim.wrappers.agc import AGC as AGC
    from spusk.optim.wrappers.cautious import Cautious as Cautious
    from spusk.optim.wrappers.clip import Clip as Clip
    from spusk.optim.wrappers.cyclical_lr import CyclicalLR as CyclicalLR
    from spusk.optim.wrappers.ema import EMA as EMA
    from spusk.optim.wrappers.layer_rates import LayerRates as LayerRates
    from spusk.optim.wrappers.layer_rates import LayerwiseDecay as LayerwiseDecay
    from spusk.optim.wrappers.lookahead import Lookahead as Lookahead
    from spusk.optim.wrappers.mask import Mask as Mask
    from spusk.optim.wrappers.partition import Partition as Partition
    from spusk.optim.wrappers.plateau import Plateau as Plateau
    from spusk.optim.wrappers.sam import SAM as SAM
    from spusk.optim.wrappers.skip_non_finite import SkipNonFinite as SkipNonFinite
    from spusk.optim.wrappers.swa import SWA as SWA
    from spusk.optim.wrappers.weight_decay import WeightDecay as WeightDecay
    from spusk.optim.wrappers.wrapper import Wrapper as Wrapper
else:
    __all__, __getattr__, __dir__ = lazy(__name__, {**WRAPPERS, "Wrapper": "wrapper"})
