"""The training step: loss, gradient and update rule as one graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from spusk.compile import Backend, Program
from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import Tensor, backprop
from spusk.graph import input as new_input
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import flatten, unflatten

Tensors = dict[str, Tensor]
Objective = Callable[[Tensors, Tensor], Tensor]


@dataclass(frozen=True)
class DescentStep:
    """One step of an optimizer on an objective, as a program.

    Its inputs, and the outputs carried into them, are named `parameters/<name>`, `state/<name>/<slot>` and
    `step` (the number t of the step, from 1). Besides there are the inputs `hyper/<name>` and those of the
    objective, and the outputs `loss` (at the point where the rule takes its gradient).
    """

    program: Program
    start: Program
    optimizer: Optimizer

    def first_values(self, parameters: Mapping[str, NDArray[Any]], optimizer: Optimizer) -> dict[str, Any]:
        """The carried values before the first step: parameters, fresh state, t = 1, hyperparameters."""
        values: dict[str, Any] = {f"parameters/{name}": w for name, w in parameters.items()}
        values |= {f"hyper/{name}": number for name, number in hyperparameters(optimizer).items()}
        values["step"] = 1.0
        return values | self.start(values)


def descent_step(
    objective: Objective,
    parameters: Mapping[str, NDArray[Any]],
    optimizer: Optimizer,
    inputs: Mapping[str, Tensor] | None = None,
    outputs: Callable[[Tensors], Tensors] | None = None,
    backend: Backend = "native",
) -> DescentStep:
    """Build the graph of one step.

    Args:
        objective: from parameters by name and the step number, the scalar to minimise.
        parameters: arrays with the shapes and dtypes of the parameters, by name.
        optimizer: the rule; its numbers become inputs of the graph.
        inputs: the inputs that the objective uses besides.
        outputs: more to compute from the parameters before the update, by name.
        backend: how the programs run.

    Raises:
        ShapeError, DTypeError: if the rule changes the shape or dtype of a parameter or of its state.
        InputError: if the rule does not return what it should.
    """
    weights = {name: new_input(name, w.shape, w.dtype) for name, w in parameters.items()}
    t = new_input("step", (), "float64", weak=True)
    numbers = {n: new_input(f"hyper {n}", (), "float64", weak=True) for n in hyperparameters(optimizer)}
    rule = at_step(with_hyperparameters(optimizer, numbers), t)
    fresh = rule.start_all(weights)
    first = flatten(fresh)
    slots = {path: new_input(path, s.shape, s.dtype, weak=s.weak) for path, s in first.items()}
    state = unflatten(fresh, slots)

    at = rule.point_all(weights, state)
    loss = objective(at, t)
    gradients = dict(zip(at, backprop(loss, list(at.values())), strict=True))
    new_weights, new_state = rule.update_all(weights, gradients, state, t)
    _check(optimizer, weights, new_weights, "parameter")
    _check(optimizer, slots, flatten(new_state), "state slot")

    carried_in = _named("parameters", weights) | _named("state", slots) | {"step": t}
    carried_out = _named("parameters", new_weights) | _named("state", flatten(new_state)) | {"step": t + 1}
    hyper = _named("hyper", numbers)
    program = Program(
        outputs={**carried_out, "loss": loss, **(outputs(weights) if outputs else {})},
        inputs={**carried_in, **hyper, **(inputs or {})},
        carry={name: name for name in carried_in},
        backend=backend,
    )
    start = Program(
        outputs=_named("state", first),
        inputs=_named("parameters", weights) | hyper | {"step": t},
        backend="numpy",  # it runs once
    )
    return DescentStep(program, start, optimizer)


def _named(room: str, tensors: Mapping[str, Tensor]) -> Tensors:
    return {f"{room}/{name}": t for name, t in tensors.items()}


def _check(rule: Optimizer, before: Tensors, after: Mapping[str, Any], what: str) -> None:
    """The rule must return every parameter and slot as it was: same names, shapes and dtypes."""
    name = type(rule).__name__
    if missing := [path for path in before if path not in after]:
        raise InputError(f"{name}.update returns no {what} {missing[0]!r}, which start made")
    if surplus := [path for path in after if path not in before]:
        raise InputError(f"{name}.update returns a {what} {surplus[0]!r}, which start did not make")
    for path, old in before.items():
        new = after[path]
        if not isinstance(new, Tensor):
            raise InputError(f"{name}.update returns {type(new).__name__} for {what} {path!r}, not a Tensor")
        if new.shape != old.shape:
            raise ShapeError(
                f"{name}.update changes {what} {path!r} from shape {old.shape} to {new.shape} ({new.place})"
            )
        if new.dtype != old.dtype:
            raise DTypeError(
                f"{name}.update changes {what} {path!r} from {old.dtype.name} "
                f"to {new.dtype.name} ({new.place})"
            )
