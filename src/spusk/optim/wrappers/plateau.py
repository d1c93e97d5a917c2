"""A learning rate that falls when the loss stands still.

He, Zhang, Ren & Sun, 2016, "Deep residual learning for image recognition".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Literal

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.adam import Adam
from spusk.optim.hyper import Hyper, Schedule, members
from spusk.optim.objective import Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.ranges import NOT_NEGATIVE, PART, Range, check_choice, check_whole
from spusk.optim.wrappers.leaves import with_leaves
from spusk.optim.wrappers.wrapper import Inside, Wrapper


@dataclass(frozen=True)
class Plateau(Wrapper):
    """Reduction on a plateau: any optimizer with a rate that falls when a measure stands still.

        α = max(α_inner·scale, α_min)
        after an epoch:  if the measure beats the best one:  best ← measure, bad ← 0;  else bad ← bad + 1
        if bad > patience:  scale ← scale·factor, bad ← 0

    Source: He, Zhang, Ren & Sun, 2016, "Deep residual learning for image recognition", section 3.4.

    The training loop measures and changes `scale`, an input of the compiled step, which is not built anew. It
    finds a Plateau wherever it lies, in partitions and other wrappers too, but for CyclicalLR, which sets the
    rate of what is inside it. Every learning rate inside is scaled, also one that follows a schedule.
    `minimize` has no epochs, and leaves the rate as it is.

    Args:
        inner: the optimizer; default Adam().
        factor: by what the rate is multiplied, in (0, 1]; default 0.1.
        patience: how many epochs may be no better, ≥ 0; default 10.
        threshold: by how much a measure must be better, as a share of the best one, ≥ 0; default 1e-4.
        absolute: True takes `threshold` as a difference.
        cooldown: how many epochs after a reduction do not count as bad, ≥ 0; default 0.
        min_lr: α_min ≥ 0; default 0. A rate that is lower by itself stays.
        monitor: the measure, a name in the history; default the validation loss, or the training loss.
        mode: "min" or "max", which of the measures are better.
        scale: what the rate is multiplied by at first; default 1.
        inclusive: True counts as Keras does: the rate falls after `patience` bad epochs, not after one more,
            and the last epoch of a cooldown may be bad.

    >>> from spusk import data, nn, optim
    >>> import spusk as sp
    >>> net = nn.Sequential(nn.Linear(4, 3))
    >>> rule = Plateau(optim.SGD(lr=0.5), patience=0, threshold=1.0)  # nothing is ever good enough
    >>> run = sp.train(net, data.iris(), optimizer=rule, epochs=4, progress=False)
    >>> run.history["lr_scale"].round(6).tolist()
    [1.0, 1.0, 0.1, 0.01]
    """

    inner: Optimizer = Adam()  # noqa: RUF009 (immutable)
    factor: Hyper = 0.1
    patience: int = 10
    threshold: Hyper = 1e-4
    absolute: bool = False
    cooldown: int = 0
    min_lr: Hyper = 0.0
    monitor: str | None = None
    mode: Literal["min", "max"] = "min"
    scale: Hyper = 1.0
    inclusive: bool = False

    ranges: ClassVar[Mapping[str, Range]] = {
        "factor": PART,
        **dict.fromkeys(("threshold", "min_lr", "scale"), NOT_NEGATIVE),
    }
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "torch": {},
        "keras": {"absolute": True, "inclusive": True},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "mode", ("min", "max"))
        check_whole(self, patience=0, cooldown=0)

    def at_step(self, t: Tensor) -> Optimizer:
        """The inner optimizer with the rate that the measures have left it."""
        return with_leaves(self.inner, self._reduced)

    def inside(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Inside:
        return self.at_step(t), gradients, state, t

    def _reduced(self, leaf: Optimizer) -> Optimizer:
        lr: Any = getattr(leaf, "lr", None)
        if lr is None:
            return leaf.with_lr(self.scale)  # which says that there is no lr
        return leaf.with_lr(snp.maximum(lr * self.scale, snp.minimum(lr, self.min_lr)))


class Watch:
    """What a Plateau has seen so far, and the scale that follows from it.

    >>> watch = Watch(Plateau(patience=1, factor=0.5))
    >>> [watch.after(x) for x in (3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    """

    def __init__(self, rule: Plateau) -> None:
        if isinstance(rule.scale, Schedule):
            raise InputError(f"Plateau(scale={rule.scale!r}) is trained with; its scale must be a number")
        self.rule = rule
        self.scale = float(rule.scale)
        self._epoch = 0
        self.best = math.inf if rule.mode == "min" else -math.inf
        self._bad = 0
        self._cooling = 0

    def after(self, measure: float) -> float:
        """The scale of the next epoch, after one with this measure."""
        self._epoch += 1
        rests = self._cooling > self.rule.inclusive
        self._cooling = max(self._cooling - 1, 0)
        if self._is_better(measure):
            self.best, self._bad = measure, 0
        else:
            self._bad = 0 if rests else self._bad + 1
        if self._bad > max(self.rule.patience - self.rule.inclusive, 0):
            self.scale *= self._now(self.rule.factor)
            self._cooling, self._bad = self.rule.cooldown, 0
        return self.scale

    def _is_better(self, measure: float) -> bool:
        if not math.isfinite(self.best):
            return measure < self.best if self.rule.mode == "min" else measure > self.best
        sign = 1 if self.rule.mode == "min" else -1
        margin = self._now(self.rule.threshold) * (1 if self.rule.absolute else abs(self.best))
        return sign * measure < sign * self.best - margin

    def _now(self, hyper: Hyper) -> float:
        """A number as it is, a schedule at this epoch."""
        return float(hyper(self._epoch) if isinstance(hyper, Schedule) else hyper)


def plateaus(rule: Any, path: str = "") -> dict[str, Plateau]:
    """Every Plateau in a rule, by the name of its hyperparameter `scale`.

    >>> from spusk import optim
    >>> list(plateaus(optim.Clip(Plateau(optim.SGD()), norm=1.0)))
    ['inner.scale']
    """
    return dict(_found(rule, path))


def _found(part: Any, path: str) -> Iterator[tuple[str, Plateau]]:
    if isinstance(part, Plateau):
        yield f"{path}scale", part
    if is_dataclass(part):
        for field in fields(part):
            yield from _found(getattr(part, field.name), f"{path}{field.name}.")
    for name, inside in members(part).items():
        yield from _found(inside, f"{path}{name}.")
