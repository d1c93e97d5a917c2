"""Every optimizer of Spusk as a `torch.optim.Optimizer`.

optimizer = spusk.interop.torch.Optimizer(optim.RAdam(lr=1e-3), model.parameters())
"""

from spusk.interop.torch.optimizer import Optimizer

__all__ = ["Optimizer"]
