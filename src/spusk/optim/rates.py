"""A learning rate for each parameter, where a rule has one for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from spusk.errors import InputError
from spusk.optim.hyper import Hyper


@dataclass(frozen=True)
class Rates:
    """What `lr` is in the rules inside `LayerRates` and `LayerwiseDecay`, while their formulas run.

    `Optimizer.for_parameter` puts one rate in its place. A rule that looks at all parameters together reads
    `self.for_parameter(name).lr` wherever it reads a rate.

    Args:
        by_name: the rate of each parameter, each a number or a scalar Tensor.

    >>> (Rates({"0.weight": 0.1, "0.bias": 0.2}) * 0.5).by_name
    {'0.weight': 0.05, '0.bias': 0.1}
    """

    by_name: Mapping[str, Hyper]

    def __mul__(self, factor: Hyper) -> Rates:
        """All rates times a number."""
        if isinstance(factor, Rates) or getattr(factor, "ndim", 0):
            _refuse()
        return Rates({name: rate * factor for name, rate in self.by_name.items()})

    __rmul__ = __mul__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Rates:
        """What NumPy asks where one of its own numbers stands on the left."""
        if ufunc is not np.multiply or method != "__call__":
            _refuse()
        left, right = inputs
        return self * (right if left is self else left)

    def _refused(self, *others: Any, **options: Any) -> NoReturn:
        _refuse()

    __array__ = _refused  # which is where a Tensor on the left, or a function of spusk.numpy, comes to
    __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = _refused
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _refused
    __matmul__ = __rmatmul__ = _refused
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __pos__ = __abs__ = _refused


def _refuse() -> NoReturn:
    raise InputError(
        "LayerRates and LayerwiseDecay give each parameter a rate of its own, where this rule reads self.lr "
        "for all of them; it must read self.for_parameter(name).lr"
    )
