"""Weight decay, decoupled from the gradient or as an L2 penalty.

Loshchilov & Hutter, 2019, "Decoupled weight decay regularization".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Parameters, replaced, while_moving
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, Range, check_choice
from spusk.optim.wrappers.patterns import Patterns, check_patterns, fits
from spusk.optim.wrappers.wrapper import Inside, Wrapper


@dataclass(frozen=True)
class WeightDecay(Wrapper):
    """Weight decay: weights shrink by a share of themselves in every step of any optimizer.

        decoupled:         w ← inner(w, g) − ηλw
        decoupled, by lr:  w ← inner(w, g) − ηαλw
        l2:                w ← inner(w, g + λw)

    Source: Loshchilov & Hutter, 2019, "Decoupled weight decay regularization", Algorithms 1 and 2.

    In the paper, the schedule's multiplier η scales step and decay alike, and α the step alone: give the
    schedule to the inner optimizer's rate and to `eta`. Torch, optax and keras have no η and decay by αλ.
    "l2" is the gradient of the penalty λ/2·‖w‖² where the inner optimizer takes its gradient; adaptive
    rules divide it by their root, which is what the paper warns of. In steps in which the inner optimizer
    leaves the weights as they are (between those of `Accumulate`, or skipped by `SkipNonFinite`), they do not
    decay either.

    Args:
        inner: the optimizer; default Adam().
        weight_decay: λ ≥ 0; default 1e-4.
        eta: the schedule's multiplier η ≥ 0; default 1.
        kind: "decoupled" or "l2".
        decay_by_lr: True decays by the inner optimizer's rate times λ, each parameter's own.
        only: names or globs of the parameters that decay; default all. `"*weight"` spares biases.

    >>> from spusk.optim import SGD
    >>> import spusk as sp
    >>> sp.minimize(lambda x: x, 4.0, WeightDecay(SGD(lr=1.0), weight_decay=0.5), steps=2).path.tolist()
    [4.0, 1.0, -0.5]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    weight_decay: Hyper = 1e-4
    eta: Hyper = 1.0
    kind: Literal["decoupled", "l2"] = "decoupled"
    decay_by_lr: bool = False
    only: Patterns = "*"

    ranges: ClassVar[Mapping[str, Range]] = dict.fromkeys(("weight_decay", "eta"), NOT_NEGATIVE)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {"weight_decay": 0.01, "decay_by_lr": True},
        "optax": {"weight_decay": 1e-4, "decay_by_lr": True},
        "keras": {"weight_decay": 0.004, "decay_by_lr": True},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "kind", ("decoupled", "l2"))
        check_patterns(self, "only")
        scaled = isinstance(self.eta, (int, float)) and self.eta != 1  # a traced one is an input of its own
        if self.kind == "l2" and (self.decay_by_lr or scaled):
            raise InputError("WeightDecay(kind='l2') adds λw to the gradient; it takes no eta or decay_by_lr")

    @property
    def needs_names(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.only != "*" or self.inner.needs_names

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        if self.kind == "decoupled":
            return super().inside(parameters, gradients, state, t)
        at = self.point_all(parameters, state)
        penalised = dict(gradients)
        for name in self._decaying(parameters):
            penalised[name] = gradients[name] + self.weight_decay * at[name]
        return self.inner, replaced(gradients, penalised), state, t

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        new, after = super().update_all(parameters, gradients, state, t)
        if self.kind == "l2":
            return new, after
        rates = self.rates_of(parameters)
        moving = self.moving_all(parameters, gradients, state, t)
        for name in self._decaying(parameters):
            lost = self._share(rates[name]) * parameters[name]
            new[name] = new[name] - while_moving(moving, name, lost)
        return new, after

    def _decaying(self, names: Iterable[str]) -> list[str]:
        return [name for name in self.trained(names) if fits(name, self.only)]

    def _share(self, lr: Hyper) -> Hyper:
        """The share of itself that a weight loses."""
        if not self.decay_by_lr:
            return self.eta * self.weight_decay
        if lr is None:
            raise InputError(
                f"WeightDecay(decay_by_lr=True) needs a rate, and {type(self.inner).__name__} has none"
            )
        return self.eta * lr * self.weight_decay
