"""What a step of an optimizer costs beside the gradient: numbers kept, and arithmetic, for each weight."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spusk.compile.cost import cost
from spusk.compile.flow import flow_of
from spusk.compile.fuse import fuse
from spusk.compile.simplify import simplify
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import flatten

WIDTH = 128
LAYERS = 3
NETWORK = "-".join([str(WIDTH)] * (LAYERS + 1))
"""The network whose parameters are the sample, in words: its layers' weights and biases."""

OF_PARAMETERS = re.compile(r"\d+\.(weight|bias)|each")
"""Parts of a slot's path that tell which parameter it belongs to."""


@dataclass(frozen=True)
class Slot:
    """A name under which a rule keeps numbers.

    Attributes:
        name: of the slot; that of a rule inside begins with "inner".
        per_weight: how many numbers for each weight.
        total: how many numbers in all.
    """

    name: str
    per_weight: float
    total: int


@dataclass(frozen=True)
class StepCost:
    """What a step costs, on the parameters of the network `NETWORK` in float32.

    Attributes:
        network: the widths of that network.
        slots: what is kept.
        numbers: kept for each weight, over all slots.
        bytes: the same in bytes.
        operations: arithmetic operations for each weight, counted in the compiled update; a multiply-add is
            two, comparing and choosing count.
        gradients: how many gradients a step evaluates.
        curvatures: how many Hessian-vector products.
    """

    network: str
    slots: tuple[Slot, ...]
    numbers: float
    bytes: float
    operations: float
    gradients: int
    curvatures: int


def step_cost(rule: Optimizer) -> StepCost:
    """Start the rule on sample parameters and build its update, and count.

    >>> from spusk.optim import Adam
    >>> found = step_cost(Adam())
    >>> [slot.name for slot in found.slots], found.numbers, found.bytes, found.gradients
    (['m', 'v'], 2.0, 8.0, 1)
    """
    weights = _sample_parameters()
    count = sum(w.size for w in weights.values())
    t = new_input("step", (), "float64", weak=True)
    numbers = {n: new_input(n, (), "float64", weak=True) for n in hyperparameters(rule)}
    traced = at_step(with_hyperparameters(rule, numbers), t)
    first = flatten(traced.start_all(weights))
    slots = {path: new_input(path, s.shape, s.dtype, weak=s.weak) for path, s in first.items()}

    objective = _Counting(t)
    state = _like(traced.start_all(weights), slots)
    gradients = traced.gradients_all(objective, weights, state, t)
    new_weights, new_state = traced.update_all(weights, gradients, state, t)

    outputs = {f"parameters/{n}": w for n, w in new_weights.items()}
    outputs |= {f"state/{n}": s for n, s in flatten(new_state).items()}
    inputs = {f"parameters/{n}": w for n, w in weights.items()}
    inputs |= {f"state/{n}": s for n, s in slots.items()}
    outputs |= {f"point/{i}": p for i, p in enumerate(objective.seen.points) if p.inputs}
    inputs |= {"step": t, **{f"hyper/{n}": h for n, h in numbers.items()}, **objective.seen.inputs}
    schedule = fuse(simplify(flow_of(outputs, inputs, {})))
    operations = sum(cost(schedule, kernel).operations for kernel in schedule.kernels)
    return StepCost(
        NETWORK,
        _slots(first, count),
        sum(s.size for s in first.values()) / count,
        sum(s.size * s.dtype.itemsize for s in first.values()) / count,
        operations / count,
        objective.seen.gradients,
        objective.seen.products,
    )


def _sample_parameters() -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}
    for layer in range(LAYERS):
        for name, shape in ((f"{2 * layer}.weight", (WIDTH, WIDTH)), (f"{2 * layer}.bias", (WIDTH,))):
            made[name] = new_input(name, shape, "float32")
    return made


def _like(tree: Any, flat: Mapping[str, Tensor]) -> Any:
    from spusk.optim.state import unflatten

    return unflatten(tree, flat)


def _slots(first: Mapping[str, Tensor], count: int) -> tuple[Slot, ...]:
    """The state by slot: the same name for all parameters."""
    totals: dict[str, int] = {}
    for path, slot in first.items():
        name = " ".join(part for part in path.split("/") if not OF_PARAMETERS.fullmatch(part))
        totals[name] = totals.get(name, 0) + slot.size
    return tuple(Slot(name or "state", total / count, total) for name, total in totals.items())


@dataclass
class _Seen:
    """What a rule has asked its objective for."""

    inputs: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    points: list[Tensor] = field(default_factory=list[Tensor])
    gradients: int = 0
    products: int = 0


class _Counting(Objective):
    """An objective without a loss: each gradient and Hessian product is an input, and is counted."""

    def __init__(
        self, t: Tensor, loss: Callable[[dict[str, Tensor]], Tensor] | None = None, seen: _Seen | None = None
    ) -> None:
        self.seen = _Seen() if seen is None else seen
        key = self.seen.inputs.setdefault("key", new_input("key", (2,), "uint32"))
        super().__init__(self._reached if loss is None else loss, t, key)

    def _reached(self, parameters: dict[str, Tensor]) -> Tensor:
        """The loss somewhere; computing the way there is part of the step."""
        self.seen.points += parameters.values()
        return self._given("loss", {"": new_input("like", (), "float32")})[""]

    def _given(self, what: str, like: Parameters) -> dict[str, Tensor]:
        made = {n: new_input(f"{what} {n}", w.shape, w.dtype) for n, w in like.items()}
        self.seen.inputs |= {f"{what} {n} {g.serial}": g for n, g in made.items()}
        return made

    def _view(self, loss: Callable[[dict[str, Tensor]], Tensor]) -> Objective:
        return _Counting(self._t, loss, self.seen)

    def _at(self, parameters: Parameters) -> tuple[dict[str, Tensor], Gradients]:
        point = tuple((name, w.serial) for name, w in parameters.items())
        if point not in self._known:
            self.seen.gradients += 1
            loss = self._loss(dict(parameters))
            self._known[point] = (dict(parameters), Gradients(self._given("gradient", parameters), loss))
        return self._known[point]

    def hvp(self, parameters: Parameters, vectors: Parameters) -> dict[str, Tensor]:
        self._at(parameters)
        self.seen.products += 1
        return self._given("product", parameters)
