"""Cyclical learning rates.

Smith, 2017, "Cyclical learning rates for training neural networks".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, Self

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.momentum import Momentum
from spusk.optim.optimizer import Optimizer, Parameters
from spusk.optim.ranges import check_choice
from spusk.optim.schedules.exp_range import ExpRange
from spusk.optim.schedules.triangular import Triangular
from spusk.optim.schedules.triangular2 import Triangular2
from spusk.optim.wrappers.partition import Partition
from spusk.optim.wrappers.plateau import plateaus
from spusk.optim.wrappers.wrapper import Inside, Wrapper

MOMENTA = ("beta1", "mu", "momentum")
MODES = ("triangular", "triangular2", "exp_range")


@dataclass(frozen=True)
class CyclicalLR(Wrapper):
    """Cyclical learning rate: any optimizer with a rate that swings between two bounds.

        n = t − 1,  c = ⌊1 + n/2h⌋,  x = |n/h − 2c + 1|
        α = α_low + (α_max − α_low)·max(0, 1 − x)·scale
        scale = 1 (triangular),  1/2^(c−1) (triangular2),  γⁿ (exp_range)

    Source: Smith, 2017, "Cyclical learning rates for training neural networks", §3.

    Momentum can be cycled against the rate (Smith, 2018, "A disciplined approach to neural network
    hyper-parameters", §4.3): the field beta1, mu or momentum of the inner optimizer then falls while the
    rate rises. Adam debiases with the β₁ of the step, as torch does.

    Args:
        inner: the optimizer whose learning rate is replaced; default Momentum().
        lr: the highest rate α_max > 0; default 0.01.
        base_ratio: the lowest rate as a share of the highest, α_low = base_ratio · α_max, in [0, 1];
            default 0.25 (Smith: a third or a fourth).
        half_cycle: h > 0, in steps, from one bound to the other; default 100. Smith: 2 to 10 epochs.
        mode: "triangular", "triangular2" (the swing halves each cycle) or "exp_range" (it decays as γⁿ).
        gamma: γ in (0, 1] for "exp_range"; default 0.9999.
        cycle_momentum: True swings the inner optimizer's momentum between mu_high and mu_low; of a partition,
            that of each part that has one.
        mu_low: the momentum where the rate is highest, in [0, 1); default 0.85.
        mu_high: the momentum where the rate is lowest, in [0, 1); default 0.95.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> cyclical = CyclicalLR(SGD(), lr=1.0, base_ratio=0.5, half_cycle=2)
    >>> sp.minimize(lambda x: -x, 0.0, cyclical, steps=4).path.tolist()  # rates 0.5, 0.75, 1, 0.75
    [0.0, 0.5, 1.25, 2.25, 3.0]
    """

    inner: Optimizer = Momentum()  # noqa: RUF009 (immutable)
    lr: Hyper = 0.01
    base_ratio: Hyper = 0.25
    half_cycle: Hyper = 100.0
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: Hyper = 0.9999
    cycle_momentum: bool = False
    mu_low: Hyper = 0.85
    mu_high: Hyper = 0.95

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"half_cycle": 2000.0, "gamma": 1.0, "cycle_momentum": True, "mu_low": 0.8, "mu_high": 0.9},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "mode", MODES)
        self.inner.with_lr(self.lr)  # an optimizer without a learning rate is told at once
        if plateaus(self.inner):
            raise InputError(
                "CyclicalLR sets the rate of what is inside it, where a Plateau would do nothing; "
                "write Plateau(CyclicalLR(…))"
            )
        if self.cycle_momentum:
            _with_momentum(self.inner, self.mu_high)

    def with_lr(self, lr: Hyper) -> Self:
        """The same swing below another highest rate."""
        return replace(self, lr=lr)

    def at_step(self, t: Tensor) -> Optimizer:
        """The inner optimizer with the learning rate (and momentum) of step t: all that a step needs."""
        wave = self._wave(self.base_ratio * self.lr, self.lr)
        rule = self.inner.with_lr(wave.at(t))
        if not self.cycle_momentum:
            return rule
        return _with_momentum(rule, wave.inverse(self.mu_low, self.mu_high).at(t))

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        return self.at_step(t), gradients, state, t

    def _wave(self, low: Hyper, high: Hyper) -> Triangular | Triangular2 | ExpRange:
        if self.mode == "exp_range":
            return ExpRange(low, high, self.half_cycle, self.gamma)
        return (Triangular if self.mode == "triangular" else Triangular2)(low, high, self.half_cycle)


def _with_momentum(rule: Optimizer, momentum: Hyper) -> Optimizer:
    """The rule with another momentum, whatever the field is called and however deep it lies."""
    swung = _swung(rule, momentum)
    if swung is None:
        raise InputError(
            f"{type(rule).__name__} has no momentum to cycle; it needs one of {', '.join(MOMENTA)}"
        )
    return swung


def _swung(rule: Optimizer, momentum: Hyper) -> Optimizer | None:
    """The same; None if there is no momentum. Of a partition, parts without one stay as they are."""
    names = {f.name for f in fields(rule)}
    for name in MOMENTA:
        if name in names and getattr(rule, name) is not None:
            return replace(rule, **{name: momentum})
    if isinstance(rule, Wrapper):
        inner = _swung(rule.inner, momentum)
        return None if inner is None else replace(rule, inner=inner)
    if isinstance(rule, Partition) and any(_swung(part, momentum) for part in rule.by_pattern.values()):
        return rule.map_rules(lambda part: _swung(part, momentum) or part)
    return None
