"""One step of a rule as a graph of its own, without network or loss: what the adapters evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import spusk.numpy as snp
from spusk.graph import Tensor, topological
from spusk.graph import input as new_input
from spusk.graph.leaves import Input
from spusk.interop.questions import AskedObjective, Question
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.layout import in_layout
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State, flatten, unflatten

Shapes = Mapping[str, tuple[tuple[int, ...], str]]


@dataclass(frozen=True)
class Slot:
    """A value that a rule keeps between steps.

    Attributes:
        owner: the parameter it belongs to; None if it belongs to all of them.
        key: its name, without its owner's, e.g. "m" or "inner/m".
        before, after: the graph's input, and what the step makes of it.
        first: its value before the first step.
    """

    owner: str | None
    key: str
    before: Tensor
    first: Tensor
    after: Tensor


@dataclass(frozen=True)
class Update:
    """One step of a rule on parameters of given shapes, as graph.

    Attributes:
        weights, new_weights: before and after the step, by parameter name.
        slots: the rule's state.
        hyper: the inputs that take the hyperparameters, by name.
        t: the input that takes the number of the step.
        key: the input that takes the key of random numbers.
        questions: what the rule asks of the loss, in order. Nearly always one: the gradient; none where
            there are no parameters.
        reported: the number of the question whose loss is reported.
        next_points: where the next step's first question will be, from the values before this step; None if
            that is at the weights.
        evaluated: from `weights` and the slots' `before`, the weights to use; None if they are the weights.
            Here t is the number of steps done.
    """

    weights: Mapping[str, Tensor]
    new_weights: Mapping[str, Tensor]
    slots: tuple[Slot, ...]
    hyper: Mapping[str, Tensor]
    t: Tensor
    key: Tensor
    questions: tuple[Question, ...]
    reported: int
    next_points: Mapping[str, Tensor] | None
    evaluated: Mapping[str, Tensor] | None

    @cached_property
    def is_coupled(self) -> bool:
        """Whether some parameter's step depends on other parameters or on state of them all."""
        owners = {w.serial: 1 << i for i, w in enumerate(self.weights.values())}
        for question in self.questions:
            owners |= {g.serial: owners[self.weights[name].serial] for name, g in question.answer.items()}
        for slot in self.slots:
            if slot.owner is None:
                return True
            owners[slot.before.serial] = owners[self.weights[slot.owner].serial]
        results = [*self.new_weights.values(), *(slot.after for slot in self.slots)]
        results += [point for question in self.questions for point in question.point.values()]
        return any(mask.bit_count() > 1 for mask in _gathered(results, owners).values())

    @cached_property
    def needs_closure(self) -> str:
        """Why gradients alone are not enough for a step, as the end of a sentence; empty if they are."""
        kinds = [question.kind for question in self.questions]
        if not kinds:
            return ""
        if "hvp" in kinds:
            return "it uses second derivatives"
        if kinds != ["gradient"]:
            return f"it looks at the loss {len(kinds)} times in a step"
        results = [*self.new_weights.values(), *(slot.after for slot in self.slots)]
        if self.questions[0].loss in set(topological(results)):
            return "it uses the value of the loss"
        return ""

    @property
    def asks_elsewhere(self) -> bool:
        """Whether the first question is not at the weights."""
        return self.next_points is not None


def _gathered(outputs: Iterable[Tensor], masks: Mapping[int, int]) -> dict[int, int]:
    """For every node, the union of the masks of the inputs that it depends on."""
    found: dict[int, int] = {}
    for t in topological(outputs):
        mask = masks.get(t.serial, 0)
        for x in t.inputs:
            mask |= found[x.serial]
        found[t.serial] = mask
    return found


