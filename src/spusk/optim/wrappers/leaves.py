"""What lies inside a nest of wrappers, and changing the rules at its heart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from spusk.optim.optimizer import Optimizer
from spusk.optim.wrappers.partition import Partition
from spusk.optim.wrappers.wrapper import Wrapper


def with_leaves(rule: Optimizer, f: Callable[[Optimizer], Optimizer]) -> Optimizer:
    """The rule with f of each rule inside that is neither a wrapper nor a partition."""
    if isinstance(rule, Wrapper):
        return replace(rule, inner=with_leaves(rule.inner, f))
    if isinstance(rule, Partition):
        return rule.map_rules(lambda inside: with_leaves(inside, f))
    return f(rule)
