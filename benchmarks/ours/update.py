"""An optimizer's update alone: a program of weights, gradients and state, without any network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import backend
from benchmarks.problems import EVIDENCE_STEPS, Shapes, gradients_of_steps, watched, weights_and_gradients
from benchmarks.trial import Trial
from spusk import optim
from spusk.compile import Program
from spusk.interop.step import Step, step_of
from spusk.interop.update import update_of
from spusk.optim.hyper import hyperparameters
from spusk.streams import key


@dataclass(frozen=True)
class UpdateProgram:
    """The update of float32 parameters as a program.

    Attributes:
        rule: the optimizer.
        step: the graph, and what its values are.
        program: a step. Its inputs are named as the step's values, beside `step` and `hyper/…`.
        start: from the same inputs, the state before the first step.
    """

    rule: optim.Optimizer
    step: Step
    program: Program
    start: Program

    @staticmethod
    def of(rule: optim.Optimizer, shapes: Shapes) -> UpdateProgram:
        """The update of parameters of these shapes."""
        update = update_of(rule, {name: (shape, "float32") for name, shape in shapes.items()})
        step = step_of(update, list(shapes))
        numbers = {"step": update.t, **{f"hyper/{name}": t for name, t in update.hyper.items()}}
        values = {value.name: value.before for value in step.values}
        after = {value.name: value.after for value in step.written if value.after is not None}
        program = Program(
            outputs={**after, "step": update.t + 1},
            inputs={**values, **numbers},
            carry={name: name for name in (*after, "step")},
            **backend.chosen(),
        )
        weights = {f"weight 0 {name}": w for name, w in update.weights.items()}
        first = {value.name: update.slots[value.which].first for value in step.values if value.kind == "slot"}
        start = Program(outputs=first, inputs={**weights, **numbers}, **backend.chosen())
        return UpdateProgram(rule, step, program, start)

    def first_values(self, shapes: Shapes) -> dict[str, Any]:
        """The values before the first step: weights, gradients and state; the loss is 1."""
        weights, gradients = weights_and_gradients(shapes)
        values: dict[str, Any] = {"step": 1.0}
        values |= {f"hyper/{name}": number for name, number in hyperparameters(self.rule).items()}
        values |= {f"weight 0 {name}": w for name, w in weights.items()}
        made = self.start({name: values[name] for name in self.start.inputs})
        for value in self.step.values:
            match value.kind:
                case "weight":
                    continue
                case "slot":
                    values[value.name] = made[value.name]
                case "gradient":
                    values[value.name] = gradients[value.owner or ""]
                case "point":
                    values[value.name] = weights[value.owner or ""]
                case "loss":
                    values[value.name] = np.float32(1)
                case "key":
                    values[value.name] = key(0, "optimizer")
        return {name: values[name] for name in self.program.inputs}


def weights_after(rule: optim.Optimizer, shapes: Shapes) -> NDArray[np.float32]:
    """What is compared with peers: some weights after a few steps, or the points of the next gradients."""
    built = UpdateProgram.of(rule, shapes)
    _, gradients = weights_and_gradients(shapes)
    values = [value for value in built.step.values if value.kind == "gradient"]
    each = {value.name: gradients_of_steps(gradients[value.owner or ""]) for value in values}
    found = built.program.run(built.first_values(shapes), steps=EVIDENCE_STEPS, each=each).values
    kinds = {value.kind for value in built.step.values}
    shown = "point" if "point" in kinds else "weight"
    return watched(np.asarray(found[f"{shown} 0 {name}"]) for name in shapes)


def updates(
    rule: optim.Optimizer, shapes: Shapes, steps: int, evidence: Mapping[str, optim.Optimizer]
) -> Trial:
    """Steps of the rule with the same gradients again and again; a unit is a step.

    Args:
        rule: what is timed.
        shapes: of the parameters.
        steps: in one run of the program.
        evidence: rules that peers are compared with, by the name of the evidence.
    """
    built = UpdateProgram.of(rule, shapes)
    # Weights and state stay where they are, as in torch's optimizers.
    session = built.program.begin(built.first_values(shapes))

    def found() -> dict[str, NDArray[np.float32]]:
        return {name: weights_after(other, shapes) for name, other in evidence.items()}

    return Trial(lambda: session.run(steps), steps, found)
