"""Changing the rules at the heart of a nest of wrappers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spusk.graph import Tensor
from spusk.optim.hyper import Hyper
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.second_order import SecondOrder
from spusk.optim.wrappers.partition import Partition
from spusk.optim.wrappers.wrapper import Wrapper


def with_leaves(rule: Optimizer, f: Callable[[Optimizer], Optimizer]) -> Optimizer:
    """The rule with f of each rule inside that is neither a wrapper nor a partition."""
    if isinstance(rule, Wrapper):
        return replace(rule, inner=with_leaves(rule.inner, f))
    if isinstance(rule, Partition):
        return rule.map_rules(lambda inside: with_leaves(inside, f))
    return f(rule)


def scaled(rule: Optimizer, factor: Hyper) -> Optimizer:
    """The rule with the learning rate of every rule inside multiplied by a factor."""
    return with_leaves(rule, lambda leaf: _times(leaf, factor))


def _times(leaf: Optimizer, factor: Hyper) -> Optimizer:
    lr = getattr(leaf, "lr", None)
    return leaf.with_lr(factor if lr is None else lr * factor)  # which says so if there is no lr


@dataclass(frozen=True)
class Group:
    """Parameters whose learning rate is multiplied by one factor."""

    names: tuple[str, ...]
    factor: Hyper


@dataclass(frozen=True)
class ByGroup(Partition):
    """A rule once for each group of parameters, with another learning rate; groups may be absent."""

    groups: Mapping[str, Group] | None = None

    @staticmethod
    def of(rule: Optimizer, groups: Mapping[str, Group]) -> ByGroup:
        """The rule for every group."""
        return ByGroup(tuple((label, _times(rule, g.factor)) for label, g in groups.items()), groups)

    def parts(self, names: Iterable[str]) -> dict[str, list[str]]:
        names = list(names)
        of_group = {
            label: [name for name in names if name in group.names]
            for label, group in (self.groups or {}).items()
        }
        return {label: mine for label, mine in of_group.items() if mine}

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        rules = self.by_pattern.values()
        if all(type(rule).gradients_all is SecondOrder.gradients_all for rule in rules):
            point = self.point_all(parameters, state)  # one product with the Hessian for all groups
            return objective.gradients(point).with_curvature(objective.hessian_diagonal(point))
        return super().gradients_all(objective, parameters, state, t)
