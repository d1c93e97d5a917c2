"""A rule's hyperparameters as entries of parameter groups."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from spusk.errors import InputError
from spusk.interop.rate import (
    place_of_lr,
    place_of_momentum,
    places_of_rates,
    scheduled_rate,
    schedules_rates,
)
from spusk.interop.torch.checks import check_keys
from spusk.interop.torch.group import SCHEDULED
from spusk.optim import Optimizer as Rule
from spusk.optim.hyper import TINY, hyperparameters, ranges_of, with_hyperparameters
from spusk.optim.ranges import Range

MOMENTUM, AGREED = "momentum", "agreed_momentum"  # torch's name for it, and what both names had last


class Entries:
    """What a rule's hyperparameters are called in parameter groups, and what they are there.

    Args:
        rule: the optimizer.

    Attributes:
        defaults: the entries of a group that says nothing else.
        are_scheduled: whether the rule schedules its learning rate, which the groups then show.

    >>> from spusk.optim import Momentum
    >>> entries = Entries(Momentum(lr=0.5))
    >>> entries.numbers({**entries.defaults, "lr": 0.25})
    [0.25, 0.9, 0.0]
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        numbers = hyperparameters(rule)
        lr, rates = place_of_lr(rule), places_of_rates(rule)
        self._names = list(numbers)
        self._entries = ["lr" if name == lr else name for name in numbers]
        self._is_rate = [name in rates for name in numbers]
        self._momentum = place_of_momentum(rule)
        self.defaults = dict(zip(self._entries, numbers.values(), strict=True))
        if rates:
            self.defaults["lr"] = 1.0  # a factor of all of them
        if self._momentum is not None:
            self.defaults[MOMENTUM] = self.defaults[AGREED] = numbers[self._momentum]
        self._rate = scheduled_rate(rule)
        if self._rate is None and schedules_rates(rule):  # several, which no single number shows
            self._rate = _one
        self.are_scheduled = self._rate is not None
        self._ranges = list(ranges_of(rule).values())
        self._seen: dict[int, tuple[list[float], int]] = {}  # a group's numbers, and how many entries it had

    def numbers(self, group: dict[str, Any]) -> list[float]:
        """The hyperparameters of a group, in the rule's order."""
        if SCHEDULED in group and group["lr"] != group[SCHEDULED]:
            raise InputError(
                f"{self._rule.label} schedules its learning rate itself, and something else, such as a "
                f"scheduler of torch, has set group['lr'] to {group['lr']!r}; use one of the two"
            )
        if self._momentum is not None:
            _agree(group, self._momentum)
        numbers = [x if type(x := group[entry]) is float else _number(x) for entry in self._entries]
        if not any(self._is_rate):
            return numbers
        common = _number(group["lr"])
        return [x * common if is_rate else x for x, is_rate in zip(numbers, self._is_rate, strict=True)]

    def now(self, group: dict[str, Any]) -> list[float]:
        """The same; what has been set since the last step is refused as it would be in a new group.

        Where a range is open at 0, a scheduler may come to it, as a schedule may.
        """
        numbers = self.numbers(group)
        last = self._seen.get(id(group))
        if last != (numbers, len(group)):
            if last is None or last[1] != len(group):
                check_keys(group, self.defaults, self._rule)
            if not all(map(_is_allowed, numbers, self._ranges)):
                self.check(numbers)
            self._seen[id(group)] = numbers, len(group)
        return numbers

    def check(self, numbers: Sequence[float]) -> None:
        """Raise an InputError if the rule does not allow these numbers."""
        with_hyperparameters(self._rule, dict(zip(self._names, numbers, strict=True)))

    def tell_rate(self, group: dict[str, Any], t: int) -> None:
        """Show the rate of step t in the group, if the rule schedules it."""
        if self._rate is not None:
            group["lr"] = group[SCHEDULED] = self._rate(max(t, 1), self.numbers(group))


def _agree(group: dict[str, Any], name: str) -> None:
    """Give the momentum its new value under both its names, whichever has been set."""
    last = group.get(AGREED)
    new = {key: group[key] for key in (MOMENTUM, name) if key in group and group[key] != last}
    if len(set(new.values())) > 1:
        raise InputError(f"a group has momentum={new[MOMENTUM]!r} and {name}={new[name]!r}; set one of them")
    for value in new.values():
        group[MOMENTUM] = group[name] = group[AGREED] = value


def _number(x: Any) -> float:
    """A number, also one in a tensor that is itself learned."""
    return float(x.detach() if hasattr(x, "detach") else x)


def _is_allowed(number: float, allowed: Range | None) -> bool:
    return isfinite(number) and (allowed is None or allowed[0](number or TINY))


def _one(step: int, numbers: Sequence[float]) -> float:
    return 1.0