def update_of(rule: Optimizer, shapes: Shapes, *, maximize: bool = False, out_first: bool = False) -> Update:
    """The graph of one step.

    Args:
        rule: the optimizer; its numbers become inputs.
        shapes: shape and dtype ("float32" or "float64") of each parameter, by name; the step of none
            asks and does nothing.
        maximize: True climbs the objective.
        out_first: True for weights (out, in, kernel…), of rules that read axes; see `spusk.optim.layout`.

    >>> from spusk.optim import Momentum
    >>> update = update_of(Momentum(), {"w": ((3,), "float32")})
    >>> [slot.key for slot in update.slots], list(update.hyper), update.is_coupled
    (['v'], ['lr', 'mu', 'dampening'], False)
    """
    weights = {name: new_input(name, shape, dtype) for name, (shape, dtype) in shapes.items()}
    t = new_input("step", (), "float64", weak=True)
    key = new_input("draws", (2,), "uint32")
    numbers = {n: new_input(f"hyper {n}", (), "float64", weak=True) for n in hyperparameters(rule)}
    if not shapes:  # rules over all parameters would have nothing to take a norm of
        return Update({}, {}, (), numbers, t, key, (), 0, None, None)
    traced = with_hyperparameters(in_layout(rule, out_first=out_first), numbers)
    now = at_step(traced, t)
    fresh = now.start_all(weights)
    first = flatten(fresh)
    before = {path: new_input(path, s.shape, s.dtype, weak=s.weak) for path, s in first.items()}
    state = unflatten(fresh, before)
    objective = AskedObjective(t, key, -1.0 if maximize else 1.0, out_first=out_first)
    gradients = now.gradients_all(objective, weights, state, t)
    new_weights, new_state = now.update_all(weights, gradients, state, t)
    after = flatten(new_state)
    owners = owned(fresh, frozenset(weights))
    slots = [Slot(*owners[path], before[path], first[path], after[path]) for path in first]
    asked = tuple(objective.questions)

    # The next step asks at the point that its own hyperparameters give.
    later = at_step(traced, t + 1).point_all(new_weights, new_state)
    elsewhere = any(asked[0].point[name] is not w for name, w in weights.items())
    last = at_step(traced, snp.maximum(t, 1)).evaluated_all(weights, state)
    same = all(last[name] is w for name, w in weights.items())
    return Update(
        weights,
        new_weights,
        tuple(slots),
        numbers,
        t,
        key,
        asked,
        _reported(asked, gradients.loss),
        {name: later[name] for name in weights} if elsewhere else None,
        None if same else {name: last[name] for name in weights},
    )


def _reported(questions: tuple[Question, ...], loss: Tensor) -> int:
    """Which question's loss a rule reports."""
    inputs = {t.serial for t in topological([loss]) if isinstance(t.primitive, Input)}
    return next((i for i, q in enumerate(questions) if q.loss.serial in inputs), 0)


# --- trees of state -------------------------------------------------------------------------------------


def owned(tree: Mapping[str, Any], names: frozenset[str]) -> dict[str, tuple[str | None, str]]:
    """For every value of a tree, by its path: the parameter that it belongs to, and its name without it.

    A mapping from names of parameters to states or Tensors holds something for each parameter.
    """
    marked = _marked(tree, names, None, ())
    return {path: (who, "/".join(key) or "value") for path, (who, key) in flatten(marked).items()}


def _marked(tree: Mapping[str, Any], names: frozenset[str], owner: str | None, key: tuple[str, ...]) -> Any:
    """The same tree with owner and names in the place of each value."""
    by_parameter = owner is None and not isinstance(tree, State) and tree.keys() <= names
    by_parameter = by_parameter and all(isinstance(value, State | Tensor) for value in tree.values())
    marked: dict[str, Any] = {}
    for name, value in tree.items():
        whose, inside = (name, key) if by_parameter else (owner, (*key, name))
        is_tree = isinstance(value, Mapping)
        marked[name] = _marked(value, names, whose, inside) if is_tree else (whose, inside)  # pyright: ignore[reportUnknownArgumentType]
    return marked
