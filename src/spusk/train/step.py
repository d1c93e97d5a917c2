"""The training step: loss, gradient and update rule as one graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

import spusk.numpy as snp
from spusk.compile import Backend, Program
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.mistakes import at, check_same, returned_at, told
from spusk.optim.objective import Objective
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import flatten, unflatten
from spusk.streams import key
from spusk.train.weights import Weights

Tensors = dict[str, Tensor]
Loss = Callable[[Tensors, Tensor], Tensor]
DRAWS = "draws"
WATCHED = "watched"


@dataclass(frozen=True)
class DescentStep:
    """One step of an optimizer on an objective, as a program.

    Its inputs, and the outputs carried into them, are named `parameters/<name>`, `state/<name>/<slot>` and
    `step` (the number t of the step, from 1). Besides there are the inputs `hyper/<name>`, those of the
    objective, and `draws`, the key of the rule's random numbers if it draws any; and the output `loss` (at
    the point where the rule takes its gradient), and perhaps `watched` (see `Gradients.watched`).

    Attributes:
        program: the step.
        start: from parameters and hyperparameters to the first state.
        evaluated: from the carried values and hyperparameters to the weights to use, named
            `parameters/<name>`; None if these are the parameters themselves.
        optimizer: the rule it was built for.
    """

    program: Program
    start: Program
    evaluated: Program | None
    optimizer: Optimizer

    @property
    def watch(self) -> str:
        """The output that is not finite when training has diverged."""
        return WATCHED if WATCHED in self.program.outputs else "loss"

    def first_values(
        self, parameters: Mapping[str, NDArray[Any]], optimizer: Optimizer, seed: int = 0
    ) -> dict[str, Any]:
        """The values before the first step: parameters, fresh state, t = 1, hyperparameters, random key."""
        values: dict[str, Any] = {f"parameters/{name}": w for name, w in parameters.items()}
        values |= {f"hyper/{name}": number for name, number in hyperparameters(optimizer).items()}
        values["step"] = 1.0
        values |= self.start(values)
        if DRAWS in self.program.inputs:
            values[DRAWS] = key(seed, "optimizer")
        return values

    def weights(self, first: Mapping[str, Any], live: Mapping[str, NDArray[Any]]) -> Weights:
        """The weights to use while a loop of this step goes on.

        Args:
            first: what `first_values` has returned; the hyperparameters are read from it.
            live: the carried values as the loop changes them, such as `Session.values`.
        """
        return Weights(self.evaluated, first, live)


def descent_step(
    loss: Loss,
    parameters: Mapping[str, NDArray[Any]],
    optimizer: Optimizer,
    inputs: Mapping[str, Tensor] | None = None,
    outputs: Callable[[Tensors], Tensors] | None = None,
    backend: Backend = "native",
) -> DescentStep:
    """Build the graph of one step.

    Args:
        loss: from parameters by name and the step number, the scalar to minimise. A rule may ask for it at
            several points; it must then be the same function each time.
        parameters: arrays with the shapes and dtypes of the parameters, by name.
        optimizer: the rule; its numbers become inputs of the graph.
        inputs: the inputs that the loss uses besides.
        outputs: more to compute from the weights to use (`Optimizer.evaluated`) before the update, by name.
        backend: how the programs run.

    Raises:
        ShapeError, DTypeError: if the rule changes the shape or dtype of a parameter or of its state.
        InputError: if the rule does not return what it should.
    """
    weights = {name: new_input(name, w.shape, w.dtype) for name, w in parameters.items()}
    t = new_input("step", (), "float64", weak=True)
    numbers = {n: new_input(f"hyper {n}", (), "float64", weak=True) for n in hyperparameters(optimizer)}
    rule = at_step(with_hyperparameters(optimizer, numbers), t)
    with told(rule, "start_all"):
        fresh = rule.start_all(weights)
    first = flatten(fresh)
    _check_start(optimizer, first)
    slots = {path: new_input(path, s.shape, s.dtype, weak=s.weak) for path, s in first.items()}
    state = unflatten(fresh, slots)

    random_key = new_input(DRAWS, (2,), "uint32")
    of_the_loss: list[Exception] = []

    def minimised(point: Tensors) -> Tensor:
        try:
            return loss(point, t)
        except Exception as error:  # whatever a loss of the user's own raises, it is not the rule's mistake
            of_the_loss.append(error)
            raise

    objective = Objective(minimised, t, random_key)
    with told(rule, "gradients_all", but=of_the_loss):
        gradients = rule.gradients_all(objective, weights, state, t)
    with told(rule, "update_all"):
        new_weights, new_state = rule.update_all(weights, gradients, state, t)
    check_same(rule, "update_all", weights, new_weights, "parameter")
    check_same(rule, "update_all", slots, flatten(new_state), "state slot")
    # The weights to use are those after the last step, t − 1, with its hyperparameters.
    last = at_step(with_hyperparameters(optimizer, numbers), snp.maximum(t - 1, 1))
    with told(rule, "evaluated_all"):
        evaluated = last.evaluated_all(weights, state)
    check_same(rule, "evaluated_all", weights, evaluated, "parameter")

    carried_in = _named("parameters", weights) | _named("state", slots) | {"step": t}
    carried_out = _named("parameters", new_weights) | _named("state", flatten(new_state)) | {"step": t + 1}
    hyper = _named("hyper", numbers)
    drawn = {DRAWS: random_key} if objective.draws else {}
    seen = {"loss": gradients.loss, **(outputs(evaluated) if outputs else {})}
    if gradients.watched is not gradients.loss:
        seen[WATCHED] = gradients.watched
    program = Program(
        outputs={**carried_out, **seen},
        inputs={**carried_in, **hyper, **drawn, **(inputs or {})},
        carry={name: name for name in carried_in},
        backend=backend,
    )
    start = Program(
        outputs=_named("state", first),
        inputs=_named("parameters", weights) | hyper | {"step": t},
        backend="numpy",  # it runs once
    )
    are_parameters = all(evaluated[name] is w for name, w in weights.items())
    shown = Program(
        outputs=_named("parameters", evaluated),
        inputs=carried_in | hyper,
        backend="numpy",  # it runs once an epoch
    )
    return DescentStep(program, start, None if are_parameters else shown, optimizer)


def _named(room: str, tensors: Mapping[str, Tensor]) -> Tensors:
    return {f"{room}/{name}": t for name, t in tensors.items()}


def _check_start(rule: Optimizer, first: Mapping[str, Any]) -> None:
    """The rule must start with Tensors only."""
    for path, slot in first.items():
        if not isinstance(slot, Tensor):
            raise InputError(
                f"{type(rule).__name__}.start returns {type(slot).__name__} for {path!r}; it must return a "
                "State of Tensors, such as State(m=snp.zeros_like(w)), or State() if it keeps none"
                f"{at(returned_at(rule, 'start_all'))}"
            )
