"""A learning rate for each layer.

Howard & Ruder, 2018, "Universal language model fine-tuning for text classification".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, PART, Range
from spusk.optim.rates import Rates
from spusk.optim.wrappers.leaves import with_leaves
from spusk.optim.wrappers.patterns import check_each_fits, first_fit
from spusk.optim.wrappers.wrapper import Inside, Wrapper


@dataclass(frozen=True)
class ScaledRates(Wrapper):
    """Base of wrappers that multiply the learning rate of each parameter by a factor of its own.

    The rate is multiplied where it is used, in the rules that have one, however deep they lie; these and the
    wrappers around them go on seeing all parameters together.
    """

    needs_names: ClassVar[bool] = True  # pyright: ignore[reportIncompatibleVariableOverride, reportIncompatibleMethodOverride]

    @abstractmethod
    def factors_of(self, names: Iterable[str]) -> dict[str, Hyper]:
        """The factor of each parameter by its name."""

    def rates_of(self, parameters: Parameters) -> dict[str, Hyper]:
        factors = self.factors_of(parameters)
        rates = self.inner.rates_of(parameters)
        return {name: None if rate is None else rate * factors[name] for name, rate in rates.items()}

    def _scaled(self, parameters: Parameters) -> Optimizer:
        factors = self.factors_of(parameters)

        def scaled(leaf: Optimizer) -> Optimizer:
            lr: Any = getattr(leaf, "lr", None)
            if lr is None:
                return leaf.with_lr(1.0)  # which says that there is no lr
            rates = lr.by_name if isinstance(lr, Rates) else dict.fromkeys(factors, lr)
            return leaf.with_lr(Rates({name: rates[name] * factor for name, factor in factors.items()}))

        return with_leaves(self.inner, scaled)

    def start_all(self, parameters: Parameters) -> dict[str, Any]:
        return self._scaled(parameters).start_all(parameters)

    def point_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self._scaled(parameters).point_all(parameters, state)

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        return self._scaled(parameters).gradients_all(objective, parameters, state, t)

    def evaluated_all(self, parameters: Parameters, state: Mapping[str, Any]) -> dict[str, Tensor]:
        return self._scaled(parameters).evaluated_all(parameters, state)

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        return self._scaled(parameters), gradients, state, t


@dataclass(frozen=True)
class LayerRates(ScaledRates):
    """Rates by layer: the learning rate of any optimizer, times a factor for each parameter's name.

        α_w = α·f,  f = the factor whose pattern fits the name of w,  else 1

    Source: Howard & Ruder, 2018, "Universal language model fine-tuning for text classification", section 3.2.

    An exact name beats any glob, an earlier glob a later one. What a rule computes of all parameters together
    (a global norm, a distance gone, which of them is the head) it goes on computing of all.

    Factors are hyperparameters: they can be changed, and scheduled, without building the step anew. With 0 a
    layer takes no steps that the rate is a factor of; a velocity that rates are inside of (`Momentum()`) runs
    out first, and a decay that does not go with the rate (`WeightDecay()`, AdamW, SGDW) goes on. Rprop's rate
    is its first step only, and FTRL divides by its rate: give it no 0. Where a parameter should be left
    alone, `Mask` leaves it to the bit, and saves its gradient and state.

    Args:
        inner: the optimizer; default Adam().
        factors: factors ≥ 0 by name or glob, a mapping or pairs; default none. A pattern that fits no
            parameter is an error.

    >>> from spusk import optim
    >>> rule = LayerRates(optim.Adam(), {"0.*": 0.1})
    >>> optim.hyper.hyperparameters(rule)["factors.0.*"]
    0.1
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    factors: Mapping[str, Hyper] | tuple[tuple[str, Hyper], ...] = ()

    ranges: ClassVar[Mapping[str, Range]] = {"factors": NOT_NEGATIVE}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"torch": {}}

    def __post_init__(self) -> None:
        if isinstance(self.factors, Mapping):
            object.__setattr__(self, "factors", tuple(self.factors.items()))  # which are hashable
        super().__post_init__()

    def factors_of(self, names: Iterable[str]) -> dict[str, Hyper]:
        names, factors = list(names), dict(self.factors)
        check_each_fits("LayerRates", factors, names)
        fitting = {name: first_fit(name, factors) for name in names}
        return {name: 1.0 if pattern is None else factors[pattern] for name, pattern in fitting.items()}


@dataclass(frozen=True)
class LayerwiseDecay(ScaledRates):
    """Layer-wise decay: the further a layer is from the output, the smaller its learning rate.

        α_l = α·γ^(L − l),  layers l = 1 … L from the input to the output

    Source: Howard & Ruder, 2018, "Universal language model fine-tuning for text classification", section 3.2.

    They divide by 2.6 from layer to layer; for transformers 0.65 to 0.9 is usual (Clark, Luong, Le & Manning,
    2020, "ELECTRA"). A layer is what shares the name before the last dot: `"2.weight"` and `"2.bias"` are
    layer `"2"`; layers count in the order of the parameters.

    Args:
        inner: the optimizer; default Adam().
        gamma: γ in (0, 1]; 1/2.6 unless given.

    >>> from spusk import optim
    >>> rule = LayerwiseDecay(optim.Adam(), gamma=0.5)
    >>> rule.factors_of(["0.weight", "0.bias", "2.weight", "4.weight"])
    {'0.weight': 0.25, '0.bias': 0.25, '2.weight': 0.5, '4.weight': 1.0}
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    gamma: Hyper = 1 / 2.6

    ranges: ClassVar[Mapping[str, Range]] = {"gamma": PART}
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"timm": {"gamma": 0.75}}

    def factors_of(self, names: Iterable[str]) -> dict[str, Hyper]:
        layer_of = {name: _layer(name) for name in names}
        above = {layer: i for i, layer in enumerate(reversed(dict.fromkeys(layer_of.values())))}
        return {name: self.gamma ** above[layer] for name, layer in layer_of.items()}


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
