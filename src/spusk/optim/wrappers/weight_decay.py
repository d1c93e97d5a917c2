"""Weight decay, decoupled from the gradient or as an L2 penalty.

Loshchilov & Hutter, 2019, "Decoupled weight decay regularization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import NOT_NEGATIVE, Hyper, Range, check_choice
from spusk.optim.objective import Parameters, replaced
from spusk.optim.optimizer import Optimizer
from spusk.optim.wrappers.leaves import pauses
from spusk.optim.wrappers.partition import Partition
from spusk.optim.wrappers.patterns import Patterns, check_patterns, fits
from spusk.optim.wrappers.wrapper import Wrapper


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

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        decaying = [name for name in self.trained(parameters) if fits(name, self.only)]
        if self.kind == "l2":
            at = self.point_all(parameters, state)
            penalised = dict(gradients)
            for name in decaying:
                penalised[name] = gradients[name] + self.weight_decay * at[name]
            return self.inner.update_all(parameters, replaced(gradients, penalised), state, t)
        if pauses(self.inner):
            return _where_steps_are(self).update_all(parameters, gradients, state, t)
        new, after = self.inner.update_all(parameters, gradients, state, t)
        rates = self.rates_of(parameters)
        for name in decaying:
            new[name] = new[name] - self._share(rates[name]) * parameters[name]
        return new, after

    def _share(self, lr: Hyper) -> Hyper:
        """The share of itself that a weight loses."""
        if not self.decay_by_lr:
            return self.eta * self.weight_decay
        if lr is None:
            raise InputError(
                f"WeightDecay(decay_by_lr=True) needs a rate, and {type(self.inner).__name__} has none"
            )
        return self.eta * lr * self.weight_decay


def _where_steps_are(decay: WeightDecay) -> Optimizer:
    """The same rule with the decay inside the wrappers that pause, so that it pauses, too."""
    inner = decay.inner
    if not pauses(inner):
        return decay
    if isinstance(inner, Partition):
        return inner.map_rules(lambda rule: _where_steps_are(replace(decay, inner=rule)))
    assert isinstance(inner, Wrapper)
    return replace(inner, inner=_where_steps_are(replace(decay, inner=inner.inner)))
