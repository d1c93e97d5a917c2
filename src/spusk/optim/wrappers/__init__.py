"""Optimizers around optimizers."""

from spusk.optim.wrappers.cyclical_lr import CyclicalLR
from spusk.optim.wrappers.lookahead import Lookahead
from spusk.optim.wrappers.wrapper import Wrapper

__all__ = ["CyclicalLR", "Lookahead", "Wrapper"]
