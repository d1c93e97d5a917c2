"""Where a rule has its learning rate and its momentum, so that other libraries can set or show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spusk.errors import InputError
from spusk.graph import Evaluator
from spusk.graph import input as new_input
from spusk.optim import Optimizer, Schedule
from spusk.optim.hyper import hyperparameters, with_hyperparameters

PROBE = 0.123456789  # a rate that nobody has


def place_of_lr(rule: Optimizer) -> str | None:
    """The name of the hyperparameter that is the learning rate; None if that is scheduled, or there is none.

    >>> from spusk.optim import Adam, Cosine, Lookahead
    >>> place_of_lr(Lookahead(Adam())), place_of_lr(Adam(lr=Cosine(0.1, steps=9)))
    ('inner.lr', None)
    """
    places = _places(rule)
    return places[0] if len(places) == 1 and not schedules_rates(rule) else None


def places_of_rates(rule: Optimizer) -> list[str]:
    """The names of the hyperparameters that are learning rates, of a rule that has several; else nothing.

    A rule that schedules one of them has none that could be scaled together.

    >>> from spusk.optim import SGD, Adam, Partition
    >>> places_of_rates(Partition({"*bias": SGD(), "*": Adam()})), places_of_rates(Adam())
    (['rules.*bias.lr', 'rules.*.lr'], [])
    """
    places = _places(rule)
    return places if len(places) > 1 and not schedules_rates(rule) else []


def schedules_rates(rule: Optimizer) -> bool:
    """Whether the rule schedules its learning rate, or some of several.

    >>> from spusk.optim import SGD, Adam, Cosine, Partition
    >>> rules = {"*bias": SGD(), "*gain": SGD(), "*": Adam(lr=Cosine(0.1, steps=9))}
    >>> schedules_rates(Partition(rules)), schedules_rates(Adam()), places_of_rates(Partition(rules))
    (True, False, [])
    """
    numbers = _with_probe(rule)
    return bool(numbers) and numbers.keys() != hyperparameters(rule).keys()


def _places(rule: Optimizer) -> list[str]:
    """The names of the hyperparameters that another learning rate replaces."""
    now = hyperparameters(rule)
    return [name for name, number in _with_probe(rule).items() if number == PROBE and name in now]


def _with_probe(rule: Optimizer) -> dict[str, float]:
    """The hyperparameters with another learning rate; nothing if the rule has no such rate."""
    try:
        return hyperparameters(rule.with_lr(PROBE))
    except InputError:
        return {}


def place_of_momentum(rule: Optimizer) -> str | None:
    """The name of the hyperparameter that is a momentum: mu, momentum or beta1, a decay in [0, 1).

    Of several, it is the rule's own, and not that of a rule inside it; None if that leaves several or none.

    >>> from spusk.optim import Adam, Adan, Lookahead, Momentum, Muon
    >>> [place_of_momentum(rule) for rule in (Momentum(), Lookahead(Adam()), Muon())]
    ['mu', 'inner.beta1', 'mu']
    >>> place_of_momentum(Adan()) is None  # whose beta1 is the weight of the new gradient
    True
    """
    found = [n for n in hyperparameters(rule) if n.rpartition(".")[2] in ("mu", "momentum", "beta1")]
    found = [name for name in found if _is_decay(rule, name)]
    own = [name for name in found if "." not in name]
    found = own or found
    return found[0] if len(found) == 1 else None


def _is_decay(rule: Optimizer, name: str) -> bool:
    """Whether a hyperparameter may be 0 and not 1."""

    def is_allowed(number: float) -> bool:
        try:
            with_hyperparameters(rule, {name: number})
        except InputError:
            return False
        return True

    return is_allowed(0.0) and not is_allowed(1.0)


def scheduled_rate(rule: Optimizer) -> Callable[[int, Sequence[float]], float] | None:
    """The learning rate as a function of step and hyperparameters; None if the rule does not schedule it.

    >>> from spusk.optim import Accumulate, Adam, ExponentialDecay
    >>> rate = scheduled_rate(Adam(lr=ExponentialDecay(0.1, 0.5)))
    >>> rate is None, scheduled_rate(Adam()) is None
    (False, True)
    >>> rule = Accumulate(Adam(lr=ExponentialDecay(0.1, 0.5)), k=2)  # whose schedule counts Adam's steps
    >>> rate = scheduled_rate(rule)
    >>> [rate(t, list(hyperparameters(rule).values())) for t in (1, 2, 3)]
    [0.1, 0.1, 0.05]
    """
    names = list(hyperparameters(rule))
    numbers = [new_input(name, (), "float64", weak=True) for name in names]
    holder: Any = with_hyperparameters(rule, dict(zip(names, numbers, strict=True)))
    t = at = new_input("step", (), "float64", weak=True)
    while not hasattr(holder, "lr") and hasattr(holder, "inner"):
        at = holder.inner_time(at) if hasattr(holder, "inner_time") else at
        holder = holder.inner
    schedule = getattr(holder, "lr", None)
    if not isinstance(schedule, Schedule):
        return None
    evaluator = Evaluator([schedule.at(at)], [t, *numbers])

    def rate(step: int, values: Sequence[float]) -> float:
        return float(evaluator(*map(np.float64, (step, *values)))[0])

    return rate
